"""Tables beyond the recorded ones: parts of lists, single objects, events, ended pods, restarts, scale."""

from __future__ import annotations

import json
from typing import Any

import pytest

from rollplane.apps.v1 import Deployment
from rollplane.autoscaling.v1 import Scale, ScaleSpec, ScaleStatus
from rollplane.core.v1 import Pod
from rollplane.meta.v1 import ObjectMeta
from rollplane_gateway.tables import (
    IncludeObject,
    TableForm,
    embed_nothing,
    include_object_of,
    object_table,
    page_table,
    scale_table,
)
from rollplane_machinery import kinds
from rollplane_machinery.api import Page
from rollplane_machinery.errors import BadRequestError
from rollplane_machinery.kinds import KINDS, Encoded, Kind
from rollplane_machinery.releases import RECORDED
from rollplane_machinery.times import time_of
from tests.machinery.printed_objects import NOW, made

PLAIN = TableForm(embed_nothing)


def pod(status: str) -> Encoded:
    return Encoded.of(made(Pod, f"spec: {{containers: [{{name: a, image: x}}]}}\nstatus: {{{status}}}"))


def read(table: bytes) -> dict[str, Any]:
    data: dict[str, Any] = json.loads(table)
    return data


@pytest.mark.parametrize("kind", KINDS, ids=lambda kind: kind.plural)
def test_every_kind_has_a_table_with_a_cell_for_each_column(kind: Kind) -> None:
    table = read(object_table(Encoded.of(kind.new()), PLAIN, NOW))
    assert len(table["rows"][0]["cells"]) == len(table["columnDefinitions"])


async def test_a_page_says_how_it_goes_on() -> None:
    table = read(await page_table(kinds.POD, Page([pod("phase: Running")], 7, "next", 3), PLAIN, NOW))
    assert table["metadata"] == {"resourceVersion": "7", "continue": "next", "remainingItemCount": 3}


def test_a_single_object_gives_its_own_version() -> None:
    deployment = made(Deployment, "metadata: {resourceVersion: '42'}\nspec: {template: {spec: {containers: []}}}")
    table = read(object_table(Encoded.of(deployment), PLAIN, NOW))
    assert (table["metadata"], len(table["rows"])) == ({"resourceVersion": "42"}, 1)


def test_events_after_the_first_leave_the_columns_out() -> None:
    table = read(object_table(pod("phase: Running"), PLAIN, NOW, with_columns=False))
    assert table["columnDefinitions"] is None
    assert table["rows"][0]["cells"][0] == "web"


def test_an_older_version_bears_its_name() -> None:
    assert read(object_table(pod("phase: Running"), TableForm(embed_nothing, "v1beta1"), NOW))["apiVersion"] == (
        "meta.k8s.io/v1beta1"
    )


@pytest.mark.parametrize(
    ("phase", "sentence"),
    [("Succeeded", "The pod has completed successfully."), ("Failed", "The pod failed.")],
)
def test_a_pod_that_has_ended_is_completed(phase: str, sentence: str) -> None:
    (row,) = read(object_table(pod(f"phase: {phase}"), PLAIN, NOW))["rows"]
    assert row["conditions"] == [{"type": "Completed", "status": "True", "reason": phase, "message": sentence}]


def test_a_pod_that_runs_has_no_conditions() -> None:
    (row,) = read(object_table(pod("phase: Running"), PLAIN, NOW))["rows"]
    assert list(row) == ["cells", "object"]


def test_what_is_embedded_stands_beside_the_cells() -> None:
    form = TableForm(lambda encoded: json.dumps({"name": encoded.key.name}).encode())
    assert read(object_table(pod("phase: Running"), form, NOW))["rows"][0]["object"] == {"name": "web"}


RESTARTED = """
phase: Running, containerStatuses: [{name: a, image: x, imageID: "", ready: true, restartCount: 3, state: {running: {}},
lastState: {terminated: {exitCode: 1, finishedAt: "2025-06-15T15:04:40Z"}}}]
"""


def test_restarts_tell_how_long_ago() -> None:
    (row,) = read(object_table(pod(RESTARTED), PLAIN, NOW))["rows"]
    assert row["cells"][3] == "3 (2m ago)"


def test_restarts_are_a_number_in_older_releases() -> None:
    table = read(object_table(pod(RESTARTED), TableForm(embed_nothing, release=RECORDED), NOW))
    assert (table["columnDefinitions"][3]["type"], table["rows"][0]["cells"][3]) == ("integer", 3)


def test_a_scale_is_a_row() -> None:
    scale = Scale(metadata=ObjectMeta(name="web"), spec=ScaleSpec(replicas=3), status=ScaleStatus(replicas=2))
    scale.metadata.creation_timestamp.CopyFrom(time_of(NOW - 60))
    table = read(scale_table(scale, PLAIN, NOW, b"null"))
    assert [column["name"] for column in table["columnDefinitions"]] == ["Name", "Desired", "Available", "Age"]
    assert table["rows"][0]["cells"] == ["web", 3, 2, "60s"]


@pytest.mark.parametrize("word", ["", "None", "Metadata", "Object"])
def test_how_much_of_an_object_is_wanted(word: str) -> None:
    assert include_object_of(word) is IncludeObject(word or "Metadata")


def test_an_unknown_word_is_refused() -> None:
    with pytest.raises(BadRequestError, match='unrecognized includeObject value: "All"'):
        include_object_of("All")
