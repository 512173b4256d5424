"""Clients that read and write a few ConfigMaps and write down all they ask and all they are answered."""

from __future__ import annotations

import asyncio
import itertools
from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from random import Random
from time import monotonic

from rollplane.core.v1 import ConfigMap
from rollplane_machinery.api import (
    Api,
    Create,
    Delete,
    Key,
    Preconditions,
    Update,
    WatchBatch,
    WatchFilter,
    WatchQuery,
    WriteResult,
)
from rollplane_machinery.errors import (
    AlreadyExistsError,
    ConflictError,
    ExpiredError,
    NotFoundError,
    RollplaneError,
)
from rollplane_machinery.kinds import CONFIG_MAP, Encoded
from tests.histories.calls import Act, Answer, Call
from tests.histories.watches import Seen, Watched

NAMESPACE = "registers"
MARK = "mark"
PAUSE_SECONDS = 0.02
CALL_SECONDS = 30.0

_REFUSALS = {AlreadyExistsError: Answer.EXISTS, NotFoundError: Answer.ABSENT, ConflictError: Answer.CONFLICT}


@dataclass(slots=True)
class Version:
    """What a client last knew of a register; ``mark`` "" is nothing."""

    mark: str = ""
    uid: str = ""
    resource_version: str = ""


@dataclass(slots=True)
class Histories:
    """All calls by register, and the marks handed out so far."""

    calls: dict[str, list[Call]] = field(default_factory=lambda: defaultdict(list))
    marks: itertools.count[int] = field(default_factory=itertools.count)

    def count(self, answer: Answer) -> int:
        """Return how many writes were answered so."""
        return sum(
            call.answer is answer and call.act is not Act.READ for calls in self.calls.values() for call in calls
        )


class RegisterClient:
    """One client: one call at a time, on registers chosen by ``chance``."""

    def __init__(self, api: Api, histories: Histories, chance: Random) -> None:
        self._api = api
        self._histories = histories
        self._chance = chance
        self._known: dict[str, Version] = defaultdict(Version)

    async def run(self, names: Sequence[str]) -> None:
        """Work on the registers ``names`` until cancelled."""
        while True:
            await self._step(self._chance.choice(names))
            await asyncio.sleep(self._chance.random() * PAUSE_SECONDS)

    async def _step(self, name: str) -> None:
        known = self._known[name]
        acts = [Act.READ, Act.UPDATE, Act.UPDATE, Act.DELETE] if known.mark else [Act.READ, Act.CREATE]
        act = self._chance.choice(acts)
        mark = f"m{next(self._histories.marks)}" if act in (Act.CREATE, Act.UPDATE) else ""
        start = monotonic()
        answer, revision = Answer.UNKNOWN, 0
        try:
            async with asyncio.timeout(CALL_SECONDS):
                answer, mark, revision = await self._carry_out(act, name, mark)
        except tuple(_REFUSALS) as exc:
            answer = _REFUSALS[type(exc)]
        except (RollplaneError, TimeoutError):
            pass  # nobody knows: that is what the answer says
        finally:
            # A cancelled call may have been carried out as well.
            if act is not Act.READ or answer is not Answer.UNKNOWN:
                call = Call(
                    act, answer, start, monotonic(), mark, known.mark if act is not Act.CREATE else "", revision
                )
                self._histories.calls[name].append(call)
        if answer is not Answer.DONE:
            self._known[name] = Version() if act is not Act.READ else self._known[name]
            await self._look(name)

    async def _look(self, name: str) -> None:
        """Read after a refusal, so that the next write is built on what is there."""
        start = monotonic()
        try:
            async with asyncio.timeout(CALL_SECONDS):
                _, mark, _ = await self._carry_out(Act.READ, name, "")
        except (RollplaneError, TimeoutError):
            return
        self._histories.calls[name].append(Call(Act.READ, Answer.DONE, start, monotonic(), mark))

    async def _carry_out(self, act: Act, name: str, mark: str) -> tuple[Answer, str, int]:
        known = self._known[name]
        key = Key(CONFIG_MAP, NAMESPACE, name)
        if act is Act.READ:
            return Answer.DONE, await self._read(key), 0
        if act is Act.DELETE:
            preconditions = Preconditions(known.uid, known.resource_version)
            result = await self._api.write(Delete(key, preconditions=preconditions))
            self._known[name] = Version()
            return Answer.DONE, "", result.revision
        message = ConfigMap(data={MARK: mark})
        message.metadata.namespace, message.metadata.name = NAMESPACE, name
        if act is Act.UPDATE:
            message.metadata.uid, message.metadata.resource_version = known.uid, known.resource_version
        encoded = Encoded.of(message)
        result = await self._api.write(Create(encoded) if act is Act.CREATE else Update(encoded))
        self._remember(name, result)
        return Answer.DONE, mark, result.revision

    async def _read(self, key: Key) -> str:
        try:
            known = _version(await self._api.get(key))
        except NotFoundError:
            known = Version()
        self._known[key.name] = known
        return known.mark

    def _remember(self, name: str, result: WriteResult) -> None:
        """Take over what the answer shows: after a repeat that is the object as it is by then, perhaps another's."""
        self._known[name] = Version() if result.object is None else _version(result.object)


class RegisterWatcher:
    """Follows all registers, resuming where it can; each stretch without a gap is one ``Watched``."""

    def __init__(self, api: Api, name: str) -> None:
        self._api = api
        self._name = name
        self.stretches: list[Watched] = []

    def has_reached(self, revision: int) -> bool:
        """Return whether everything up to ``revision`` has been told."""
        return bool(self.stretches) and self.stretches[-1].until >= revision

    async def run(self) -> None:
        """Watch until cancelled."""
        while True:
            try:
                await self._stretch()
            except ExpiredError:
                pass  # the store's history may have been lost: begin anew
            except RollplaneError:
                await asyncio.sleep(0.2)

    async def _stretch(self) -> None:
        stretch: Watched | None = None
        wanted = (WatchFilter(CONFIG_MAP, (NAMESPACE,)),)
        while True:
            after = stretch.until if stretch else 0
            try:
                async with self._api.watch(WatchQuery(wanted, after, send_initial_state=stretch is None)) as batches:
                    async for batch in batches:
                        if stretch is None and batch.initial_state_complete:
                            stretch = Watched(f"{self._name}.{len(self.stretches)}", batch.revision, batch.revision)
                            self.stretches.append(stretch)
                        elif stretch is not None:
                            stretch.events += _seen(batch)
                            stretch.until = max(stretch.until, batch.revision)
            except ExpiredError:
                raise
            except RollplaneError:
                if stretch is None:
                    raise
                await asyncio.sleep(0.1)


def _seen(batch: WatchBatch) -> Iterator[Seen]:
    """Yield the changes of registers; what else is in their namespace is its controllers', and made anew by them."""
    for event in batch.events:
        name, mark = _content(event.object)
        if mark:
            yield Seen(event.revision, event.type.name, name, mark)


def _version(encoded: Encoded) -> Version:
    message = ConfigMap.FromString(encoded.value)
    return Version(message.data[MARK], message.metadata.uid, message.metadata.resource_version)


def _content(encoded: Encoded) -> tuple[str, str]:
    message = ConfigMap.FromString(encoded.value)
    return message.metadata.name, message.data[MARK]


async def stored_marks(api: Api, names: Sequence[str]) -> Mapping[str, str]:
    """Return the mark of each register as stored now, "" where there is none."""
    marks = {}
    for name in names:
        try:
            marks[name] = ConfigMap.FromString((await api.get(Key(CONFIG_MAP, NAMESPACE, name))).value).data[MARK]
        except NotFoundError:
            marks[name] = ""
    return marks
