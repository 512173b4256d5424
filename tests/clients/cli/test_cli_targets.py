"""Which objects words mean."""

from __future__ import annotations

import pytest

from rollplane_cli.failures import CommandError
from rollplane_cli.targets import parse_targets

WORDS: dict[str, list[str]] = {
    "": [],
    "pods": ["pods"],
    "po": ["pods"],
    "Deployment": ["deployments.apps"],
    "deployments.apps": ["deployments.apps"],
    "deploy,rs,pods": ["deployments.apps", "replicasets.apps", "pods"],
    "deploy,deployments": ["deployments.apps"],
    "pods a b": ["pods/a", "pods/b"],
    "deploy,rs a": ["deployments.apps/a", "replicasets.apps/a"],
    "deploy/a rs/b": ["deployments.apps/a", "replicasets.apps/b"],
    "all": [
        "pods",
        "replicationcontrollers",
        "services",
        "daemonsets.apps",
        "deployments.apps",
        "replicasets.apps",
        "statefulsets.apps",
        "horizontalpodautoscalers.autoscaling",
        "cronjobs.batch",
        "jobs.batch",
    ],
}


@pytest.mark.parametrize(("words", "expected"), WORDS.items(), ids=WORDS)
def test_parse_targets(words: str, expected: list[str]) -> None:
    targets = parse_targets(words.split())
    assert [f"{each.kind.resource}/{each.name}".rstrip("/") for each in targets.items] == expected
    assert targets.are_named == any("/" in each for each in expected)


MISTAKES = {
    "gadgets": 'error: the server doesn\'t have a resource type "gadgets"',
    "gadget/x": 'error: the server doesn\'t have a resource type "gadget"',
    "deploy/a/b": "error: arguments in resource/name form may not have more than one slash",
    "deploy/": "error: arguments in resource/name form must have a single resource and name",
    "deploy,rs/a": "error: arguments in resource/name form must have a single resource and name",
    "deploy a/b": "error: where one argument is written as resource/name, all of them must be",
}


@pytest.mark.parametrize(("words", "line"), MISTAKES.items(), ids=MISTAKES)
def test_mistakes_are_named(words: str, line: str) -> None:
    with pytest.raises(CommandError) as caught:
        parse_targets(words.split())
    assert caught.value.line == line
