"""Tokens of ServiceAccounts: JSON Web Tokens as a cluster gives them out, signed with the plane's own key.

They say who somebody is to whoever asks by a TokenReview; the gateway itself asks nobody for one yet.
"""

from __future__ import annotations

import base64
import binascii
import hashlib
import hmac
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from rollplane_machinery.errors import UnauthenticatedError

ISSUER = "https://kubernetes.default.svc.cluster.local"
"""Who signs, and for whom where nobody else is named."""
DEFAULT_SECONDS = 3600
_HEADER = {"alg": "HS256", "typ": "JWT"}


@dataclass(frozen=True, slots=True)
class Bound:
    """An object that a token mentions in ``field``: the ServiceAccount, or what the token ends with."""

    field: str
    name: str
    uid: str


@dataclass(frozen=True, slots=True)
class Claims:
    """What a token says; times are seconds since the epoch. ``bound`` begins with the ServiceAccount."""

    namespace: str
    bound: tuple[Bound, ...]
    audiences: tuple[str, ...]
    issued: int
    expires: int
    id: str

    @property
    def account(self) -> Bound:
        return self.bound[0]


def sign(key: bytes, claims: Claims) -> str:
    """Return the token that says ``claims``. Source: RFC 7519, RFC 7515, HMAC with SHA-256."""
    payload = {
        "aud": list(claims.audiences),
        "exp": claims.expires,
        "iat": claims.issued,
        "iss": ISSUER,
        "jti": claims.id,
        "kubernetes.io": {
            "namespace": claims.namespace,
            **{each.field: {"name": each.name, "uid": each.uid} for each in claims.bound},
        },
        "nbf": claims.issued,
        "sub": f"system:serviceaccount:{claims.namespace}:{claims.account.name}",
    }
    signed = f"{_segment(_HEADER)}.{_segment(payload)}"
    return f"{signed}.{_encode(_signature(key, signed))}"


def read(key: bytes, token: str, audiences: Sequence[str], now: float) -> Claims:
    """Return what ``token`` says; raises UnauthenticatedError unless it is ours, valid now, and for an audience."""
    signed, _, signature = token.rpartition(".")
    header, _, payload = signed.partition(".")
    try:
        is_ours = hmac.compare_digest(_decode(signature), _signature(key, signed))
        said = json.loads(_decode(payload)) if is_ours and json.loads(_decode(header)) == _HEADER else None
    except (ValueError, binascii.Error) as exc:
        raise UnauthenticatedError("invalid bearer token") from exc
    if said is None:
        raise UnauthenticatedError("invalid bearer token")
    claims = _claims(said)
    if not claims.issued <= now < claims.expires:
        raise UnauthenticatedError("invalid bearer token: token has expired")
    if not set(audiences) & set(claims.audiences):
        raise UnauthenticatedError(f"invalid bearer token: it is for {', '.join(claims.audiences)}")
    return claims


def _claims(said: Mapping[str, Any]) -> Claims:
    about = dict(said["kubernetes.io"])
    namespace, account = about.pop("namespace"), about.pop("serviceaccount")
    bound = [("serviceaccount", account), *about.items()]
    return Claims(
        namespace,
        tuple(Bound(field, each["name"], each["uid"]) for field, each in bound),
        tuple(said["aud"]),
        said["iat"],
        said["exp"],
        said["jti"],
    )


def _segment(value: Mapping[str, Any]) -> str:
    return _encode(json.dumps(value, separators=(",", ":")).encode())


def _encode(value: bytes) -> str:
    return base64.urlsafe_b64encode(value).rstrip(b"=").decode()


def _decode(text: str) -> bytes:
    return base64.urlsafe_b64decode(text + "=" * (-len(text) % 4))


def _signature(key: bytes, signed: str) -> bytes:
    return hmac.digest(key, signed.encode(), hashlib.sha256)
