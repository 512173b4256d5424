"""The key that a plane's tokens are signed with: made when the first is asked for, the same for all gateways."""

from __future__ import annotations

from collections.abc import Callable

from rollplane.core.v1 import Secret
from rollplane_machinery.api import Create, Key, ObjectApi
from rollplane_machinery.errors import AlreadyExistsError, InternalError, NotFoundError
from rollplane_machinery.kinds import SECRET, Encoded

KEY = Key(SECRET, "kube-system", "rollplane-token-key")
_FIELD = "key"
KEY_BYTES = 32


async def signing_key(api: ObjectApi, random_bytes: Callable[[int], bytes]) -> bytes:
    """Return the plane's key, made of ``random_bytes`` where there is none; raises what ``api`` raises."""
    try:
        return _key_in(await api.get(KEY))
    except NotFoundError:
        return await _made(api, random_bytes)


async def _made(api: ObjectApi, random_bytes: Callable[[int], bytes]) -> bytes:
    secret = Secret(type="Opaque", data={_FIELD: random_bytes(KEY_BYTES)})
    secret.metadata.namespace, secret.metadata.name = KEY.namespace, KEY.name
    try:
        await api.write(Create(Encoded.of(secret)))
    except AlreadyExistsError:
        return _key_in(await api.get(KEY))  # another gateway was faster
    return secret.data[_FIELD]


def _key_in(encoded: Encoded) -> bytes:
    key = encoded.read_as(Secret).data[_FIELD]
    if not key:
        raise InternalError(f"Secret {KEY.namespace}/{KEY.name} holds no {_FIELD}: delete it, and a new one is made")
    return key
