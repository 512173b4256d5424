"""Applying: what is merged, what is given up, who conflicts; the edge cases of every type of list.

Source of the cases: the tests of structured-merge-diff, and issues of those who built the like.
"""

from __future__ import annotations

from typing import Any

import pytest

from rollplane_machinery.errors import BadRequestError, ConflictError
from tests.machinery.fields.applying import DEPLOYMENT, SERVICE, Stored, containers, deployment

WEB = {"name": "web", "image": "web:1"}
LOG = {"name": "log", "image": "log:1"}


@pytest.fixture
def stored() -> Stored:
    return Stored()


def template(**spec: Any) -> dict[str, Any]:
    return deployment(template={"spec": spec})


def labelled(**labels: str | None) -> dict[str, Any]:
    return {**DEPLOYMENT, "metadata": {"name": "web", "labels": labels}}


# Leaves


def test_what_one_gives_up_goes_and_what_others_own_stays(stored: Stored) -> None:
    stored.apply("a", deployment(replicas=3, paused=True, minReadySeconds=5))
    stored.apply("b", deployment(replicas=3))
    stored.apply("a", deployment(minReadySeconds=5))
    assert (stored.spec["replicas"], stored.spec["minReadySeconds"]) == (3, 5)
    assert "paused" not in stored.spec
    stored.apply("b", DEPLOYMENT)
    assert "replicas" not in stored.spec
    assert stored.owned("b") == []


def test_a_field_nobody_owns_stays_when_it_is_given_up(stored: Stored) -> None:
    stored.apply("a", deployment(replicas=3))
    stored.update("b", lambda data: data["spec"].update(minReadySeconds=9))
    stored.apply("a", deployment(replicas=3, minReadySeconds=9))
    stored.apply("a", DEPLOYMENT)
    assert stored.spec["minReadySeconds"] == 9
    assert "replicas" not in stored.spec


def test_equal_values_are_shared_and_different_ones_conflict(stored: Stored) -> None:
    stored.apply("a", deployment(replicas=3))
    stored.apply("b", deployment(replicas=3))
    assert ".spec.replicas" in stored.owned("a")
    with pytest.raises(ConflictError) as failed:
        stored.apply("b", deployment(replicas=4))
    assert failed.value.message == 'Apply failed with 1 conflict: conflict with "a": .spec.replicas'
    assert [str(cause) for cause in failed.value.causes] == ['.spec.replicas: conflict with "a"']
    stored.apply("b", deployment(replicas=4), force=True)
    assert stored.owned("a") == []


def test_conflicts_are_told_by_manager(stored: Stored) -> None:
    stored.create("kubectl-create", deployment(replicas=3, paused=True))
    stored.apply("a", deployment(minReadySeconds=5))
    stored.update("hpa", lambda data: data["spec"].update(replicas=7), "scale")
    with pytest.raises(ConflictError) as failed:
        stored.apply("b", deployment(replicas=1, minReadySeconds=6))
    assert failed.value.message == (
        'Apply failed with 2 conflicts: conflicts with "a":\n- .spec.minReadySeconds\n'
        'conflicts with "hpa" with subresource "scale" using apps/v1:\n- .spec.replicas'
    )
    assert len(failed.value.causes) == 2


def test_null_sets_aside_a_value_and_is_owned(stored: Stored) -> None:
    stored.create("someone", deployment(replicas=3))
    stored.apply("a", deployment(replicas=None), force=True)
    assert "replicas" not in stored.spec
    assert ".spec.replicas" in stored.owned("a")
    with pytest.raises(ConflictError):
        stored.apply("b", deployment(replicas=1))


def test_a_zero_that_is_not_printed_is_owned(stored: Stored) -> None:
    stored.apply("a", deployment(paused=False))
    assert ".spec.paused" in stored.owned("a")
    with pytest.raises(ConflictError):
        stored.apply("b", deployment(paused=True))


def test_two_ways_to_say_the_same_are_no_conflict(stored: Stored) -> None:
    """Real servers see one here; they compare what is printed with what is written."""

    def sized(cpu: str) -> dict[str, Any]:
        return containers({"name": "web", "resources": {"requests": {"cpu": cpu}}})

    stored.apply("a", sized("1000m"))
    stored.apply("b", sized("1"))
    stored.apply("a", {**sized("1"), "metadata": {"name": "web", "labels": {}}})
    stored.apply("b", {**sized("1"), "metadata": {"name": "web", "labels": {}}})
    with pytest.raises(ConflictError):
        stored.apply("b", sized("2"))


def test_ownership_can_be_handed_on(stored: Stored) -> None:
    """A scaler takes replicas over: it applies the present value, then the first one leaves it out."""
    stored.apply("a", deployment(replicas=3, paused=True))
    stored.apply("hpa", deployment(replicas=3))
    stored.apply("a", deployment(paused=True))
    stored.apply("hpa", deployment(replicas=9))
    assert stored.spec["replicas"] == 9


# Maps


def test_entries_of_a_map_have_owners_of_their_own(stored: Stored) -> None:
    stored.apply("a", labelled(a="1", shared="x"))
    stored.apply("b", labelled(b="2", shared="x"))
    stored.apply("a", labelled(a="1"))
    assert stored.json["metadata"]["labels"] == {"a": "1", "b": "2", "shared": "x"}
    stored.apply("b", {**DEPLOYMENT})
    assert stored.json["metadata"]["labels"] == {"a": "1"}
    stored.apply("a", labelled())
    assert "labels" not in stored.json["metadata"]
    assert stored.owned("a") == [".metadata.labels"]


def test_an_atomic_map_has_one_owner(stored: Stored) -> None:
    stored.apply("a", template(nodeSelector={"zone": "1"}))
    with pytest.raises(ConflictError) as failed:
        stored.apply("b", template(nodeSelector={"disk": "ssd"}))
    assert failed.value.causes[0].field == ".spec.template.spec.nodeSelector"
    stored.apply("b", template(nodeSelector={"disk": "ssd"}), force=True)
    assert stored.spec["template"]["spec"]["nodeSelector"] == {"disk": "ssd"}
    stored.apply("b", template())
    assert "nodeSelector" not in stored.spec["template"]["spec"]


def test_a_label_selector_is_one_value(stored: Stored) -> None:
    stored.apply("a", deployment(selector={"matchLabels": {"a": "1", "b": "2"}}))
    assert stored.owned("a") == [".spec.selector"]
    stored.apply("a", deployment(selector={"matchLabels": {"b": "2"}}))
    assert stored.spec["selector"] == {"matchLabels": {"b": "2"}}


# Lists by keys


def test_items_are_merged_by_name_and_keep_their_places(stored: Stored) -> None:
    stored.apply("a", containers(WEB, LOG))
    stored.apply("b", containers({"name": "new", "image": "new:1"}, {"name": "log", "args": ["-v"]}))
    assert [each["name"] for each in stored.containers] == ["web", "new", "log"]
    assert stored.containers[2] == {**LOG, "args": ["-v"]}
    stored.apply("b", DEPLOYMENT)
    assert [each["name"] for each in stored.containers] == ["web", "log"]
    assert "args" not in stored.containers[1]


def test_an_item_stays_while_somebody_names_it(stored: Stored) -> None:
    stored.apply("a", containers(WEB))
    stored.apply("b", containers({"name": "web"}))
    stored.apply("a", DEPLOYMENT)
    assert stored.containers == [{"name": "web"}]
    stored.apply("b", DEPLOYMENT)
    assert stored.containers == []


def test_an_updater_of_a_field_keeps_no_item(stored: Stored) -> None:
    """Who set the image of a container that an applier gave does not own the container."""
    stored.apply("a", containers(WEB, LOG))
    stored.update("set-image", lambda data: data["spec"]["template"]["spec"]["containers"][1].update(image="log:2"))
    stored.apply("a", containers(WEB))
    assert stored.containers == [WEB]


def test_a_name_taken_off_and_put_back(stored: Stored) -> None:
    stored.apply("a", containers(WEB, LOG))
    stored.apply("a", containers(LOG))
    stored.apply("a", containers(LOG, WEB))
    assert stored.containers == [LOG, WEB]


def test_a_renamed_item_is_another_one(stored: Stored) -> None:
    stored.apply("a", containers({**WEB, "command": ["run"]}))
    stored.apply("a", containers({"name": "app", "image": "web:1"}))
    assert stored.containers == [{"name": "app", "image": "web:1"}]


def test_the_order_of_a_configuration_wins(stored: Stored) -> None:
    stored.apply("a", containers(WEB, LOG))
    stored.apply("a", containers(LOG, WEB))
    assert [each["name"] for each in stored.containers] == ["log", "web"]


PORT_80 = {"containerPort": 80}


def test_ports_have_two_keys_one_with_a_default(stored: Stored) -> None:
    stored.create("c", containers({"name": "web", "ports": [{**PORT_80, "protocol": "TCP"}]}))
    stored.apply("a", containers({"name": "web", "ports": [PORT_80, {**PORT_80, "protocol": "UDP", "name": "u"}]}))
    ports = stored.containers[0]["ports"]
    assert ports == [{**PORT_80, "protocol": "TCP"}, {"name": "u", **PORT_80, "protocol": "UDP"}]
    item = '.spec.template.spec.containers[name="web"].ports[containerPort=80,protocol="TCP"]'
    assert [path for path in stored.owned("a") if path.startswith(item)] == [item, f"{item}.containerPort"]
    stored.apply("a", containers({"name": "web", "ports": [{**PORT_80, "protocol": "TCP"}]}))
    assert stored.containers[0]["ports"] == [{**PORT_80, "protocol": "TCP"}]


def test_one_port_number_for_two_protocols_of_a_service(stored: Stored) -> None:
    dns = [{"port": 53, "name": "t"}, {"port": 53, "protocol": "UDP", "name": "u"}]
    stored.apply("a", {**SERVICE, "spec": {"ports": dns}})
    stored.apply("b", {**SERVICE, "spec": {"ports": [{"port": 53, "protocol": "UDP", "targetPort": 5353}]}})
    assert [(port["name"], port.get("targetPort", 0)) for port in stored.spec["ports"]] == [("t", 0), ("u", 5353)]
    stored.apply("a", {**SERVICE, "spec": {"ports": [dns[1]]}})
    assert [port["name"] for port in stored.spec["ports"]] == ["u"]


def test_spread_constraints_have_two_keys(stored: Stored) -> None:
    hard = {"topologyKey": "zone", "whenUnsatisfiable": "DoNotSchedule", "maxSkew": 1}
    soft = {"topologyKey": "zone", "whenUnsatisfiable": "ScheduleAnyway", "maxSkew": 2}
    stored.apply("a", template(topologySpreadConstraints=[hard]))
    stored.apply("b", template(topologySpreadConstraints=[soft]))
    found = stored.spec["template"]["spec"]["topologySpreadConstraints"]
    assert [each["maxSkew"] for each in found] == [1, 2]


KEYED: dict[str, tuple[str, dict[str, Any], dict[str, Any]]] = {
    "volumes": ("volumes", {"name": "a", "emptyDir": {}}, {"name": "b", "emptyDir": {}}),
    "host aliases": ("hostAliases", {"ip": "1.1.1.1", "hostnames": ["a"]}, {"ip": "2.2.2.2", "hostnames": ["b"]}),
    "pull secrets": ("imagePullSecrets", {"name": "a"}, {"name": "b"}),
    "init containers": ("initContainers", {"name": "a", "image": "i"}, {"name": "b", "image": "i"}),
    "scheduling gates": ("schedulingGates", {"name": "a"}, {"name": "b"}),
}


@pytest.mark.parametrize(("field", "one", "other"), KEYED.values(), ids=KEYED)
def test_two_appliers_of_a_keyed_list(stored: Stored, field: str, one: dict[str, Any], other: dict[str, Any]) -> None:
    stored.apply("a", template(**{field: [one]}))
    stored.apply("b", template(**{field: [other]}))
    assert len(stored.spec["template"]["spec"][field]) == 2
    stored.apply("a", template())
    (left,) = stored.spec["template"]["spec"][field]
    assert other.items() <= left.items()


# Atomic lists and sets


def test_an_atomic_list_is_one_value(stored: Stored) -> None:
    stored.apply("a", template(tolerations=[{"key": "a"}, {"key": "b"}]))
    assert stored.owned("a") == [".spec.template.spec.tolerations"]
    with pytest.raises(ConflictError):
        stored.apply("b", template(tolerations=[{"key": "a"}]))
    stored.apply("a", template(tolerations=[{"key": "b"}]))
    assert stored.spec["template"]["spec"]["tolerations"] == [{"key": "b"}]


def finalized(*names: str) -> dict[str, Any]:
    return {**DEPLOYMENT, "metadata": {"name": "web", "finalizers": list(names)}}


def test_a_set_has_an_owner_for_each_value(stored: Stored) -> None:
    stored.apply("a", finalized("x/a", "x/both"))
    stored.apply("b", finalized("x/b", "x/both"))
    stored.apply("a", finalized())
    assert stored.json["metadata"]["finalizers"] == ["x/b", "x/both"]
    assert stored.owned("b") == ['.metadata.finalizers[="x/b"]', '.metadata.finalizers[="x/both"]']


def test_what_is_stored_twice_is_owned_together(stored: Stored) -> None:
    """Updates may store duplicates, which strategies do not refuse; applying must get along with them."""
    twice = {"name": "web", "env": [{"name": "A", "value": "1"}, {"name": "A", "value": "2"}]}
    stored.create("c", containers(twice))
    env = '.spec.template.spec.containers[name="web"].env'
    assert [path for path in stored.owned("c") if path.startswith(env)] == [env, f'{env}[name="A"]']
    stored.apply("a", containers({"name": "web", "image": "i"}))
    assert stored.containers[0]["env"] == twice["env"]
    stored.apply("a", containers({"name": "web", "env": [{"name": "A", "value": "3"}]}), force=True)
    assert stored.containers[0]["env"] == [{"name": "A", "value": "3"}]


# Where it begins


def test_before_the_first_apply_somebody_owned_everything(stored: Stored) -> None:
    stored.create("c", deployment(replicas=3))
    assert stored.found is not None
    stored.found.metadata.ClearField("managed_fields")
    with pytest.raises(ConflictError) as failed:
        stored.apply("a", deployment(replicas=4))
    assert failed.value.causes[0].message == 'conflict with "before-first-apply" using apps/v1'
    stored.apply("a", deployment(replicas=3))
    assert ".spec.replicas" in stored.owned("before-first-apply")


LAST_APPLIED = "kubectl.kubernetes.io/last-applied-configuration"


def client_side(**spec: Any) -> dict[str, Any]:
    text = '{"apiVersion":"apps/v1","kind":"Deployment","metadata":{"name":"web"},"spec":{"replicas":3}}'
    return {**deployment(**spec), "metadata": {"name": "web", "annotations": {LAST_APPLIED: text}}}


def test_kubectl_goes_on_from_where_client_side_apply_ended(stored: Stored) -> None:
    stored.create("kubectl-client-side-apply", client_side(replicas=3, minReadySeconds=4))
    with pytest.raises(ConflictError):
        stored.apply("other", deployment(replicas=5))
    stored.apply("kubectl", deployment(replicas=5))
    assert stored.spec["replicas"] == 5
    assert stored.json["metadata"]["annotations"][LAST_APPLIED] == (
        '{"apiVersion":"apps/v1","kind":"Deployment","metadata":{"annotations":{},"name":"web"},"spec":{"replicas":5}}\n'
    )
    with pytest.raises(ConflictError) as failed:
        stored.apply("kubectl", deployment(replicas=5, minReadySeconds=1))
    assert failed.value.causes[0].field == ".spec.minReadySeconds"


def test_client_side_apply_that_nobody_recorded_goes_on_too(stored: Stored) -> None:
    stored.create("c", client_side(replicas=3, minReadySeconds=4))
    assert stored.found is not None
    stored.found.metadata.ClearField("managed_fields")
    stored.apply("kubectl", DEPLOYMENT)
    assert "replicas" not in stored.spec
    assert stored.spec["minReadySeconds"] == 4
    assert ".spec.minReadySeconds" in stored.owned("before-first-apply")
    assert ".spec.replicas" not in stored.owned("before-first-apply")


NO_MARKS = [
    "",
    "{",
    "[]",
    '{"apiVersion": "apps/v1beta1"}',
    '{"apiVersion": "apps/v1", "spec": 3}',
    "[" * 500 + "]" * 500,
]


@pytest.mark.parametrize("mark", NO_MARKS, ids=range(len(NO_MARKS)))
def test_a_mark_that_says_nothing_takes_nothing(stored: Stored, mark: str) -> None:
    data = client_side(replicas=3)
    data["metadata"]["annotations"][LAST_APPLIED] = mark
    stored.create("kubectl-client-side-apply", data)
    with pytest.raises(ConflictError):
        stored.apply("kubectl", deployment(replicas=5))


def test_what_somebody_changed_since_is_not_taken_from_them(stored: Stored) -> None:
    stored.create("kubectl-client-side-apply", client_side(replicas=3))
    stored.update("hpa", lambda data: data["spec"].update(replicas=8))
    with pytest.raises(ConflictError) as failed:
        stored.apply("kubectl", deployment(replicas=5))
    assert failed.value.causes[0].message == 'conflict with "hpa" using apps/v1'


def test_status_is_applied_apart(stored: Stored) -> None:
    stored.apply("a", {**deployment(replicas=1), "status": {"replicas": 7}})
    assert stored.owned("a") == [".spec.replicas"]
    stored.apply("a", {**deployment(replicas=2), "status": {"replicas": 7}}, subresource="status", force=True)
    assert stored.owned("a") == [".spec.replicas", ".status.replicas"]


REFUSED: dict[str, tuple[dict[str, Any], str]] = {
    "a null item": (containers(WEB) | template(containers=[None]), "cannot hold null"),
    "an item without keys": (template(containers=[{"image": "i"}]), "element 0: .* omits"),
    "an item twice": (
        containers(WEB, WEB),
        r"\.spec\.template\.spec\.containers: duplicate entries for key \[name=\"web\"\]",
    ),
    "a value twice": (finalized("x/a", "x/a"), r"\.metadata\.finalizers: duplicate entries for key \[=\"x/a\"\]"),
    "a port twice by its default": (
        containers({"name": "web", "ports": [PORT_80, {**PORT_80, "protocol": "TCP"}]}),
        r'duplicate entries for key \[containerPort=80,protocol="TCP"\]',
    ),
    "owners": ({**DEPLOYMENT, "metadata": {"name": "web", "managedFields": []}}, "metadata.managedFields must be nil"),
    "a wrong type": (deployment(replicas="3"), "replicas: expected 32-bit integer"),
}


@pytest.mark.parametrize(("config", "sentence"), REFUSED.values(), ids=REFUSED)
def test_a_configuration_that_cannot_be_applied(stored: Stored, config: dict[str, Any], sentence: str) -> None:
    with pytest.raises(BadRequestError, match=sentence):
        stored.apply("a", config)


def test_one_kind_cannot_be_applied_as_another(stored: Stored) -> None:
    from rollplane_machinery.fields import read_configuration
    from rollplane_machinery.kinds import DEPLOYMENT as KIND

    for text, sentence in (
        (b'{"apiVersion": "v1", "kind": "Pod"}', "invalid object type: /v1, Kind=Pod"),
        (b'{"kind": "Deployment"}', "'apiVersion' is missing"),
        (b"[]", "must be a JSON object"),
        (b"a: [", "cannot be read"),
    ):
        with pytest.raises(BadRequestError, match=sentence):
            read_configuration(text, KIND)
    assert read_configuration(b"apiVersion: apps/v1\nkind: Deployment\nspec: {nope: 1}", KIND).left_out
