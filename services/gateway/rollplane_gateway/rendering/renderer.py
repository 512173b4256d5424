"""Objects and lists in every form but Tables, from their bytes as stored."""

from __future__ import annotations

import json
from collections.abc import Callable, Sequence
from functools import partial

from google.protobuf.message import DecodeError

from rollplane.meta.v1 import PartialObjectMetadata
from rollplane_gateway.rendering.byte_cache import Budget, ByteCache
from rollplane_gateway.rendering.envelope import wrapped, wrapped_list
from rollplane_gateway.rendering.forms import Form
from rollplane_gateway.rendering.json_text import json_bytes
from rollplane_gateway.rendering.members import Members
from rollplane_gateway.rendering.messages import ListHead
from rollplane_gateway.rendering.metadata import bare_message
from rollplane_gateway.rendering.types import dressed_message, dressed_text, kind_in, shaped_message, type_members
from rollplane_gateway.slices import in_slices
from rollplane_machinery import codec
from rollplane_machinery.dresses import Dress, dress_of
from rollplane_machinery.kinds import Encoded, Kind, metadata_of

DEFAULT_CACHE_BYTES = 64 * 1024 * 1024
_FRAGMENTS = 4  # one part in so many of the cache is for parts of objects, which most objects share
_UNREAD = (UnicodeDecodeError, DecodeError, RuntimeError)
"""What says that the bytes are no object, which their own parser tells better; it raises RuntimeError on some."""


class Renderer:
    """One process's renderings; each version of an object is rendered once for all who ask for it in that form.

    An API version is the one that answers bear, and says how objects are dressed; of metadata alone it is that of
    ``meta.k8s.io``. Every method raises BadRequestError when the bytes are no object of
    their kind, InternalError when raw JSON inside is none. Forms are never TABLE, which ``tables`` makes.
    """

    def __init__(self, cache_bytes: int = DEFAULT_CACHE_BYTES) -> None:
        self._fragments = Budget(cache_bytes // _FRAGMENTS)
        self._objects = Budget(cache_bytes - cache_bytes // _FRAGMENTS)
        self._members: dict[Kind, Members] = {}
        self._metadata = Members(PartialObjectMetadata.DESCRIPTOR, self._fragments)
        self._caches: dict[tuple[Kind, str, bool], ByteCache] = {}

    def object(self, encoded: Encoded, form: Form, api_version: str) -> bytes:
        """Return one object as the body of an answer."""
        if form is Form.YAML:
            return _yaml(self.embedded(encoded, form, api_version))
        shown = self.embedded(encoded, form, api_version)
        return shown if form.is_protobuf else shown + b"\n"

    def embedded(self, encoded: Encoded, form: Form, api_version: str) -> bytes:
        """Return one object as it stands inside of an event or of a Table's row; in JSON where YAML is asked for."""
        kind = encoded.kind
        if form.is_protobuf:
            message = _message(dress_of(kind, api_version), form, encoded)
            return wrapped(api_version, kind_in(form, kind.name), message)
        text = self._texts(kind, form, api_version)
        return b"{%b,%b}" % (type_members(form, api_version, kind.name), text(encoded))

    async def list(self, kind: Kind, head: ListHead, objects: Sequence[Encoded], form: Form) -> bytes:
        """Return a list of objects of ``kind`` as the body of an answer; gives way to others as it goes."""
        if form.is_protobuf:
            dress = dress_of(kind, head.api_version)
            messages = await in_slices(partial(_message, dress, form), objects)
            return wrapped_list(head.api_version, f"{kind_in(form, head.kind)}List", head.meta, messages)
        shown = await self._json_list(kind, head, objects, form)
        return _yaml(shown) if form is Form.YAML else shown

    async def _json_list(self, kind: Kind, head: ListHead, objects: Sequence[Encoded], form: Form) -> bytes:
        type_ = type_members(form, head.api_version, head.kind, "List")
        begin = b'{%b,"metadata":%b,"items":[' % (type_, json_bytes(codec.message_to_json(head.meta)))
        if not objects:
            return begin + b"]}\n"
        # The items of a typed list share the list's type; metadata alone could be of anything, so they tell theirs.
        opening = b"{%b," % type_members(form, head.api_version, head.kind) if form.is_partial else b"{"
        items = await in_slices(self._texts(kind, form, head.api_version), objects)
        return b"".join((begin, opening, (b"}," + opening).join(items), b"}]}\n"))

    def _texts(self, kind: Kind, form: Form, api_version: str) -> Callable[[Encoded], bytes]:
        """Return what gives the members of an object's JSON that follow apiVersion and kind."""
        dress = None if form.is_partial else dress_of(kind, api_version)
        cache = self._cache(kind, "" if dress is None else api_version, form)
        make = self._partial if form.is_partial else self._stored if dress is None else dressed_text(dress)

        def text(encoded: Encoded) -> bytes:
            kept = cache.get(encoded.value)
            return cache.put(encoded.value, make(encoded)) if kept is None else kept

        return text

    def _cache(self, kind: Kind, dressed_as: str, form: Form) -> ByteCache:
        which = (kind, dressed_as, form.is_partial)
        cache = self._caches.get(which)
        if cache is None:
            cache = self._caches[which] = self._objects.cache()
        return cache

    def _stored(self, encoded: Encoded) -> bytes:
        members = self._members.get(encoded.kind)
        if members is None:
            members = self._members[encoded.kind] = Members(encoded.kind.message.DESCRIPTOR, self._fragments)
        try:
            return members.text(encoded.value)
        except _UNREAD:
            return json_bytes(codec.message_to_json(encoded.parse()))[1:-1]

    def _partial(self, encoded: Encoded) -> bytes:
        try:
            return self._metadata.text(bare_message(encoded.value))
        except _UNREAD:
            bare = PartialObjectMetadata(metadata=metadata_of(encoded.value))
            return json_bytes(codec.message_to_json(bare))[1:-1]


def _message(dress: Dress | None, form: Form, encoded: Encoded) -> bytes:
    """Return the message that goes into an envelope or a list: of the stored version nothing is parsed.

    What is kept as JSON is written anew.
    """
    if form.is_partial:
        return bare_message(encoded.value)
    if encoded.kind.is_stored_only:
        return shaped_message(dress, encoded)
    return encoded.value if dress is None else dressed_message(dress, encoded)


def _yaml(text: bytes) -> bytes:
    return codec.dump_yaml(json.loads(text)).encode()
