"""Is there an order of all calls in which each happened between its start and its end, and every answer was right?

The algorithm is Wing and Gong's search as improved by Lowe ("Testing for linearizability", 2017): calls are taken in
any order that their times allow, a call that does not fit is put back, and what has been tried (the set of calls taken
and the object they left) is not tried again.
"""

from __future__ import annotations

from collections.abc import Sequence

from tests.histories.calls import Answer, Call, effect


def is_linearizable(calls: Sequence[Call], stored: str = "") -> bool:
    """Return whether the history of one object, which was ``stored`` at first, could have happened one by one.

    Calls of unknown outcome may have been carried out at any time after their start, or never. The time it takes is
    exponential in how many calls overlap at a time, linear in how many there are.
    """
    ordered = sorted(calls, key=lambda call: (call.start, call.until))
    answered = sum(call.answer is not Answer.UNKNOWN for call in ordered)
    tried: set[tuple[int, str]] = set()
    # Each entry: the calls taken so far (a bit each), the object they leave, how many of them were answered, and the
    # first call that is not taken.
    paths: list[tuple[int, str, int, int]] = [(0, stored, 0, 0)]
    while paths:
        taken, mark, done, first = paths.pop()
        if done == answered:
            return True
        for position in _next(ordered, taken, first):
            call = ordered[position]
            after = effect(call, mark)
            path = taken | 1 << position
            if after is None or (path, after) in tried:
                continue
            tried.add((path, after))
            paths.append((path, after, done + (call.answer is not Answer.UNKNOWN), _first_left(path, first)))
    return False


def _next(ordered: Sequence[Call], taken: int, first: int) -> list[int]:
    """Return the calls that may come next: those that began before any that is not taken had ended."""
    found: list[int] = []
    deadline = float("inf")
    for position in range(first, len(ordered)):
        call = ordered[position]
        if call.start > deadline:
            break
        if not taken >> position & 1:
            found.append(position)
            deadline = min(deadline, call.until)
    return found[::-1]


def _first_left(taken: int, first: int) -> int:
    while taken >> first & 1:
        first += 1
    return first
