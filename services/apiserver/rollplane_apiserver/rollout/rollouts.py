"""``RolloutApi`` over any ``EditingApi``: whatever it does could be done with objects too."""

from __future__ import annotations

from collections.abc import AsyncGenerator, AsyncIterator, Sequence
from contextlib import AbstractAsyncContextManager, aclosing, asynccontextmanager

from rollplane.apps import v1 as apps
from rollplane_apiserver.rollout import changes, undo
from rollplane_apiserver.rollout.edit import Change, EditingApi, Turns, read
from rollplane_apiserver.rollout.history import Step, history_of
from rollplane_apiserver.rollout.progress import look_at
from rollplane_apiserver.rollout.rolling_update import preparation
from rollplane_apiserver.rollout.rolling_update.following import follow
from rollplane_apiserver.rollout.workloads import (
    PAUSABLE,
    ROLLED_OUT,
    ROLLING_UPDATED,
    WITH_PODS,
    RolledOut,
    demand,
    rolled_out,
    subject,
)
from rollplane_machinery import kinds
from rollplane_machinery.api import (
    DEFAULT_OPTIONS,
    EventType,
    Key,
    Patch,
    PatchType,
    Revision,
    RollBackRollingUpdate,
    RollingUpdate,
    RollingUpdateProgress,
    RolloutState,
    RolloutStatus,
    Scale,
    SetImage,
    StartRollingUpdate,
    Undone,
    WatchBatch,
    WatchFilter,
    WatchQuery,
    WriteOptions,
    WriteResult,
)
from rollplane_machinery.clock import Clock
from rollplane_machinery.deployments import REVISION
from rollplane_machinery.errors import BadRequestError, ConflictError, NotFoundError, RollplaneError, UnsupportedError
from rollplane_machinery.kinds import ApiObject
from rollplane_planners.rolled_back import rolled_back


class Rollouts:
    """The rollout verbs, in the name of whoever ``objects`` acts for; ``turns`` are shared by all of this server."""

    def __init__(self, objects: EditingApi, clock: Clock, turns: Turns) -> None:
        self._objects = objects
        self._clock = clock
        self._turns = turns

    async def set_image(self, request: SetImage) -> WriteResult:
        demand(request.key, WITH_PODS, "setting images")
        if not request.images or not all(request.images.values()):
            raise BadRequestError("name at least one container, and an image for each")
        return await self._edit(request.key, changes.setting_images(request), request.options)

    async def scale(self, request: Scale) -> WriteResult:
        demand(request.key, (request.key.kind,) if request.key.kind.has_scale else (), "scaling")
        return await self._edit(request.key, changes.scaling(request), request.options, "scale")

    async def pause(self, key: Key, options: WriteOptions = DEFAULT_OPTIONS) -> WriteResult:
        demand(key, PAUSABLE, "pausing")
        return await self._edit(key, changes.pausing(key, pause=True), options)

    async def resume(self, key: Key, options: WriteOptions = DEFAULT_OPTIONS) -> WriteResult:
        demand(key, PAUSABLE, "resuming")
        return await self._edit(key, changes.pausing(key, pause=False), options)

    async def restart(self, key: Key, options: WriteOptions = DEFAULT_OPTIONS) -> WriteResult:
        demand(key, ROLLED_OUT, "restarting")
        return await self._edit(key, changes.restarting(key, self._clock.now()), options)

    async def history(self, key: Key, revision: int = 0) -> Sequence[Revision]:
        demand(key, ROLLED_OUT, "rollout history")
        steps = await history_of(self._objects, rolled_out(await read(self._objects, key)))
        if revision == 0:
            return [step.revision for step in steps.values()]
        if revision not in steps:
            raise NotFoundError("unable to find the specified revision", resource=key.kind.resource, name=key.name)
        return [steps[revision].revision]

    async def undo(self, key: Key, to_revision: int = 0, options: WriteOptions = DEFAULT_OPTIONS) -> Undone:
        demand(key, ROLLED_OUT, "rolling back")
        workload = rolled_out(await read(self._objects, key))
        steps = await history_of(self._objects, workload)
        try:
            step = undo.choose(key, steps, to_revision)
            undo.check_not_paused(key, workload)
        except RollplaneError:
            if (made := await self._objects.made_before(key, options)) is None:
                raise
            return Undone(made, steps[max(steps)].revision)  # it has its number by now
        if undo.is_there_already(workload, step):
            made = await self._objects.made_before(key, options)
            return Undone(made or WriteResult(0), step.revision, skipped=made is None)
        return Undone(await self._bring_back(key, step, options), step.revision)

    async def _bring_back(self, key: Key, step: Step, options: WriteOptions) -> WriteResult:
        if isinstance(step.keeper, apps.ControllerRevision):
            patch = Patch(key, PatchType.STRATEGIC_MERGE, step.keeper.data.raw, options=options)
            return await self._objects.write(patch)

        def change(message: ApiObject) -> None:
            undo.check_not_paused(key, message)
            if isinstance(message, apps.Deployment):
                undo.bring_back(message, step)

        return await self._edit(key, change, options)

    async def _edit(self, key: Key, change: Change, options: WriteOptions, subresource: str = "") -> WriteResult:
        async with self._turns.of(key):
            return await self._objects.edit(key, change, options, subresource)

    def rollout_status(self, key: Key, revision: int = 0) -> AbstractAsyncContextManager[AsyncIterator[RolloutStatus]]:
        if key.kind not in ROLLED_OUT:
            sentence = f"no status viewer has been implemented for {key.kind.name or key.kind.resource}"
            raise UnsupportedError(sentence, resource=key.kind.resource, name=key.name)
        if revision and key.kind is not kinds.DEPLOYMENT:
            sentence = f"{subject(key)} rollout status of one revision is not supported"
            raise UnsupportedError(sentence, resource=key.kind.resource, name=key.name)
        return self._follow(key, revision)

    async def start_rolling_update(self, request: StartRollingUpdate) -> RollingUpdate:
        demand(request.old, ROLLING_UPDATED, "rolling-update")
        return await preparation.start(self._objects, request)

    async def roll_back_rolling_update(self, request: RollBackRollingUpdate) -> RollingUpdate:
        demand(request.old, ROLLING_UPDATED, "rolling-update")
        return await preparation.roll_back(self._objects, request)

    def watch_rolling_update(
        self, target: Key, source: str, revision: int
    ) -> AbstractAsyncContextManager[AsyncIterator[RollingUpdateProgress]]:
        demand(target, ROLLING_UPDATED, "rolling-update")
        return follow(self._objects, target, source, revision)

    @asynccontextmanager
    async def _follow(self, key: Key, revision: int) -> AsyncIterator[AsyncIterator[RolloutStatus]]:
        name = WatchFilter(key.kind, (key.namespace,), field_selector=f"metadata.name={key.name}")
        query = WatchQuery((name,), send_initial_state=True)
        async with self._objects.watch(query) as batches, aclosing(_looks(key, revision, batches)) as looks:
            yield looks


async def _looks(key: Key, revision: int, batches: AsyncIterator[WatchBatch]) -> AsyncGenerator[RolloutStatus, None]:
    """One look for each state the object was in, until the rollout has ended."""
    seen = False
    async for batch in batches:
        for event in batch.events:
            if event.type is EventType.DELETED:
                raise NotFoundError("object has been deleted", resource=key.kind.resource, name=key.name)
            seen = True
            workload = rolled_out(event.object.parse())
            _check_revision(key, workload, revision)
            look = look_at(workload, revision)
            yield look
            if look.state is not RolloutState.PROGRESSING:
                return
        if batch.initial_state_complete and not seen:
            raise NotFoundError(f"{subject(key)} not found", resource=key.kind.resource, name=key.name)


def _check_revision(key: Key, workload: RolledOut, revision: int) -> None:
    """Raise ConflictError when another rollout has taken the place of the one that is followed.

    One that was rolled back is still told of.
    """
    story = rolled_back(workload)
    if story is not None and story.number == revision:
        return
    running = workload.metadata.annotations.get(REVISION, "0")
    if revision and running != str(revision):
        sentence = f"desired revision ({revision}) is different from the running revision ({running})"
        raise ConflictError(sentence, resource=key.kind.resource, name=key.name)
