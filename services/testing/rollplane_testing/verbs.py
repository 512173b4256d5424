"""What a test may ask of its server: time, faults, troubles, manifests, and a namespace of its own."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from contextlib import nullcontext, suppress
from inspect import isawaitable
from typing import Any

from rollplane.core.v1 import Namespace, ServiceAccount
from rollplane_machinery.errors import NotFoundError
from rollplane_machinery.kinds import kind_of
from rollplane_rehearsal.plane import Plane
from rollplane_testing.control import error_of
from rollplane_testing.paced_loop import PacedLoop
from rollplane_testing.telling import told

GONE_SECONDS = 120.0
"""How long, in the plane's time, a namespace has to go; one whose objects wait for somebody who has ended stays."""
_PARTS = ("faults", "troubles")

Verb = Callable[..., Any]


class Verbs:
    """Carries out what is asked of ``plane``, in ``loop``, which goes back to ``speed`` after each test."""

    def __init__(self, plane: Plane, loop: PacedLoop, speed: float) -> None:
        self._plane = plane
        self._loop = loop
        self._speed = speed
        self._verbs: Mapping[str, Verb] = {
            "advance": loop.advance,
            "apply": self._apply,
            "at_rest": plane.at_rest,
            "begin": self._begin,
            "end": self._end,
            "now": plane.clock.now,
            "set_speed": self._set_speed,
            "told": self._told,
            "troubles_left": lambda: plane.troubles.left,
            "until_rolled_out": plane.until_rolled_out,
        }

    async def answer(self, request: Mapping[str, Any]) -> Mapping[str, Any]:
        """Return ``{"result": …}``, or ``error_of`` whatever is raised, and the request's number."""
        try:
            answer = {"result": await self._carry_out(request["verb"], request["args"], request["named"])}
        except Exception as exc:
            answer = error_of(exc)
        return {"number": request["number"], **answer}

    async def _carry_out(self, verb: str, args: Sequence[Any], named: Mapping[str, Any]) -> Any:
        """What takes time takes it at once."""
        with self._loop.leaping() if verb != "set_speed" else nullcontext():
            result = self._verb(verb)(*args, **named)
            return await result if isawaitable(result) else result

    def _verb(self, name: str) -> Verb:
        part, _, of_part = name.rpartition(".")
        if part in _PARTS and not of_part.startswith("_"):
            verb: Verb = getattr(getattr(self._plane, part), of_part)
            return verb
        return self._verbs[name]

    def _set_speed(self, speed: float) -> float:
        """Return what it was."""
        before, self._loop.speed = self._loop.speed, speed
        return before

    async def _apply(self, text: str, namespace: str) -> list[str]:
        objects = await self._plane.apply(text, namespace=namespace)
        return [f"{kind_of(each).singular}/{each.metadata.name}" for each in objects]

    def _told(self) -> list[str]:
        return told(self._plane)

    # A test's namespace.

    async def _begin(self, namespace: str) -> None:
        """Create it, and wait until controllers have furnished it: pods want a ServiceAccount."""
        one = Namespace()
        one.metadata.name = namespace
        await self._plane.client.create(one)
        await self._plane.until(lambda: self._is_furnished(namespace))

    async def _is_furnished(self, namespace: str) -> bool:
        return bool(await self._plane.client.list(ServiceAccount, namespace))

    async def _end(self, namespace: str) -> None:
        """Call off everything that the test did to the plane, and let its namespace go."""
        self._plane.faults.call_off()
        self._plane.troubles.clear()
        self._loop.speed = self._speed
        with suppress(NotFoundError):
            await self._plane.client.delete(Namespace, "", namespace)
        with suppress(TimeoutError):
            await self._plane.until(lambda: self._is_gone(namespace), GONE_SECONDS)

    async def _is_gone(self, namespace: str) -> bool:
        try:
            await self._plane.client.get(Namespace, "", namespace)
        except NotFoundError:
            return True
        return False
