from __future__ import annotations

from typing import Any

import pytest

from rollplane_machinery.errors import InvalidError
from rollplane_machinery.releases import release_of
from rollplane_machinery.structural.custom import Schema
from rollplane_machinery.structural.parsing import parse_schema
from tests.machinery.structural.schemas import array, obj

Json = Any
INT = {"type": "integer"}
TEXT = {"type": "string"}
RULES = "x-kubernetes-validations"


def ruled(rule: str, spec: Json = None, **more: Json) -> Json:
    """Return the schema of a spec with one rule."""
    members = {"a": INT, "b": INT, "s": TEXT, "l": array(TEXT), "m": {"type": "object", "additionalProperties": INT}}
    return {**(spec or obj(members)), RULES: [{"rule": rule, **more}]}


def parsed(spec: Json, **root: Json) -> Schema:
    return parse_schema(obj({"spec": spec}, **root))


def told(schema: Schema, spec: Json, old: Json = None) -> list[str]:
    value: Json = {"apiVersion": "a/v1", "kind": "K", "metadata": {"name": "web"}, "spec": spec}
    before: Json = {**value, "spec": old}
    return [str(cause) for cause in (schema.validate(value) if old is None else schema.validate(value, before))]


# rule, a spec that keeps it, one that breaks it
RULES_OF_VALUES: dict[str, tuple[str, Json, Json]] = {
    "numbers": ("self.a <= self.b", {"a": 1, "b": 2}, {"a": 2, "b": 1}),
    "numbers of two types": ("self.a < 1.5", {"a": 1}, {"a": 2}),
    "has": ("has(self.a) != has(self.b)", {"a": 1}, {"a": 1, "b": 1}),
    "optional members": ("self.?a.orValue(5) > 3", {}, {"a": 1}),
    "lists": ("self.l.all(x, x.startsWith('a'))", {"l": ["ab"]}, {"l": ["b"]}),
    "exists_one": ("self.l.exists_one(x, x == 'a')", {"l": ["a", "b"]}, {"l": ["a", "a"]}),
    "maps": ("self.m.all(k, self.m[k] > 0)", {"m": {"x": 1}}, {"m": {"x": 0}}),
    "in": ("self.s in self.l", {"s": "a", "l": ["a"]}, {"s": "b", "l": ["a"]}),
    "matches is RE2": ("self.s.matches('^[a-z]+$')", {"s": "a"}, {"s": "A"}),
    "lists library": ("self.l.isSorted() && self.l.indexOf('b') == 1", {"l": ["a", "b"]}, {"l": ["b", "a"]}),
    "sum, min and max": (
        "[self.a, self.b].sum() == 3 && [self.a, self.b].max() == 2",
        {"a": 1, "b": 2},
        {"a": 3, "b": 0},
    ),
    "sets": ("sets.contains(['a', 'b'], self.l)", {"l": ["b"]}, {"l": ["c"]}),
    "regex library": (
        "self.s.find('[0-9]+') == '12' && self.s.findAll('[a-z]', 1) == ['x']",
        {"s": "x12y3"},
        {"s": "x1"},
    ),
    "url library": (
        "url(self.s).getHostname() == 'a.b' && url(self.s).getPort() == '80' && url(self.s).getQuery()['k'] == ['v']",
        {"s": "https://a.b:80/p?k=v"},
        {"s": "https://a.c:80/p?k=v"},
    ),
    "quantity library": (
        "quantity(self.s).isLessThan(quantity('1Gi')) && quantity('1k') == quantity('1000')",
        {"s": "500Mi"},
        {"s": "2Gi"},
    ),
    "ip library": ("isIP(self.s) && ip(self.s).family() == 6", {"s": "::1"}, {"s": "10.0.0.1"}),
    "cidr library": ("cidr('10.0.0.0/8').containsIP(self.s)", {"s": "10.1.2.3"}, {"s": "11.0.0.1"}),
    "semver library": ("semver(self.s).isGreaterThan(semver('1.0.0-rc.1'))", {"s": "1.0.0"}, {"s": "1.0.0-alpha"}),
    "format library": (
        "!format.dns1123Label().validate(self.s).hasValue() && !format.named('nope').hasValue()",
        {"s": "a-b"},
        {"s": "a.b"},
    ),
    "named formats": (
        "format.named('uuid').value().validate(self.s).hasValue()",
        {"s": "x"},
        {"s": "0" * 32},
    ),
    "prefixes": ("!format.dns1035LabelPrefix().validate(self.s).hasValue()", {"s": "a-"}, {"s": "1-"}),
    "strings library": ("self.s.lowerAscii().split(',').join('-') == 'a-b'", {"s": "A,B"}, {"s": "a"}),
    "times": ("duration('1h') > duration(self.s)", {"s": "5m"}, {"s": "2h"}),
}


@pytest.mark.parametrize(("rule", "good", "bad"), RULES_OF_VALUES.values(), ids=RULES_OF_VALUES)
def test_rule(rule: str, good: Json, bad: Json) -> None:
    schema = parsed(ruled(rule))
    assert told(schema, good) == []
    assert told(schema, bad) == [f"spec: Invalid value: failed rule: {rule}"]


# what is said of a rule that breaks, by the rest of the rule
SENTENCES: dict[str, tuple[Json, str]] = {
    "message": ({"message": "a must be 1"}, "spec: Invalid value: a must be 1"),
    "messageExpression": (
        {"messageExpression": "'a is ' + string(self.a)", "message": "not seen"},
        "spec: Invalid value: a is 2",
    ),
    "messageExpression that fails": (
        {"messageExpression": "self.l[0]", "message": "instead"},
        "spec: Invalid value: instead",
    ),
    "fieldPath": ({"fieldPath": ".a", "message": "no"}, "spec.a: Invalid value: no"),
    "fieldPath into a map": ({"fieldPath": ".m['x']", "message": "no"}, "spec.m[x]: Invalid value: no"),
    "reason Forbidden": ({"reason": "FieldValueForbidden", "message": "no"}, "spec: Forbidden: no"),
    "reason Required": ({"reason": "FieldValueRequired", "message": "no"}, "spec: Required value: no"),
}


@pytest.mark.parametrize(("more", "sentence"), SENTENCES.values(), ids=SENTENCES)
def test_sentence(more: Json, sentence: str) -> None:
    assert told(parsed(ruled("self.a == 1", **more)), {"a": 2}) == [sentence]


def test_rule_of_a_scalar_shows_it() -> None:
    schema = parsed(obj({"a": ruled("self > 3", INT)}))
    assert told(schema, {"a": 2}) == ["spec.a: Invalid value: 2: failed rule: self > 3"]


def test_rule_of_items_and_maps() -> None:
    schema = parsed(
        obj(
            {
                "l": array(ruled("self > 3", INT)),
                "m": {"type": "object", "additionalProperties": ruled("self > 3", INT)},
            }
        )
    )
    assert told(schema, {"l": [4, 2], "m": {"x": 1}}) == [
        "spec.l[1]: Invalid value: 2: failed rule: self > 3",
        "spec.m[x]: Invalid value: 1: failed rule: self > 3",
    ]


def test_rule_of_the_root_sees_the_name() -> None:
    schema = parse_schema({**obj({"spec": obj()}), RULES: [{"rule": "self.metadata.name.startsWith('web')"}]})
    assert told(schema, {}) == []


def test_names_that_are_no_identifiers() -> None:
    names = {"a-b": INT, "namespace": TEXT, "x.y/z": INT, "aB": INT, "a_b": INT}
    schema = parsed(
        ruled("self.a__dash__b == 1 && self.__namespace__ == 'n' && self.x__dot__y__slash__z == 2", obj(names))
    )
    assert told(schema, {"a-b": 1, "namespace": "n", "x.y/z": 2}) == []
    assert len(told(schema, {"a-b": 2, "namespace": "n", "x.y/z": 2})) == 1


def test_formats_are_times_durations_and_bytes() -> None:
    members = {
        "t": {"type": "string", "format": "date-time"},
        "d": {"type": "string", "format": "date"},
        "p": {"type": "string", "format": "duration"},
        "b": {"type": "string", "format": "byte"},
        "n": {"type": "number"},
    }
    times = "self.t > timestamp('2020-01-01T00:00:00Z') && self.d.getFullYear() == 2021 && self.p < duration('2h')"
    schema = parsed(ruled(f"{times} && size(self.b) == 3 && self.n < 2.5", obj(members)))
    assert told(schema, {"t": "2020-06-01T00:00:00Z", "d": "2021-01-01", "p": "1h30m", "b": "YWJj", "n": 2}) == []


def test_int_or_string_is_either() -> None:
    members = {"v": {"x-kubernetes-int-or-string": True}}
    schema = parsed(ruled("type(self.v) == int ? self.v > 1 : self.v.endsWith('%')", obj(members)))
    assert told(schema, {"v": 2}) == []
    assert told(schema, {"v": "20%"}) == []
    assert len(told(schema, {"v": 1})) == 1


def test_transition_rules_wait_for_an_old_value() -> None:
    schema = parsed(ruled("self.a >= oldSelf.a", message="a only grows"))
    assert told(schema, {"a": 1}) == []
    assert told(schema, {"a": 2}, {"a": 1}) == []
    assert told(schema, {"a": 1}, {"a": 2}) == ["spec: Invalid value: a only grows"]


def test_optional_old_self() -> None:
    rule = "oldSelf.hasValue() || self.a == 1"
    schema = parsed(ruled(rule, optionalOldSelf=True))
    assert told(schema, {"a": 1}) == []
    assert told(schema, {"a": 2}) == [f"spec: Invalid value: failed rule: {rule}"]
    assert told(schema, {"a": 2}, {"a": 1}) == []


def test_items_of_a_map_have_their_old_value() -> None:
    item = ruled("self.v >= oldSelf.v", obj({"k": TEXT, "v": INT}, required=["k"]))
    schema = parsed(obj({"l": array(item, **{"x-kubernetes-list-type": "map", "x-kubernetes-list-map-keys": ["k"]})}))
    old = {"l": [{"k": "a", "v": 1}, {"k": "b", "v": 5}]}
    assert told(schema, {"l": [{"k": "b", "v": 4}, {"k": "a", "v": 1}, {"k": "c", "v": 0}]}, old) == [
        "spec.l[0]: Invalid value: failed rule: self.v >= oldSelf.v"
    ]


def test_what_did_not_change_is_forgiven() -> None:
    schema = parsed(obj({"a": ruled("self > 3", INT), "b": INT}))
    assert told(schema, {"a": 1, "b": 2}, {"a": 1, "b": 1}) == []
    assert len(told(schema, {"a": 2, "b": 1}, {"a": 1, "b": 1})) == 1


def test_older_releases_forgive_nothing_and_know_no_rules() -> None:
    document = obj({"spec": obj({"a": ruled("self > 3", INT), "b": INT})})
    strict, without = (parse_schema(document, release=release_of(name)) for name in ("1.29", "1.24"))
    assert len(told(strict, {"a": 1, "b": 2}, {"a": 1, "b": 1})) == 1
    assert told(without, {"a": 1}) == []


def test_rules_are_left_unchecked_where_types_are_wrong() -> None:
    schema = parsed(ruled("self.a == 1"))
    assert told(schema, {"a": "x"}) == [
        'spec.a: Invalid value: "string": spec.a in body must be of type integer: "string"',
        "<nil>: Invalid value: null: some validation rules were not checked because the object was invalid; correct "
        "the existing errors to complete validation",
    ]


# rule, spec, what is said of what went wrong while it was evaluated
FAILURES: dict[str, tuple[str, Json, str]] = {
    "a missing member": ("self.a == 1", {}, "no such key: a evaluating rule: self.a == 1"),
    "an index": ("self.l[3] == 'x'", {"l": []}, "index out of bounds: 3 evaluating rule: self.l[3] == 'x'"),
    "a division": ("self.a / 0 == 1", {"a": 1}, "division by zero evaluating rule: self.a / 0 == 1"),
    "a function's": (
        "sign(quantity(self.s)) == 1",
        {"s": "x"},
        "'x' is not a quantity: want a number and a suffix, such as 500m or 2Gi evaluating rule: "
        "sign(quantity(self.s)) == 1",
    ),
}


@pytest.mark.parametrize(("rule", "spec", "sentence"), FAILURES.values(), ids=FAILURES)
def test_failure(rule: str, spec: Json, sentence: str) -> None:
    assert told(parsed(ruled(rule)), spec) == [f'spec: Invalid value: "object": {sentence}']


def test_no_rule_goes_on_for_ever() -> None:
    schema = parsed(ruled("self.l.all(x, self.l.all(y, y != ''))"))
    (sentence,) = told(schema, {"l": ["x"] * 5000})
    assert sentence.startswith('spec: Invalid value: "object": validation failed due to running out of cost budget')


def test_text_that_is_none_is_told() -> None:
    (sentence,) = told(parsed(ruled("self.s == 'x'")), {"s": "\ud800"})
    assert sentence.startswith('spec: Invalid value: "object": ')


def test_rules_that_nest_too_deep_are_refused() -> None:
    with pytest.raises(InvalidError) as refused:
        parse_schema(obj({"spec": ruled("(" * 40 + "true" + ")" * 40)}))
    assert "recursion limit exceeded" in str(refused.value)


# rule (with what goes with it), what is said when the schema is declared, and where
FAILED = ".rule: Invalid value: {}: compilation failed: ERROR: <input>:1:"
REFUSED: dict[str, tuple[Json, str]] = {
    "an unknown member": (
        {"rule": "self.nope == 1"},
        f"{FAILED}5: undefined field 'nope'\n | self.nope == 1\n | ....^",
    ),
    "types that do not go together": (
        {"rule": "self.a == 'x'"},
        f"{FAILED}8: found no matching overload for '_==_' applied to '(int, string)'\n | self.a == 'x'\n | .......^",
    ),
    "no bool": ({"rule": "self.a + 1"}, ".rule: Invalid value: {}: cel expression must evaluate to a bool"),
    "an unknown function": (
        {"rule": "nope(self.a)"},
        f"{FAILED}5: undeclared reference to 'nope' (in container '')\n | nope(self.a)\n | ....^",
    ),
    "no expression, but one between brackets": (
        {"rule": "true) || (true"},
        f"{FAILED}5: Syntax error: mismatched input ')' expecting <EOF>\n | true) || (true\n | ....^",
    ),
    "nothing": ({"rule": " "}, ".rule: Required value: rule is not specified"),
    "a message of nothing": (
        {"rule": "true", "message": " "},
        '.message: Invalid value: " ": must be non-empty if specified',
    ),
    "a message of two lines": (
        {"rule": "true", "message": "a\nb"},
        '.message: Invalid value: "a\\nb": must not contain line breaks',
    ),
    "a rule of two lines": (
        {"rule": "true\n&& true"},
        ".message: Required value: message must be specified if rule contains line breaks",
    ),
    "an unknown reason": (
        {"rule": "true", "reason": "Bad"},
        '.reason: Unsupported value: "Bad": supported values: "FieldValueDuplicate", "FieldValueForbidden", '
        '"FieldValueInvalid", "FieldValueRequired"',
    ),
    "a field path to nowhere": (
        {"rule": "true", "fieldPath": ".nope"},
        '.fieldPath: Invalid value: ".nope": must be a valid path',
    ),
    "a message expression of another type": (
        {"rule": "true", "messageExpression": "self.a"},
        ".messageExpression: Invalid value: {}: messageExpression must evaluate to a string",
    ),
    "an optional old value that nobody asks for": (
        {"rule": "true", "optionalOldSelf": True},
        ".optionalOldSelf: Invalid value: true: may not be set if oldSelf is not used in rule",
    ),
}


@pytest.mark.parametrize(("rule", "sentence"), REFUSED.values(), ids=REFUSED)
def test_refused(rule: Json, sentence: str) -> None:
    spec = {**ruled("true"), RULES: [rule]}
    with pytest.raises(InvalidError) as refused:
        parse_schema(obj({"spec": spec}), "schema")
    (cause,) = refused.value.causes
    start, _, rest = sentence.partition("{}")
    assert str(cause).startswith(f"schema.properties[spec].{RULES}[0]{start}")
    assert str(cause).endswith(rest)


def test_old_values_of_lists_without_keys_are_refused() -> None:
    with pytest.raises(InvalidError) as refused:
        parse_schema(obj({"l": array(ruled("self >= oldSelf", INT))}), "schema")
    assert str(refused.value.causes[0]) == (
        f'schema.properties[l].items.{RULES}[0].rule: Invalid value: "self >= oldSelf": oldSelf cannot be used on the '
        "uncorrelatable portion of the schema within schema.properties[l]"
    )


def test_defaults_keep_the_rules() -> None:
    with pytest.raises(InvalidError) as refused:
        parse_schema(obj({"spec": obj({"a": ruled("self > 3", {**INT, "default": 1})})}), "schema")
    assert str(refused.value.causes[0]) == (
        "schema.properties[spec].properties[a].default: Invalid value: 1: failed rule: self > 3"
    )
