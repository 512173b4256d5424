"""Objects at rest, packed: caches hold hundreds of thousands that nobody has changed, or asked for, in a long time.

Objects of one kind are alike, so each is deflated with another as the dictionary (RFC 1951, RFC 1950 section 2.2 on
preset dictionaries). A pod of 900 bytes takes 180 so, and 3 µs to unpack. Packing it takes 12 µs, so that waits
until the pod is at rest. What does not get smaller is left as it is.
"""

from __future__ import annotations

import zlib
from collections.abc import Hashable
from typing import Generic, TypeVar

from rollplane_machinery.frozen import frozen
from rollplane_machinery.kinds import LEASE, NAMESPACE, NODE, Encoded, Kind

_WINDOW = -15
"""No header, no checksum: what is packed never leaves the process."""
_SMALLEST = 160
_DICTIONARY_BYTES = 8_192
_DICTIONARIES = 4
_GOOD = 3
"""An object so many times smaller is alike its dictionary."""
_MISSES = 16
"""So many objects unlike every dictionary make the next one a dictionary itself; one for each would save nothing."""
_ASKED_ALL_THE_TIME = frozenset({NAMESPACE, NODE, LEASE})
"""Every write asks for its namespace, and pods for their nodes."""
_OWN_BYTES = 100
"""What Python takes for a packed object beside its bytes."""

K = TypeVar("K", bound=Hashable)


@frozen
class Packed:
    """An object, deflated with ``dictionary``, which others share."""

    kind: Kind
    deflated: bytes
    dictionary: bytes

    def unpacked(self) -> Encoded:
        """Return the object as it was."""
        return Encoded(self.kind, zlib.decompressobj(_WINDOW, self.dictionary).decompress(self.deflated))


Held = Encoded | Packed
"""An object as a cache holds it."""


def unpacked(held: Held) -> Encoded:
    """Return the object as it is told."""
    return held.unpacked() if isinstance(held, Packed) else held


def size_of(held: Held) -> int:
    """Return how many bytes of its own it takes."""
    return len(held.deflated) if isinstance(held, Packed) else len(held.value)


class Packer:
    """Packs objects, each with one that came shortly before as its dictionary."""

    def __init__(self) -> None:
        self._dictionaries: dict[Kind, list[bytes]] = {}
        self._misses: dict[Kind, int] = {}

    def pack(self, encoded: Encoded) -> Held:
        """Return the object packed; as it is where that takes no less."""
        value = encoded.value
        if len(value) < _SMALLEST or encoded.kind in _ASKED_ALL_THE_TIME:
            return encoded
        best = self._best(encoded.kind, value)
        if best is None or len(best.deflated) * _GOOD > len(value):
            self._miss(encoded.kind, value)
        return best if best is not None and len(best.deflated) + _OWN_BYTES < len(value) else encoded

    def _best(self, kind: Kind, value: bytes) -> Packed | None:
        """Return the object packed with the first dictionary that is alike, which becomes the first asked."""
        best: Packed | None = None
        dictionaries = self._dictionaries.get(kind, [])
        for place, dictionary in enumerate(dictionaries):
            deflated = _deflated(value, dictionary)
            if best is None or len(deflated) < len(best.deflated):
                best = Packed(kind, deflated, dictionary)
            if len(deflated) * _GOOD <= len(value):
                dictionaries.insert(0, dictionaries.pop(place))
                break
        return best

    def _miss(self, kind: Kind, value: bytes) -> None:
        dictionaries = self._dictionaries.setdefault(kind, [])
        misses = self._misses.get(kind, 0) + 1
        if misses >= _MISSES or not dictionaries:
            dictionaries.insert(0, value[:_DICTIONARY_BYTES])
            del dictionaries[_DICTIONARIES:]
            misses = 0
        self._misses[kind] = misses


class Settling(Generic[K]):
    """Which objects have changed lately, so that those at rest are found without a look at all of them."""

    def __init__(self) -> None:
        self._young: dict[K, None] = {}
        self._older: dict[K, None] = {}

    def note(self, key: K) -> None:
        """An object was added or changed."""
        self._young[key] = None

    def turn(self) -> list[K]:
        """Return what changed before the last turn and not since; a further turn begins."""
        young = self._young
        settled = [key for key in self._older if key not in young]
        self._older, self._young = young, {}
        return settled


def _deflated(value: bytes, dictionary: bytes) -> bytes:
    deflating = zlib.compressobj(6, zlib.DEFLATED, _WINDOW, zlib.DEF_MEM_LEVEL, zlib.Z_DEFAULT_STRATEGY, dictionary)
    return deflating.compress(value) + deflating.flush()
