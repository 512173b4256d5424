"""What a check finds in a value, before anybody knows where the value stands.

A check that finds nothing wrong builds no path and no sentence. A fault gathers its path on the way out, and becomes a
cause at the end, since Kubernetes' sentences hold the whole path.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from typing import NamedTuple, TypeAlias

from rollplane_machinery.errors import Cause
from rollplane_machinery.fields.values import Value
from rollplane_machinery.patch.json_value import Json
from rollplane_machinery.structural.causes import invalid

Named: TypeAlias = Callable[[str, str], Cause]
"""Makes the cause of a fault from the path inside the value that was checked, and the field to tell."""


class Fault(NamedTuple):
    """One thing that is wrong at ``path``, relative to the value that was checked.

    Some are told of the whole value, ``is_of_whole``, with the path in the sentence only.
    """

    path: str
    named: Named
    is_of_whole: bool = False


Faults: TypeAlias = Sequence[Fault]
Check: TypeAlias = Callable[[Json, Value], Faults]
"""Returns what is wrong with a value, given the one that stood in its place before, which may be none."""

NONE: Faults = ()


def fault(named: Named) -> Faults:
    """Return the one fault of the value itself."""
    return (Fault("", named),)


def whole_fault(sentence: str) -> Faults:
    """Return the one fault that ``sentence`` tells of the whole value; ``{}`` stands for the path."""
    return (Fault("", lambda path, field: invalid(field, "", sentence.format(path)), is_of_whole=True),)


def under(prefix: str, faults: Faults) -> list[Fault]:
    """Return ``faults`` with ``prefix`` before their paths."""
    return [Fault(join(prefix, path), named, is_of_whole) for path, named, is_of_whole in faults]


def join(prefix: str, path: str) -> str:
    """Return the path of ``path`` inside ``prefix``; an index or key (``[0]``) joins without a dot."""
    if not prefix or not path or path[0] == "[":
        return prefix + path
    return f"{prefix}.{path}"


def causes(faults: Iterable[Fault], prefix: str) -> list[Cause]:
    """Return the causes of ``faults`` in a value that stands at ``prefix``."""
    return [named(path, prefix if is_of_whole else join(prefix, path)) for path, named, is_of_whole in faults]
