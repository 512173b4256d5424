"""Tokens of ServiceAccounts as they are asked for: TokenRequest gives one, TokenReview says whose one is."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from uuid import UUID

from rollplane.authentication import v1 as authentication
from rollplane.core.v1 import Pod, ServiceAccount
from rollplane_gateway.refusals import invalid
from rollplane_gateway.virtual.callers import account_caller
from rollplane_gateway.virtual.signing_key import signing_key
from rollplane_gateway.virtual.tokens import DEFAULT_SECONDS, ISSUER, Bound, Claims, read, sign
from rollplane_machinery.api import ObjectApi
from rollplane_machinery.clock import Clock
from rollplane_machinery.errors import (
    BadRequestError,
    ConflictError,
    InvalidError,
    NotFoundError,
    UnauthenticatedError,
)
from rollplane_machinery.kinds import NODE, POD, SECRET, SERVICE_ACCOUNT, Encoded, Key, Kind, metadata_of
from rollplane_machinery.times import time_of

_MIN_SECONDS, _MAX_SECONDS = 600, 1 << 32
_BINDABLE = {kind.name: kind for kind in (POD, SECRET, NODE)}
_KINDS = {"serviceaccount": SERVICE_ACCOUNT, "pod": POD, "secret": SECRET, "node": NODE}


@dataclass(frozen=True, slots=True)
class Accounts:
    """Gives and reads tokens; ``random_bytes`` is the source of keys and of tokens' ids."""

    clock: Clock
    random_bytes: Callable[[int], bytes]

    async def give(self, api: ObjectApi, key: Key, request: authentication.TokenRequest) -> authentication.TokenRequest:
        """Return ``request`` with a token of the ServiceAccount ``key``.

        Raises NotFoundError without the account or the object to bind to, InvalidError, BadRequestError, ConflictError.
        """
        _check_seconds(request)
        account = (await api.get(key)).read_as(ServiceAccount)
        _check_account(request, account)
        mine = Bound("serviceaccount", key.name, account.metadata.uid)
        bound = [mine, *await _bound(api, key, request.spec)]
        answer = authentication.TokenRequest()
        answer.CopyFrom(request)
        spec, metadata = answer.spec, answer.metadata
        if not spec.audiences:
            spec.audiences.append(ISSUER)
        if not spec.HasField("expiration_seconds"):
            spec.expiration_seconds = DEFAULT_SECONDS
        now = int(self.clock.now())
        token_id = str(UUID(bytes=self.random_bytes(16), version=4))
        claims = Claims(
            key.namespace, tuple(bound), tuple(spec.audiences), now, now + spec.expiration_seconds, token_id
        )
        answer.status.token = sign(await signing_key(api, self.random_bytes), claims)
        answer.status.expiration_timestamp.CopyFrom(time_of(claims.expires))
        metadata.name, metadata.namespace = key.name, key.namespace
        metadata.creation_timestamp.CopyFrom(time_of(now))
        return answer

    async def review(self, api: ObjectApi, review: authentication.TokenReview) -> authentication.TokenReviewStatus:
        """Return whose the token is; raises BadRequestError without one."""
        spec = review.spec
        if not spec.token:
            raise BadRequestError("token is required for TokenReview in authentication")
        asked = list(spec.audiences) or [ISSUER]
        try:
            claims = read(await signing_key(api, self.random_bytes), spec.token, asked, self.clock.now())
            await _check_alive(api, claims)
        except UnauthenticatedError as exc:
            return authentication.TokenReviewStatus(error=exc.message)
        status = authentication.TokenReviewStatus(authenticated=True)
        account = claims.account
        status.user.CopyFrom(account_caller(claims.namespace, account.name, account.uid).info())
        status.audiences.extend(each for each in asked if each in claims.audiences)
        return status


def _check_seconds(request: authentication.TokenRequest) -> None:
    spec = request.spec
    seconds = spec.expiration_seconds if spec.HasField("expiration_seconds") else DEFAULT_SECONDS
    if _MIN_SECONDS <= seconds <= _MAX_SECONDS:
        return
    limit = "less than 10 minutes" if seconds < _MIN_SECONDS else "larger than 2^32 seconds"
    cause = invalid("spec.expirationSeconds", seconds, f"may not specify a duration {limit}")
    raise InvalidError(f'TokenRequest.authentication.k8s.io "" is invalid: {cause}', causes=[cause])


def _check_account(request: authentication.TokenRequest, account: ServiceAccount) -> None:
    asked, own = request.metadata, account.metadata
    for field, wanted, found in (("name", asked.name, own.name), ("namespace", asked.namespace, own.namespace)):
        if wanted and wanted != found:
            raise BadRequestError(
                f"the {field} of the object ({wanted}) does not match the {field} on the URL ({found})"
            )
    if asked.uid and asked.uid != own.uid:
        raise ConflictError(
            f"the UID in the token request ({asked.uid}) does not match the UID of the service account ({own.uid})",
            resource=SERVICE_ACCOUNT.resource,
            name=own.name,
        )


async def _bound(api: ObjectApi, account: Key, spec: authentication.TokenRequestSpec) -> list[Bound]:
    """Return what the token is to end with; a pod must be one of the account's own."""
    if not spec.HasField("bound_object_ref"):
        return []
    wanted = spec.bound_object_ref
    kind = _BINDABLE.get(wanted.kind)
    if kind is None or wanted.api_version not in ("", kind.api_version):
        raise BadRequestError(
            f"cannot bind token for serviceaccount {account.name!r} to object of type {wanted.kind!r}"
        )
    found = await api.get(_key(kind, account.namespace, wanted.name))
    uid = _uid(found)
    if wanted.uid and wanted.uid != uid:
        why = f"the UID in the bound object reference ({wanted.uid}) does not match the UID in record ({uid})"
        raise ConflictError(why, resource=kind.resource, name=wanted.name)
    if kind is POD and found.read_as(Pod).spec.service_account_name != account.name:
        raise BadRequestError(
            f"cannot bind token for serviceaccount {account.name!r} to pod running with different serviceaccount name."
        )
    return [Bound(kind.singular, wanted.name, uid)]


async def _check_alive(api: ObjectApi, claims: Claims) -> None:
    """Raise UnauthenticatedError when something that the token mentions is gone, or is another one by now."""
    for each in claims.bound:
        try:
            found = await api.get(_key(_KINDS[each.field], claims.namespace, each.name))
        except NotFoundError as exc:
            raise UnauthenticatedError(f"{each.field} {each.name} has been deleted") from exc
        if _uid(found) != each.uid:
            raise UnauthenticatedError(f"{each.field} {each.name} has been deleted and made anew")


def _key(kind: Kind, namespace: str, name: str) -> Key:
    return Key(kind, namespace if kind.namespaced else "", name)


def _uid(found: Encoded) -> str:
    return metadata_of(found.value).uid
