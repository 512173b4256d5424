"""Label selectors, from a string, from a LabelSelector message, or from a plain map."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import field

from rollplane.core.v1 import ReplicationController
from rollplane.meta import v1 as meta
from rollplane_machinery.errors import Cause, CauseReason, InvalidError
from rollplane_machinery.frozen import frozen
from rollplane_machinery.kinds import Workload
from rollplane_machinery.remembering import remembered
from rollplane_machinery.selectors.label_grammar import parse_requirements
from rollplane_machinery.selectors.limits import MAX_LABEL_TERMS, check_size
from rollplane_machinery.selectors.requirement import Labels, Operator, Requirement, Test, key_problem, value_problem

_EXPRESSION_OPERATORS: Mapping[str, Operator] = {
    "In": Operator.IN,
    "NotIn": Operator.NOT_IN,
    "Exists": Operator.EXISTS,
    "DoesNotExist": Operator.DOES_NOT_EXIST,
}
_VALUED = frozenset({Operator.IN, Operator.NOT_IN})


@frozen
class LabelSelector:
    """All of ``requirements``; without any it matches everything, with ``nothing`` no labels at all.

    ``matches`` takes a mapping of labels. Two selectors are equal when they require the same.
    """

    requirements: tuple[Requirement, ...] = ()
    nothing: bool = False
    matches: Test = field(init=False, repr=False, compare=False)

    def __post_init__(self) -> None:
        object.__setattr__(self, "matches", _never if self.nothing else _compile(self.requirements))

    @property
    def is_everything(self) -> bool:
        return not self.requirements and not self.nothing

    def narrowed(self, extra: Iterable[Requirement]) -> LabelSelector:
        """Return the selector that requires ``extra`` too."""
        return self if self.nothing else _selector((*self.requirements, *extra))

    def __str__(self) -> str:
        """The canonical text; empty for everything, and for nothing, which has no text."""
        return ",".join(map(str, self.requirements))


def parse_label_selector(text: str) -> LabelSelector:
    """Return the selector written in ``text``; an empty one matches everything.

    Raises BadRequestError that names the position of what cannot be read, or the limit that ``text`` passes.
    """
    check_size("label selector", text, MAX_LABEL_TERMS)
    return _selector(parse_requirements(text))


def label_selector_of(message: meta.LabelSelector | None) -> LabelSelector:
    """Return the selector that a LabelSelector object means: None selects nothing, an empty object everything.

    Raises InvalidError with a cause for each expression that breaks the rules.
    """
    if message is None:
        return NOTHING
    return _compiled(message.SerializeToString(deterministic=True))


@remembered(4096, largest_bytes=4096)
def _compiled(value: bytes) -> LabelSelector:
    """Return the selector in a serialized LabelSelector; controllers ask for the same ones over and over."""
    message = meta.LabelSelector.FromString(value)
    causes = [cause for at, each in enumerate(message.match_expressions) for cause in _expression_causes(at, each)]
    causes += [
        Cause(CauseReason.INVALID, "matchLabels", problem)
        for key, value in message.match_labels.items()
        if (problem := key_problem(key) or value_problem(value))
    ]
    if causes:
        raise InvalidError("; ".join(map(str, causes)), causes=causes)
    labels = (Requirement(key, Operator.EQUALS, (value,)) for key, value in message.match_labels.items())
    return _selector([*labels, *map(_expression, message.match_expressions)])


def selector_of_map(labels: Mapping[str, str]) -> LabelSelector:
    """Return the selector for objects that carry all of ``labels``, as a ReplicationController's; empty: everything."""
    return _selector(Requirement(key, Operator.EQUALS, (value,)) for key, value in labels.items())


def pod_selector_of(workload: Workload) -> LabelSelector:
    """Return the selector of the pods (a Deployment's ReplicaSets too) that ``workload`` may own.

    One that is not set selects nothing, but a ReplicationController's everything.
    """
    if isinstance(workload, ReplicationController):
        return selector_of_map(workload.spec.selector)
    return label_selector_of(workload.spec.selector if workload.spec.HasField("selector") else None)


def _selector(requirements: Iterable[Requirement]) -> LabelSelector:
    return LabelSelector(tuple(sorted(requirements, key=lambda each: (each.key, each.operator, each.values))))


def _expression(message: meta.LabelSelectorRequirement) -> Requirement:
    return Requirement(message.key, _EXPRESSION_OPERATORS[message.operator], tuple(sorted(set(message.values))))


def _expression_causes(at: int, message: meta.LabelSelectorRequirement) -> Iterable[Cause]:
    path = f"matchExpressions[{at}]"
    if problem := key_problem(message.key):
        yield Cause(CauseReason.INVALID, f"{path}.key", problem)
    operator = _EXPRESSION_OPERATORS.get(message.operator)
    if operator is None:
        yield Cause(CauseReason.INVALID, f"{path}.operator", f"{message.operator!r} is not a valid operator")
    elif operator in _VALUED and not message.values:
        yield Cause(CauseReason.REQUIRED, f"{path}.values", "must be specified with In and NotIn")
    elif operator not in _VALUED and message.values:
        yield Cause(CauseReason.FORBIDDEN, f"{path}.values", "may not be specified with Exists and DoesNotExist")
    for value in message.values:
        if problem := value_problem(value):
            yield Cause(CauseReason.INVALID, f"{path}.values", problem)


def _always(_labels: Labels) -> bool:
    return True


def _never(_labels: Labels) -> bool:
    return False


def _compile(requirements: tuple[Requirement, ...]) -> Test:
    """Return one test for all ``requirements``; plain equality, by far the most frequent, has the shortest one."""
    if not requirements:
        return _always
    if all(each.operator is Operator.EQUALS for each in requirements):
        return _equalities(tuple((each.key, each.values[0]) for each in requirements))
    tests = tuple(each.test() for each in requirements)
    if len(tests) == 1:
        return tests[0]
    return lambda labels: all(test(labels) for test in tests)


def _equalities(pairs: tuple[tuple[str, str], ...]) -> Test:
    def matches(labels: Labels) -> bool:
        get = labels.get
        for key, value in pairs:
            if get(key) != value:
                return False
        return True

    return matches


NOTHING = LabelSelector(nothing=True)
"""Matches no labels; what an absent LabelSelector object means."""
