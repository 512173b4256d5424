from __future__ import annotations

from collections.abc import Callable

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rollplane.apps.v1 import Deployment
from rollplane.core.v1 import Event, Node, Pod, ReplicationController
from rollplane.meta.v1 import LabelSelector as LabelSelectorMessage
from rollplane_machinery import kinds
from rollplane_machinery.errors import BadRequestError, CauseReason, InvalidError, RollplaneError
from rollplane_machinery.remembering import remembered
from rollplane_machinery.selectors import (
    NOTHING,
    LabelSelector,
    Operator,
    Requirement,
    label_selector_of,
    parse_field_selector,
    parse_label_selector,
    selectable_field_names,
    selectable_fields,
    selector_of_map,
)

LABELS = {"app": "web", "tier": "front", "weight": "7", "empty": ""}

MATCHES = {
    "": True,
    "app=web": True,
    "app==web": True,
    "app=db": False,
    "app=": False,
    "empty=": True,
    "absent=": False,
    "app!=db": True,
    "app!=web": False,
    "absent!=x": True,
    "app in (db,web)": True,
    "app in (db)": False,
    "absent in (db)": False,
    "app notin (db)": True,
    "app notin (db,web)": False,
    "absent notin (db)": True,
    "app": True,
    "absent": False,
    "!absent": True,
    "!app": False,
    "weight>6": True,
    "weight>7": False,
    "weight<8": True,
    "weight<7": False,
    "app>1": False,
    "absent<1": False,
    "app=web,tier=front": True,
    "app=web,tier=back": False,
    "app=web,!absent,weight>1": True,
    "app=web,!absent,weight<1": False,
}


@pytest.mark.parametrize(("text", "expected"), MATCHES.items(), ids=list(MATCHES))
def test_label_selector_matches(text: str, expected: bool) -> None:
    assert parse_label_selector(text).matches(LABELS) is expected


def test_matching_a_message_leaves_it_alone() -> None:
    pod = Pod()
    assert not parse_label_selector("app=web,!x,y notin (z)").matches(pod.metadata.labels)
    assert pod == Pod()


PRINTED = {
    " b = 1 , a in ( y,x ,x ) ": "a in (x,y),b=1",
    "a==b": "a=b",
    "in=notin,notin in (in)": "in=notin,notin in (in)",
    "! a": "!a",
    "a in ()": "a in ()",
    "a in (,x)": "a in (,x)",
    "a,b!=c,d>1,e<-1,f notin (g)": "a,b!=c,d>1,e<-1,f notin (g)",
    "example.com/k=v": "example.com/k=v",
    "\ta\n=\rb": "a=b",
}


@pytest.mark.parametrize(("text", "expected"), PRINTED.items(), ids=list(PRINTED))
def test_label_selector_prints(text: str, expected: str) -> None:
    assert str(parse_label_selector(text)) == expected


ERRORS = {
    "a b": (3, "found 'b', expected one of"),
    "a=b,": (5, "found end of string, expected a label key"),
    ",a": (1, "found ','"),
    "a,,b": (3, "found ','"),
    "=a": (1, "found '='"),
    "a in b": (6, "expected '('"),
    "a in (b": (8, "expected ',' or ')'"),
    "a in (b c)": (9, "expected ',' or ')'"),
    "a in (b=c)": (8, "expected ',' or ')'"),
    "a=b)": (4, "expected ',' or the end"),
    "a=b c": (5, "expected ',' or the end"),
    "a>x": (3, "expected an integer"),
    "a>": (3, "found end of string, expected an integer"),
    "a=!b": (3, "expected a label value"),
    "!": (2, "expected a label key"),
    "!a=b": (3, "expected ',' or the end"),
    "a=-b": (3, "no label value"),
    "a=" + 64 * "b": (3, "no label value"),
    "x/y/z=1": (1, "no label key"),
    "a in (b,-)": (9, "no label value"),
}


@pytest.mark.parametrize(("text", "where", "what"), [(text, *rest) for text, rest in ERRORS.items()], ids=list(ERRORS))
def test_label_selector_errors_name_the_position(text: str, where: int, what: str) -> None:
    with pytest.raises(BadRequestError) as caught:
        parse_label_selector(text)
    assert f"position {where}:" in caught.value.message
    assert what in caught.value.message


_names = st.from_regex(r"[a-zA-Z0-9]([-a-zA-Z0-9_.]{0,8}[a-zA-Z0-9])?", fullmatch=True)
_keys = _names | st.builds(lambda prefix, name: f"{prefix}/{name}", st.sampled_from(["example.com", "k8s.io"]), _names)
_values = _names | st.just("")


@st.composite
def requirements(draw: st.DrawFn) -> Requirement:
    operator = draw(st.sampled_from(Operator))
    match operator:
        case Operator.EXISTS | Operator.DOES_NOT_EXIST:
            values: tuple[str, ...] = ()
        case Operator.GREATER_THAN | Operator.LESS_THAN:
            values = (str(draw(st.integers(-(10**18), 10**18))),)
        case Operator.IN | Operator.NOT_IN:
            values = tuple(sorted(draw(st.sets(_values, min_size=1, max_size=4))))
        case _:
            values = (draw(_values),)
    return Requirement(draw(_keys), operator, values)


@given(st.lists(requirements(), max_size=5))
def test_parsing_what_is_printed_gives_the_same_selector(listed: list[Requirement]) -> None:
    selector = parse_label_selector(",".join(map(str, listed)))
    assert sorted(map(str, selector.requirements)) == sorted(map(str, listed))
    assert parse_label_selector(str(selector)) == selector


@given(st.lists(requirements(), max_size=4), st.dictionaries(_names, _values, max_size=4))
def test_all_requirements_must_hold(listed: list[Requirement], labels: dict[str, str]) -> None:
    expected = all(LabelSelector((each,)).matches(labels) for each in listed)
    assert LabelSelector(tuple(listed)).matches(labels) is expected


@given(st.text(alphabet="abin notin()=!<>,/.-1 \t", max_size=20) | st.text(max_size=20))
def test_any_text_is_a_selector_or_refused(text: str) -> None:
    for parse in (parse_label_selector, lambda each: parse_field_selector(each, kinds.POD)):
        try:
            assert parse(str(parse(text))) == parse(text)
        except RollplaneError as exc:
            assert isinstance(exc, BadRequestError)  # noqa: PT017


def _message(*expressions: tuple[str, str, list[str]], **labels: str) -> LabelSelectorMessage:
    message = LabelSelectorMessage(match_labels=labels)
    for key, operator, values in expressions:
        message.match_expressions.add(key=key, operator=operator, values=values)
    return message


def test_selector_objects() -> None:
    assert label_selector_of(None) == NOTHING
    assert label_selector_of(LabelSelectorMessage()) == LabelSelector()
    assert LabelSelector().is_everything
    assert LabelSelector().matches({})
    assert not NOTHING.is_everything
    assert not NOTHING.matches({})
    selector = label_selector_of(
        _message(("tier", "In", ["front", "back"]), ("x", "DoesNotExist", []), ("app", "Exists", []), app="web")
    )
    assert str(selector) == "app=web,app,tier in (back,front),!x"
    assert selector.matches(LABELS)
    assert not selector.matches({**LABELS, "x": ""})
    assert label_selector_of(_message(("app", "NotIn", ["web"]))).matches({})


INVALID_OBJECTS = {
    "operator": (_message(("a", "Equals", ["b"])), CauseReason.INVALID, "matchExpressions[0].operator"),
    "no values": (_message(("a", "In", [])), CauseReason.REQUIRED, "matchExpressions[0].values"),
    "values": (_message(("a", "Exists", ["b"])), CauseReason.FORBIDDEN, "matchExpressions[0].values"),
    "key": (_message(("", "Exists", [])), CauseReason.INVALID, "matchExpressions[0].key"),
    "value": (_message(("a", "In", ["-"])), CauseReason.INVALID, "matchExpressions[0].values"),
    "label": (_message(a="-"), CauseReason.INVALID, "matchLabels"),
}


@pytest.mark.parametrize(("message", "reason", "field"), INVALID_OBJECTS.values(), ids=INVALID_OBJECTS)
def test_invalid_selector_objects(message: LabelSelectorMessage, reason: CauseReason, field: str) -> None:
    with pytest.raises(InvalidError) as caught:
        label_selector_of(message)
    assert [(cause.reason, cause.field) for cause in caught.value.causes] == [(reason, field)]


def test_selector_of_a_map() -> None:
    assert str(selector_of_map({"b": "2", "a": "1"})) == "a=1,b=2"
    assert selector_of_map({}).matches({})
    assert selector_of_map({"app": "web"}).matches(LABELS)
    assert not selector_of_map({"app": "web", "x": ""}).matches(LABELS)


FIELDS = {"metadata.name": "a", "spec.nodeName": "node-1", "status.phase": "Running"}

FIELD_MATCHES = {
    "": True,
    "spec.nodeName=node-1": True,
    "spec.nodeName==node-1": True,
    "spec.nodeName=node-2": False,
    "spec.nodeName!=node-2": True,
    "spec.nodeName!=node-1": False,
    "spec.nodeName in (node-1,node-2)": True,
    "spec.nodeName  in(node-2)": False,
    "status.podIP=": True,
    "status.podIP in ()": True,
    "status.phase=Running,metadata.name=a": True,
    "status.phase=Running,metadata.name!=a": False,
    ",,status.phase=Running,": True,
}


@pytest.mark.parametrize(("text", "expected"), FIELD_MATCHES.items(), ids=list(FIELD_MATCHES))
def test_field_selector_matches(text: str, expected: bool) -> None:
    selector = parse_field_selector(text, kinds.POD)
    assert selector.matches(FIELDS) is expected
    assert parse_field_selector(str(selector), kinds.POD) == selector


FIELD_ERRORS = {
    "metadata.name": "position 1",
    "status.phase=x,metadata.name": "position 16",
    "metadata.name = a": "position 1",
    "metadata.name=a=b": "position 1",
    "metadata.name=a\\b": "position 1",
    "spec.nodeName in (a,b": "position 1",
    "spec.nodeName in (a),x y": "position 22",
    "spec.hostNetwork=true": "pods support metadata.name",
}


@pytest.mark.parametrize(("text", "what"), FIELD_ERRORS.items(), ids=list(FIELD_ERRORS))
def test_field_selector_errors(text: str, what: str) -> None:
    with pytest.raises(BadRequestError, match=what):
        parse_field_selector(text, kinds.POD)


@given(st.text(max_size=8), st.lists(st.text(max_size=8), min_size=1, max_size=3), st.booleans())
def test_field_values_of_any_characters(value: str, values: list[str], negated: bool) -> None:
    def escaped(text: str) -> str:
        for special in "\\,=()":
            text = text.replace(special, f"\\{special}")
        return text

    listed = ",".join(map(escaped, values))
    text = f"metadata.name{'!=' if negated else '='}{escaped(value)},spec.nodeName in ({listed})"
    selector = parse_field_selector(text, kinds.POD)
    assert parse_field_selector(str(selector), kinds.POD) == selector
    fields = {"metadata.name": value, "spec.nodeName": values[0]}
    assert selector.matches(fields) is not negated


def test_selectable_fields_of_each_kind() -> None:
    for kind in kinds.KINDS:
        names = selectable_field_names(kind)
        assert ("metadata.namespace" in names) is kind.namespaced
        assert tuple(selectable_fields(kind, kind.new())) == names


def test_selectable_values() -> None:
    pod = Pod()
    pod.metadata.name, pod.metadata.namespace = "p", "ns"
    pod.spec.node_name, pod.status.phase, pod.status.pod_ip = "n", "Running", "10.0.0.1"
    assert selectable_fields(kinds.POD, pod) == {
        "metadata.name": "p",
        "metadata.namespace": "ns",
        "spec.nodeName": "n",
        "spec.restartPolicy": "",
        "spec.schedulerName": "",
        "spec.serviceAccountName": "",
        "status.phase": "Running",
        "status.podIP": "10.0.0.1",
        "status.nominatedNodeName": "",
    }
    node = Node()
    assert selectable_fields(kinds.NODE, node)["spec.unschedulable"] == "false"
    node.spec.unschedulable = True
    assert selectable_fields(kinds.NODE, node)["spec.unschedulable"] == "true"
    controller = ReplicationController()
    controller.status.replicas = 3
    assert selectable_fields(kinds.REPLICATION_CONTROLLER, controller)["status.replicas"] == "3"
    assert selectable_field_names(kinds.DEPLOYMENT) == ("metadata.name", "metadata.namespace")
    assert selectable_fields(kinds.DEPLOYMENT, Deployment()) == {"metadata.name": "", "metadata.namespace": ""}


def test_selectable_event_fields() -> None:
    event = Event(reason="Scheduled", type="Normal", reporting_component="scheduler")
    event.involved_object.kind, event.involved_object.name = "Pod", "p"
    fields = selectable_fields(kinds.EVENT, event)
    assert (fields["involvedObject.kind"], fields["involvedObject.name"]) == ("Pod", "p")
    assert (fields["reason"], fields["type"], fields["source"]) == ("Scheduled", "Normal", "scheduler")
    event.source.component = "other"
    assert selectable_fields(kinds.EVENT, event)["source"] == "other"
    assert parse_field_selector("involvedObject.name=p,type!=Warning", kinds.EVENT).matches(fields)


TOO_LARGE = {
    "label terms": (lambda: parse_label_selector("a," * 2_000_000 + "a"), "label selector of .* bytes, at most 524288"),
    "label values": (lambda: parse_label_selector(f"a in ({'b,' * 2000}b)"), "2001 terms and values, at most 2000"),
    "field bytes": (
        lambda: parse_field_selector("metadata.name=" + "x" * 600_000, kinds.POD),
        "field selector of 600014 bytes, at most 524288",
    ),
    "field terms": (
        lambda: parse_field_selector("metadata.name=a," * 20_000 + "metadata.name=a", kinds.POD),
        "20001 terms and values, at most 20000",
    ),
}


@pytest.mark.parametrize(("parse", "sentence"), TOO_LARGE.values(), ids=TOO_LARGE)
def test_a_selector_beyond_the_limits_is_refused_before_it_is_read(parse: Callable[[], object], sentence: str) -> None:
    with pytest.raises(BadRequestError, match=sentence):
        parse()


def test_large_values_are_not_remembered() -> None:
    asked: list[str] = []

    @remembered(8, largest_bytes=4)
    def ask(text: str) -> str:
        asked.append(text)
        return text

    for text in ("abcd", "abcd", "abcde", "abcde"):
        assert ask(text) == text
    assert asked == ["abcd", "abcde", "abcde"]
