"""How Python's cyclic collector is kept from stopping the loop."""

from __future__ import annotations

import gc

# Net new containers before a young, a middle and a full collection: about 25,000 and 75,000 objects for the latter two,
# some milliseconds.
_THRESHOLDS = (5_000, 5, 2)


def freeze_survivors() -> None:
    """From now on, never walk twice through what survived a full collection.

    A cache holds about ten containers for each stored object as long as the object lives, none of them in a cycle.
    Walking through those of 60,000 pods takes 100 ms, in which no call is answered. Frozen, they are still freed
    when the last reference goes; only a cycle that was alive during a full collection and dies later stays behind.
    Collections become full only while the number of objects grows, so that is little.
    """
    gc.collect()
    gc.freeze()
    gc.set_threshold(*_THRESHOLDS)
    if _freeze_after_full not in gc.callbacks:
        gc.callbacks.append(_freeze_after_full)


def _freeze_after_full(phase: str, info: dict[str, int]) -> None:
    if phase == "stop" and info["generation"] == 2:
        gc.freeze()
