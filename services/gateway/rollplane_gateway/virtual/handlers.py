"""The routes of what is asked and not stored, and what is told of what no simulated pod can do."""

from __future__ import annotations

import secrets
from collections.abc import Iterator, Mapping
from http import HTTPStatus

from rollplane_gateway.bodies import read_body
from rollplane_gateway.calls import Call, Handler
from rollplane_gateway.replies import Answer
from rollplane_gateway.statuses import RefusedError
from rollplane_gateway.targets import Place
from rollplane_gateway.verbs.answers import message_reply
from rollplane_gateway.virtual.accounts import Accounts
from rollplane_gateway.virtual.answers import Answers, Asked
from rollplane_gateway.virtual.callers import caller_of
from rollplane_gateway.virtual.logs import read_log
from rollplane_machinery.errors import Reason
from rollplane_machinery.served import Served, ServedType

Verbs = Mapping[str, Handler]

_LOG = ("v1", "pods/log")
_VERBS: Mapping[str, str] = {
    "exec": "run a command in",
    "attach": "attach to",
    "portforward": "forward ports to",
    "proxy": "reach",
}
_TO_PROCESSES = {"pods": frozenset(_VERBS), "services": frozenset({"proxy"}), "nodes": frozenset({"proxy"})}
_SIMULATED = {
    "pods": ("pod", "its containers are simulated, no process runs in them"),
    "services": ("service", "the containers behind it are simulated, no process runs in them"),
    "nodes": ("node", "it is simulated, no kubelet listens on it"),
}


def virtual_routes(served: Served) -> Mapping[tuple[str, str], Verbs]:
    """Return the handlers by API version and resource."""
    return {**{path: {"POST": _asking(type_)} for path, type_ in _questions(served)}, _LOG: {"GET": read_log}}


def _questions(served: Served) -> Iterator[tuple[tuple[str, str], ServedType]]:
    for resource in served.resources:
        version = str(resource.group_version)
        if resource.stored is None:
            yield (version, resource.plural), resource.type
        if "token" in resource.by_subresource:
            yield (version, f"{resource.plural}/token"), resource.by_subresource["token"].type


def _asking(type_: ServedType) -> Handler:
    async def ask(call: Call) -> Answer:
        body = read_body(call.request, type_)
        caller = caller_of(call.request.impersonation)
        asked = Asked(call.backend.api, caller, call.target.namespace, call.target.name)
        answers = Answers(call.backend.served, Accounts(call.backend.clock, secrets.token_bytes))
        answer = await answers.answer(body.message, asked)
        return message_reply(call, answer, type_, HTTPStatus.CREATED, body.warnings)

    return ask


def without_processes(place: Place) -> RefusedError | None:
    """Return what is told of a path that wants the processes of something simulated; None for any other."""
    if not place.rest or place.rest[0] not in _TO_PROCESSES.get(place.plural, ()):
        return None
    kind, why = _SIMULATED[place.plural]
    message = f'cannot {_VERBS[place.rest[0]]} {kind} "{place.name}": {why}'
    return RefusedError(HTTPStatus.METHOD_NOT_ALLOWED, Reason.UNSUPPORTED, message)
