"""Making something that breaks smaller for as long as it still breaks. Pure: what is small and what breaks is told.

Greedy, as in delta debugging (Zeller and Hildebrandt, "Simplifying and Isolating Failure-Inducing Input", 2002): of all
candidates one step simpler the first that breaks is gone on with, until none of them does.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from typing import Generic, TypeVar

from rollplane_rehearsal.series import LateError

T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class Shrunk(Generic[T]):
    """``smallest`` still breaks; ``tries`` candidates were looked at. ``is_minimal``: nothing simpler breaks."""

    smallest: T
    tries: int
    is_minimal: bool


def shrink(
    broken: T,
    simpler: Callable[[T], Iterable[T]],
    first_broken: Callable[[Sequence[T]], int | None],
    most: int,
) -> Shrunk[T]:
    """Return the smallest that ``broken``, which breaks, leads to, after ``most`` tries at most.

    ``simpler`` yields candidates one step simpler, the most promising first; to end, it must lead nowhere for ever.
    ``first_broken`` returns the place of the first of several candidates that breaks, None for none; it raises
    LateError to end with the smallest so far. The answer depends on nothing but these.
    """
    smallest, tries = broken, 0
    while tries < most:
        candidates = [*simpler(smallest)]
        allowed = candidates[: most - tries]
        try:
            found = first_broken(allowed) if allowed else None
        except LateError:
            break
        tries += len(allowed) if found is None else found + 1
        if found is None:
            return Shrunk(smallest, tries, len(allowed) == len(candidates))
        smallest = allowed[found]
    return Shrunk(smallest, tries, is_minimal=False)
