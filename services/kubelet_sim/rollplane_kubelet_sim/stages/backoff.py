"""The kubelet's two back-offs, recomputed from what is stored (docs/semantics/pod-lifecycle.md section 5)."""

from __future__ import annotations

INITIAL_SECONDS = 10.0
CAP_SECONDS = 300.0
FORGET_AFTER_SECONDS = 2 * CAP_SECONDS
"""A record that nothing was added to for so long starts anew."""


def backoff_seconds(failures: int) -> float:
    """Return the wait after ``failures`` failures: none after 0, then 10 s doubling to 300 s."""
    if failures <= 0:
        return 0.0
    return min(INITIAL_SECONDS * 2.0 ** min(failures - 1, 10), CAP_SECONDS)


def next_streak(streak: int, ran_seconds: float) -> int:
    """Return how many exits in a row there are after one more; a long run before it begins a new row."""
    return 1 if ran_seconds >= FORGET_AFTER_SECONDS else streak + 1
