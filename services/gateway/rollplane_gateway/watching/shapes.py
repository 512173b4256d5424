"""How the events of a watch become bytes: one shape for all watches that want the same."""

from __future__ import annotations

from collections.abc import Callable
from typing import Protocol

from rollplane.meta.v1 import Status
from rollplane_gateway.rendering import Form, Renderer, render_message, watch_frame
from rollplane_gateway.tables import TableForm, object_table
from rollplane_machinery.clock import Clock
from rollplane_machinery.kinds import Encoded

BOOKMARK, ERROR = "BOOKMARK", "ERROR"


class Shape(Protocol):
    """Makes the bytes of events; the same shape makes the same bytes of the same event.

    ``rest`` is the shape of all events but the first.
    """

    @property
    def content_type(self) -> str: ...

    @property
    def rest(self) -> Shape: ...

    def event(self, type_: str, encoded: Encoded) -> bytes:
        """Return one event of an object; raises what the renderer raises."""
        ...

    def error(self, status: Status) -> bytes:
        """Return the event that ends a watch."""
        ...


class JsonShape:
    """One JSON object a line."""

    content_type = Form.JSON.watch_media_type

    def __init__(self, embed: Callable[[Encoded], bytes]) -> None:
        self._embed = embed

    @property
    def rest(self) -> Shape:
        return self

    def event(self, type_: str, encoded: Encoded) -> bytes:
        return _line(type_, self._embed(encoded))

    def error(self, status: Status) -> bytes:
        return _line(ERROR, render_message(status, Form.JSON, "v1", "Status"))


class TableShape(JsonShape):
    """Tables of one row; only the first event tells the columns."""

    def __init__(self, form: TableForm, clock: Clock, *, with_columns: bool = True) -> None:
        super().__init__(lambda encoded: object_table(encoded, form, clock.now(), with_columns=with_columns))
        self._rest = TableShape(form, clock, with_columns=False) if with_columns else self

    @property
    def rest(self) -> Shape:
        return self._rest


class ProtobufShape:
    """Frames of a length and a WatchEvent, whose object is an envelope around the stored bytes."""

    content_type = Form.PROTOBUF.watch_media_type

    def __init__(self, embed: Callable[[Encoded], bytes]) -> None:
        self._embed = embed

    @property
    def rest(self) -> Shape:
        return self

    def event(self, type_: str, encoded: Encoded) -> bytes:
        return watch_frame(type_, self._embed(encoded))

    def error(self, status: Status) -> bytes:
        return watch_frame(ERROR, render_message(status, Form.PROTOBUF, "v1", "Status"))


class Shapes:
    """The shapes in use, each made once: by its identity renderings are shared."""

    def __init__(self, renderer: Renderer, clock: Clock) -> None:
        self._renderer = renderer
        self._clock = clock
        self._shapes: dict[tuple[object, ...], Shape] = {}

    def of_objects(self, form: Form, api_version: str) -> Shape:
        """Return the shape of objects in ``form``, JSON for YAML, which has no watches."""
        return self._kept((form, api_version), lambda: self._objects(form, api_version))

    def of_tables(self, which: tuple[object, ...], form: Callable[[], TableForm]) -> Shape:
        """Return the shape of Tables; ``which`` says all that ``form`` depends on."""
        return self._kept((Form.TABLE, *which), lambda: TableShape(form(), self._clock))

    def _objects(self, form: Form, api_version: str) -> Shape:
        def embed(encoded: Encoded) -> bytes:
            return self._renderer.embedded(encoded, form, api_version)

        return ProtobufShape(embed) if form.is_protobuf else JsonShape(embed)

    def _kept(self, which: tuple[object, ...], make: Callable[[], Shape]) -> Shape:
        shape = self._shapes.get(which)
        if shape is None:
            shape = self._shapes[which] = make()
        return shape


def _line(type_: str, text: bytes) -> bytes:
    return b'{"type":"%b","object":%b}\n' % (type_.encode(), text.rstrip(b"\n"))
