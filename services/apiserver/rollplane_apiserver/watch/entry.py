"""One object as the apiserver holds it: its bytes, and what selectors see of them once somebody asks."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from rollplane_machinery.kinds import Encoded, Kind
from rollplane_machinery.packing import Held, unpacked
from rollplane_machinery.selectors import selectable_fields

_METADATA = b"\x0a"  # field 1, length-delimited, of every kind
_RESOURCE_VERSION = b"\x32"  # field 6, length-delimited, of ObjectMeta


def with_revision(value: bytes, revision: int) -> bytes:
    """Return stored bytes with ``metadata.resource_version`` put in, as the last field of their metadata.

    It goes into the metadata that is there, not behind it as a second one: parsers should merge the two, but protobufjs
    (Node's) keeps the last and would lose the name. Worked example: revision 42 turns 0a 03 0a 01 'x' into
    0a 07 0a 01 'x' 32 02 '42'.
    """
    start, end = _metadata_span(value)
    version = _version_field(revision)
    return b"".join((_METADATA, _varint(end - start + len(version)), value[start:end], version, value[end:]))


def _metadata_span(value: bytes) -> tuple[int, int]:
    """Return where the content of the metadata begins and ends; serialized objects begin with that field."""
    if not value.startswith(_METADATA):
        return 0, 0
    size, shift, position = 0, 0, 1
    while (byte := value[position]) >= 0x80:
        size |= (byte & 0x7F) << shift
        shift += 7
        position += 1
    start = position + 1
    return start, start + (size | byte << shift)


def _version_field(revision: int) -> bytes:
    digits = b"%d" % revision  # at most 19 of them, so that the length fits one byte
    return b"%b%c%b" % (_RESOURCE_VERSION, len(digits), digits)


def _varint(number: int) -> bytes:
    parts = bytearray()
    while number >= 0x80:
        parts.append(number & 0x7F | 0x80)
        number >>= 7
    parts.append(number)
    return bytes(parts)


@dataclass(slots=True)
class Entry:
    """One stored object, under ``namespace/name``, of which the namespace may be empty.

    What it holds has its resource_version, so it is handed out as it is, unparsed.
    """

    key: str
    held: Held
    revision: int

    @property
    def encoded(self) -> Encoded:
        """The object, unpacked each time it is asked for."""
        return unpacked(self.held)


def entry_of(kind: Kind, key: str, value: bytes, revision: int) -> Entry:
    """Return the entry of stored bytes."""
    return Entry(key, Encoded(kind, with_revision(value, revision)), revision)


class View:
    """What filters ask of the object under ``key``, which is parsed once they must; then only the answers are kept."""

    __slots__ = ("_fields", "_held", "_labels", "name", "namespace")

    def __init__(self, key: str, held: Held) -> None:
        self.namespace, _, self.name = key.partition("/")
        self._held = held
        self._labels: Mapping[str, str] | None = None
        self._fields: Mapping[str, str] | None = None

    @property
    def labels(self) -> Mapping[str, str]:
        if self._labels is None:
            self._labels = dict(unpacked(self._held).parse().metadata.labels)
        return self._labels

    @property
    def fields(self) -> Mapping[str, str]:
        if self._fields is None:
            self._fields = selectable_fields(self._held.kind, unpacked(self._held).parse())
        return self._fields


def view_of(entry: Entry) -> View:
    """Return a fresh view of ``entry``."""
    return View(entry.key, entry.held)
