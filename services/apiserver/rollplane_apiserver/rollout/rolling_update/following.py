"""What a rolling update does, step by step, as told by the annotations its engine writes."""

from __future__ import annotations

from collections.abc import AsyncGenerator, AsyncIterator, Iterator
from contextlib import aclosing, asynccontextmanager

from rollplane.core.v1 import ReplicationController
from rollplane_apiserver.rollout.rolling_update.drafts import controller
from rollplane_machinery.api import (
    EventType,
    Key,
    ObjectApi,
    RollingUpdateProgress,
    RolloutState,
    WatchEvent,
    WatchFilter,
    WatchQuery,
)
from rollplane_machinery.rolling_update import (
    RENAMED_FROM,
    SOURCE_ID,
    STATE,
    CleanupPolicy,
    Step,
    UpdateState,
    state_of,
)


@asynccontextmanager
async def follow(
    objects: ObjectApi, target: Key, source: str, revision: int
) -> AsyncIterator[AsyncIterator[RollingUpdateProgress]]:
    """Open the steps of the update of ``source`` to ``target`` after ``revision``, the last one DONE or FAILED."""
    names = f"metadata.name in ({','.join(sorted({target.name, source}))})"
    pair = WatchFilter(target.kind, (target.namespace,), field_selector=names)
    query = WatchQuery((pair,), from_revision=revision)
    async with objects.watch(query) as batches:

        async def steps() -> AsyncGenerator[RollingUpdateProgress, None]:
            follower = Follower(target.name, source)
            async for batch in batches:
                for event in batch.events:
                    for step in follower.take(event):
                        yield step
                        if step.state is not RolloutState.PROGRESSING:
                            return

        async with aclosing(steps()) as stream:
            yield stream


class Follower:
    """Reads the changes of the two controllers in their order; no change may be left out."""

    def __init__(self, target: str, source: str) -> None:
        self._target = target
        self._source = source
        self._told: dict[str, str] = {}

    def take(self, event: WatchEvent) -> Iterator[RollingUpdateProgress]:
        """Yield what ``event`` tells."""
        seen = controller(event.object.parse())
        name, noted = seen.metadata.name, seen.metadata.annotations
        state = state_of(noted)
        if state is not None and self._told.get(name) != noted[STATE]:
            self._told[name] = noted[STATE]
            yield from self._steps(seen, state, event.revision)
        if name == self._target:
            yield from self._end_of_target(seen, state, event)
        elif state is None and noted.get(RENAMED_FROM) == self._target and event.type is not EventType.DELETED:
            yield RollingUpdateProgress(
                RolloutState.DONE, f'replicationcontroller "{name}" rolling updated', event.revision, name
            )

    def _steps(self, seen: ReplicationController, state: UpdateState, revision: int) -> Iterator[RollingUpdateProgress]:
        """Yield what the engine wrote down, but for the other direction's words on the source."""
        if seen.metadata.name != self._target and seen.metadata.annotations.get(RENAMED_FROM) != self._target:
            return
        for message in state.messages:
            yield RollingUpdateProgress(RolloutState.PROGRESSING, message, revision)
        if state.error:
            yield RollingUpdateProgress(RolloutState.FAILED, state.error, revision)

    def _end_of_target(
        self, seen: ReplicationController, state: UpdateState | None, event: WatchEvent
    ) -> Iterator[RollingUpdateProgress]:
        if event.type is EventType.DELETED:
            if state is None or (state.cleanup, state.step) != (CleanupPolicy.RENAME, Step.FINISH):
                message = f"{self._target} was deleted before the update was finished"
                yield RollingUpdateProgress(RolloutState.FAILED, message, event.revision)
        elif state is None and SOURCE_ID in seen.metadata.annotations:
            message = f"the update of {self._source} to {self._target} was turned round"
            yield RollingUpdateProgress(RolloutState.FAILED, message, event.revision)
        elif state is None:
            message = f'replicationcontroller "{self._source}" rolling updated to "{self._target}"'
            yield RollingUpdateProgress(RolloutState.DONE, message, event.revision, self._target)
