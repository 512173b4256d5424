"""What a story needs: running commands as a user would, looking at the plane, and waiting for what must come."""

from __future__ import annotations

import asyncio
import io
import itertools
import os
import shlex
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator, Mapping, Sequence
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from dataclasses import dataclass, field

from rollplane.apps.v1 import Deployment, ReplicaSet
from rollplane.core.v1 import Pod
from rollplane_cli.console import Console
from rollplane_client.backoff import Backoff
from rollplane_client.watching import Patience, resumed
from rollplane_machinery.api import Api, ListQuery, WatchBatch, WatchFilter, WatchQuery
from rollplane_machinery.clock import Clock
from rollplane_machinery.errors import ExpiredError, RollplaneError, UnavailableError
from rollplane_machinery.invariants import WATCHED, InvariantChecker
from rollplane_machinery.kinds import DEPLOYMENT, POD, REPLICA_SET

WAIT_SECONDS = 60.0
LOOK_SECONDS = 0.05
WATCHFUL = Patience(Backoff(cap_seconds=0.1))
PROGRESS = "Waiting for deployment"
PROGRESS_ROWS = 4
"""How many rows of a rollout's progress are shown; there is one for every change."""


class StoryError(Exception):
    """A step did not come out as it must."""


@dataclass(frozen=True, slots=True)
class Shown:
    """What a command printed, and its exit code."""

    code: int
    out: str
    err: str


@dataclass(slots=True)
class Witness:
    """The invariant checker, fed by a watch that outlives apiservers; ``breaks`` counts what it had to reload."""

    checker: InvariantChecker = field(default_factory=InvariantChecker)
    breaks: int = 0
    found: list[str] = field(default_factory=list)
    _former_events: int = 0

    @property
    def events(self) -> int:
        """How many changes were watched."""
        return self._former_events + self.checker.events

    def renew(self) -> None:
        """Begin anew after a gap in the watch, keeping what was found."""
        self.found += [str(violation) for violation in self.checker.violations]
        self._former_events += self.checker.events
        self.checker = InvariantChecker()
        self.breaks += 1

    def at_rest(self) -> list[str]:
        """Return every violation so far; to be called when all is at rest."""
        return [*self.found, *(str(violation) for violation in self.checker.check_at_rest())]


class Theatre:
    """The plane at ``server`` as the story sees it: commands in, facts out."""

    def __init__(self, api: Api, server: str, console: Console, clock: Clock) -> None:
        self.api = api
        self._server = server
        self._console = console
        self._clock = clock
        self.witness = Witness()
        self.commands = 0
        """How many were run."""

    def say(self, text: str = "") -> None:
        """Tell the audience something."""
        self._console.say(text)

    async def command(self, line: str, *, code: int = 0) -> Shown:
        """Run a ``rollplane`` command line, show it, and return what it printed; raises StoryError for another code."""
        from rollplane_cli.main import execute

        out, err = io.StringIO(), io.StringIO()
        self.say(f"\n$ rollplane {line}")
        environ: Mapping[str, str] = {**os.environ, "ROLLPLANE_SERVER": self._server}
        found = await execute(shlex.split(line), environ, Console(out, err, io.StringIO()))
        self.commands += 1
        shown = Shown(found, out.getvalue(), err.getvalue())
        for row in abridged([*shown.out.splitlines(), *shown.err.splitlines()]):
            self.say(f"  {row}".rstrip())
        if found != code:
            raise StoryError(f"`rollplane {line}` exited with {found}, not {code}: {shown.err or shown.out}")
        return shown

    async def deployment(self, name: str) -> Deployment:
        """Return the Deployment as it is now."""
        page = await self.api.list(ListQuery(DEPLOYMENT, "default", field_selector=f"metadata.name={name}"))
        if not page.objects:
            raise StoryError(f"there is no Deployment {name}")
        return Deployment.FromString(page.objects[0].value)

    async def sets(self, name: str) -> dict[str, ReplicaSet]:
        """Return a Deployment's ReplicaSets by their image."""
        page = await self.api.list(ListQuery(REPLICA_SET, "default"))
        found = [ReplicaSet.FromString(one.value) for one in page.objects]
        mine = [one for one in found if any(owner.name == name for owner in one.metadata.owner_references)]
        return {one.spec.template.spec.containers[0].image: one for one in mine}

    async def pods(self, app: str) -> list[Pod]:
        """Return the pods labelled ``app=<app>``."""
        page = await self.api.list(ListQuery(POD, "default", label_selector=f"app={app}"))
        return [Pod.FromString(one.value) for one in page.objects]

    async def until(self, what: str, holds: Callable[[], Awaitable[bool]]) -> None:
        """Wait until ``holds()``, also for a plane that is away; raises StoryError naming ``what``."""
        deadline = self._clock.monotonic() + WAIT_SECONDS
        while True:
            try:
                if await holds():
                    return
            except UnavailableError:
                pass
            if self._clock.monotonic() > deadline:
                raise StoryError(f"this never came true: {what}")
            await self._clock.sleep(LOOK_SECONDS)

    @asynccontextmanager
    async def watched(self) -> AsyncIterator[None]:
        """Hold everything that happens within the context to the invariants."""
        failure: StoryError | None = None
        async with asyncio.TaskGroup() as tasks:
            watching = tasks.create_task(self._watch())
            try:
                yield
            except StoryError as exc:
                # Raised again outside the group, which would wrap it.
                failure = exc
            finally:
                watching.cancel()
        if failure is not None:
            raise failure

    async def _watch(self) -> None:
        """Feed the witness, across restarts of the apiserver; what was missed in between is loaded again."""
        revision = 0

        def open_watch() -> AbstractAsyncContextManager[AsyncIterator[WatchBatch]]:
            filters = tuple(WatchFilter(kind) for kind in WATCHED)
            return self.api.watch(WatchQuery(filters, from_revision=revision, send_initial_state=revision == 0))

        def may_resume(error: RollplaneError) -> bool:
            nonlocal revision
            if isinstance(error, ExpiredError):
                self.witness.renew()
                revision = 0
            return True

        async with resumed(open_watch, self._clock, WATCHFUL, may_resume=may_resume) as batches:
            async for batch in batches:
                self.witness.checker.feed(batch)
                revision = batch.revision or revision


def abridged(rows: Sequence[str]) -> Iterator[str]:
    """Yield the rows of an answer, a long run of progress cut down to its beginning and its end."""
    for is_progress, run in itertools.groupby(rows, lambda row: row.startswith(PROGRESS)):
        # Rows that follow an equal one tell nothing new.
        told = [row for row, _ in itertools.groupby(run)] if is_progress else list(run)
        if is_progress and len(told) > PROGRESS_ROWS:
            half = PROGRESS_ROWS // 2
            told[half:-half] = [f"(and {len(told) - PROGRESS_ROWS} more steps)"]
        yield from told
