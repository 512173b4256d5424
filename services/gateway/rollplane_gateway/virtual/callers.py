"""Who is asking. Everybody who reaches the gateway is its administrator, who may act in others' names."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field
from urllib.parse import unquote

from rollplane.authentication.v1 import UserInfo
from rollplane_gateway.requests import IMPERSONATE
from rollplane_machinery.errors import BadRequestError

AUTHENTICATED = "system:authenticated"
ACCOUNT_PREFIX = "system:serviceaccount:"
_USER, _GROUP, _UID, _EXTRA = "impersonate-user", "impersonate-group", "impersonate-uid", "impersonate-extra-"


@dataclass(slots=True)
class Caller:
    """A user as authentication established it; ``extra`` is what else it knows."""

    name: str
    groups: tuple[str, ...] = ()
    uid: str = ""
    extra: dict[str, list[str]] = field(default_factory=dict)

    def info(self) -> UserInfo:
        """Return the caller as answers tell of it."""
        info = UserInfo(username=self.name, groups=self.groups)
        if self.uid:
            info.uid = self.uid
        for key, values in self.extra.items():
            info.extra[key].items.extend(values)
        return info


ADMINISTRATOR = Caller("rollplane-admin", ("system:masters", AUTHENTICATED))


def account_caller(namespace: str, name: str, uid: str) -> Caller:
    """Return whom a ServiceAccount is when it asks."""
    return Caller(f"{ACCOUNT_PREFIX}{namespace}:{name}", _account_groups(namespace), uid)


def caller_of(headers: Iterable[tuple[str, str]]) -> Caller:
    """Return in whose name a request with ``headers`` is made (``kubectl --as``); raises BadRequestError.

    Source: the impersonation headers of the Kubernetes API reference.
    """
    asked = [(name.lower(), value) for name, value in headers if name.lower().startswith(IMPERSONATE)]
    if not asked:
        return ADMINISTRATOR
    user = next((value for name, value in asked if name == _USER and value), "")
    if not user:
        raise BadRequestError(
            "the request impersonates groups, a uid or extra values, but no user: add Impersonate-User"
        )
    groups = [value for name, value in asked if name == _GROUP]
    caller = Caller(user, _complete(user, groups), next((value for name, value in asked if name == _UID), ""))
    for name, value in asked:
        if name.startswith(_EXTRA):
            caller.extra.setdefault(unquote(name.removeprefix(_EXTRA)), []).append(value)
    return caller


def _complete(user: str, groups: list[str]) -> tuple[str, ...]:
    """Whoever is somebody is authenticated; a ServiceAccount named without groups has those of its namespace."""
    namespace, is_account, _ = user.removeprefix(ACCOUNT_PREFIX).partition(":")
    if not groups and is_account and user.startswith(ACCOUNT_PREFIX):
        return _account_groups(namespace)
    if user == "system:anonymous" or AUTHENTICATED in groups:
        return tuple(groups)
    return (*groups, AUTHENTICATED)


def _account_groups(namespace: str) -> tuple[str, ...]:
    return "system:serviceaccounts", f"system:serviceaccounts:{namespace}", AUTHENTICATED
