"""Server-side apply with the real kubectl: who owns what, step by step."""

from __future__ import annotations

import json

from tests.clients.real.programs import Program

NAME = "configmap/settings"


def config(**data: str) -> str:
    return json.dumps({"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": "settings"}, "data": data})


def data(kubectl: Program) -> dict[str, str]:
    found: dict[str, str] = json.loads(kubectl.ok("get", NAME, "-o", "json"))["data"]
    return found


def managers(kubectl: Program) -> dict[str, list[str]]:
    """The keys of ``data`` that each manager owns."""
    shown = ["--show-managed-fields"] if kubectl.release >= (1, 21) else []
    entries = json.loads(kubectl.ok("get", NAME, "-o", "json", *shown))["metadata"]["managedFields"]
    return {
        f"{entry['manager']} {entry['operation']}": [
            step.removeprefix("f:") for step in entry["fieldsV1"].get("f:data", {}) if step != "."
        ]
        for entry in entries
    }


def apply(kubectl: Program, *flags: str, given: str) -> str:
    return kubectl.ok("apply", "--server-side", *flags, "-f", "-", given=given)


def test_what_is_given_up_goes_unless_somebody_else_owns_it(kubectl: Program) -> None:
    apply(kubectl, given=config(mine="1", both="2"))
    apply(kubectl, "--field-manager=other", given=config(theirs="3", both="2"))
    assert data(kubectl) == {"mine": "1", "both": "2", "theirs": "3"}
    apply(kubectl, given=config())
    assert data(kubectl) == {"both": "2", "theirs": "3"}
    assert managers(kubectl)["other Apply"] == ["both", "theirs"]


def test_a_conflict_names_the_field_and_force_takes_it(kubectl: Program) -> None:
    apply(kubectl, "--field-manager=first", given=config(key="1"))
    refused = kubectl.refused("apply", "--server-side", "-f", "-", given=config(key="2"))
    assert 'Apply failed with 1 conflict: conflict with "first": .data.key' in refused
    assert apply(kubectl, "--force-conflicts", given=config(key="2")) == f"{NAME} serverside-applied\n"
    assert data(kubectl) == {"key": "2"}
    assert "first Apply" not in managers(kubectl)


def test_client_side_apply_hands_over(kubectl: Program) -> None:
    """After the hand-over a field that is left out goes, which client-side apply's entry would have kept."""
    kubectl.ok("apply", "-f", "-", given=config(stays="1", goes="2"))
    apply(kubectl, given=config(stays="1", goes="2"))
    apply(kubectl, given=config(stays="1"))
    if kubectl.release < (1, 26):  # older ones leave the entry of client-side apply
        return
    assert data(kubectl) == {"stays": "1"}
    assert managers(kubectl)["kubectl Apply"] == ["stays"]
    assert "kubectl-client-side-apply Update" not in managers(kubectl)


def test_writers_are_recorded(kubectl: Program) -> None:
    apply(kubectl, given=config(key="1"))
    kubectl.ok("patch", NAME, "--type=merge", "-p", '{"data": {"key": "2"}}', "--field-manager=patcher")
    assert managers(kubectl)["patcher Update"] == ["key"]
    refused = kubectl.refused("apply", "--server-side", "-f", "-", given=config(key="1"))
    assert 'conflict with "patcher" using v1: .data.key' in refused
