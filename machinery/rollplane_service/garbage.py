"""How Python's cyclic collector is kept from stopping the loop, and from walking through what lives on."""

from __future__ import annotations

import gc

_THRESHOLD = 50_000
"""Net new containers before a collection, which then takes some 20 ms."""


def freeze_survivors() -> None:
    """From now on, never walk twice through what survived a collection.

    A cache holds about ten containers for each stored object as long as the object lives, none of them in a cycle.
    Walking through those of 60,000 pods takes 100 ms, in which no call is answered; walking through the young ones
    three times, as generations have it, took a seventh of all CPU under load. Frozen, they are still freed when the
    last reference goes; only a cycle that was alive during a collection and dies later stays behind. No write leaves
    a cycle (docs/decisions/0016), and collections come only while the number of objects grows, so that is little.
    """
    gc.collect()
    gc.freeze()
    gc.set_threshold(_THRESHOLD)
    if _freeze not in gc.callbacks:
        gc.callbacks.append(_freeze)


def _freeze(phase: str, _info: dict[str, int]) -> None:
    if phase == "stop":
        gc.freeze()
