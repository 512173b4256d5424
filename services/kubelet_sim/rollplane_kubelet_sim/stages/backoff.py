"""The kubelet's two back-offs, recomputed from what is stored (semantics/pod-lifecycle.md section 5)."""

from __future__ import annotations

INITIAL_SECONDS = 10.0
CAP_SECONDS = 300.0
FORGET_AFTER_SECONDS = 2 * CAP_SECONDS


def backoff_seconds(failures: int) -> float:
    """Return the wait after ``failures`` failures: none after 0, then 10 s doubling to 300 s."""
    if failures <= 0:
        return 0.0
    return min(INITIAL_SECONDS * 2.0 ** min(failures - 1, 10), CAP_SECONDS)
