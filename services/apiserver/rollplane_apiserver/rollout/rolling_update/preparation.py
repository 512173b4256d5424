"""Starting a rolling update, taking up one that was left, turning one round.

At most two writes: what is to be known of the update goes onto the old controller, then the new one is made at size
0, or its state is set. From then on the controllers' engine moves it, and needs nobody to wait for it. Between the
two the same request starts over. Source: docs/semantics/rolling-update.md sections 5, 7 and 9.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

from rollplane.core.v1 import ReplicationController
from rollplane_apiserver.rollout.edit import EditingApi
from rollplane_apiserver.rollout.rolling_update import drafts
from rollplane_apiserver.rollout.rolling_update.drafts import RESOURCE, controller, refusal
from rollplane_apiserver.rollout.rolling_update.present import Present, key_of, read_present
from rollplane_machinery.api import (
    Create,
    Key,
    RollBackRollingUpdate,
    RollingUpdate,
    StartRollingUpdate,
    WriteOptions,
    WriteResult,
)
from rollplane_machinery.errors import InternalError, NotFoundError
from rollplane_machinery.kinds import REPLICATION_CONTROLLER, ApiObject, Encoded
from rollplane_machinery.metadata import is_being_deleted
from rollplane_machinery.rolling_update import (
    DESIRED_REPLICAS,
    NEXT_CONTROLLER,
    ORIGINAL_REPLICAS,
    RENAMED_FROM,
    SOURCE_ID,
    CleanupPolicy,
    Source,
    Step,
    UpdatePace,
    UpdateState,
    next_of,
    set_state,
    source_of,
    state_of,
)


async def start(objects: EditingApi, request: StartRollingUpdate) -> RollingUpdate:
    """Start or take up an update; raises InvalidError, NotFoundError."""
    drafts.check_arguments(request)
    request = replace(request, options=_options(request.options))
    present = await read_present(objects, request.old.namespace)
    old = present.get(request.old.name)
    if old is None:
        return await _rename(objects, request, present)
    if _is_place_holder(old):
        return _follow_rename(request, old, present)
    new = _present_successor(request, old, present)
    _check_undisturbed(old, present, new_name=new.metadata.name if new else "")
    if new is not None:
        return await _take_up(objects, request, old, new, present.revision)
    return await _begin(objects, request, old)


async def roll_back(objects: EditingApi, request: RollBackRollingUpdate) -> RollingUpdate:
    """Make the old controller the target and its half-made successor the source; raises InvalidError, NotFoundError."""
    drafts.check_arguments(request)
    request = replace(request, options=_options(request.options))
    present = await read_present(objects, request.old.namespace)
    old = present.find(request.old.name)
    half = _half_made(request, old, present)
    _check_may_turn(old, half)
    state = state_of(old.metadata.annotations)
    continuing = f"Continuing update with existing controller {old.metadata.name}."
    if state is not None and not state.error and state.pace == request.pace:
        return _under_way(old, half, present.revision, (continuing,))
    result = await objects.edit(request.old, _Turning(half, request.pace), request.options)
    return _written(result, half, (continuing,))


def _options(options: WriteOptions) -> WriteOptions:
    """Return how the writes of a start are made: there are several, so that none can bear the caller's token.

    They need none, since a start takes up what an earlier one has done.
    """
    return replace(options, omit_object=False, token=None, repeat=False)


# Which successor


def _present_successor(
    request: StartRollingUpdate, old: ReplicationController, present: Present
) -> ReplicationController | None:
    """Return the new controller if it is there already; raises InvalidError for another update under way."""
    if request.new is not None:
        return present.get(drafts.from_manifest(request.new, old).metadata.name)
    name = request.new_name or next_of(old.metadata.annotations)
    found = present.get(name) if name else None
    if found is not None:
        drafts.check_image_of_present(request, found)
    return found


def _check_undisturbed(old: ReplicationController, present: Present, new_name: str) -> None:
    """Raise InvalidError when either controller takes part in an update with a third one."""
    name = old.metadata.name
    other = present.replacing(name)
    if other is not None and other.metadata.name != new_name and state_of(other.metadata.annotations):
        raise refusal(name, f"an update of {name} to {other.metadata.name} is in progress")
    source = source_of(old.metadata.annotations)
    if state_of(old.metadata.annotations) and source is not None and source.name != new_name:
        raise refusal(name, f"an update of {source.name} to {name} is in progress")


def _half_made(request: RollBackRollingUpdate, old: ReplicationController, present: Present) -> ReplicationController:
    name = request.new_name or next_of(old.metadata.annotations)
    found = present.get(name) if name else present.replacing(old.metadata.name)
    if found is None:
        wanted = name or f"an unfinished successor of {old.metadata.name}"
        raise NotFoundError(f"could not find {wanted} to rollback", resource=RESOURCE, name=name or old.metadata.name)
    return found


# Starting


async def _begin(objects: EditingApi, request: StartRollingUpdate, old: ReplicationController) -> RollingUpdate:
    if request.new is not None:
        new = drafts.from_manifest(request.new, old)
    else:
        new = drafts.with_image(request, old, request.new_name)
    if new.spec.replicas <= 0:
        raise refusal(new.metadata.name, f"invalid controller {new.metadata.name}: it must have replicas", "replicas")
    state = UpdateState(cleanup=_cleanup(request), pace=request.pace)
    if request.new is None:
        state = _with_label(state, request.deployment_label_key, old)
    drafts.check_pair(old, new, state.label_key)
    noted = await objects.edit(request.old, _Noting(request, new.metadata.name, is_fresh=True), request.options)
    _make_target(new, old, state)
    result = await objects.write(Create(Encoded.of(new), request.options))
    return _written(result, _stored(noted), (f"Created {new.metadata.name}",))


def _with_label(state: UpdateState, key: str, old: ReplicationController) -> UpdateState:
    """Return the state of an update that first gives ``old`` the label that tells the two apart, if it lacks it."""
    if key in old.spec.selector:
        return state
    return replace(state, step=Step.LABEL, label_key=key, label_value=f"{drafts.md5_of(old)}-orig")


def _make_target(new: ReplicationController, old: ReplicationController, state: UpdateState) -> None:
    new.metadata.annotations[SOURCE_ID] = str(Source(old.metadata.name, old.metadata.uid))
    new.metadata.annotations[DESIRED_REPLICAS] = str(new.spec.replicas)
    new.spec.replicas = 0
    set_state(new, state)


def _cleanup(request: StartRollingUpdate) -> CleanupPolicy:
    return CleanupPolicy.DELETE if request.new is not None or request.new_name else CleanupPolicy.RENAME


@dataclass(frozen=True, slots=True)
class _Noting:
    """The change that writes onto the old controller what a rollback will need.

    A size noted by an earlier update, long over, must not be trusted: a fresh update notes it anew.
    """

    request: StartRollingUpdate
    new_name: str
    is_fresh: bool

    def __call__(self, message: ApiObject) -> None:
        old = controller(message)
        noted = old.metadata.annotations
        if self.request.new is None:
            noted[NEXT_CONTROLLER] = self.new_name
        if self.is_fresh or ORIGINAL_REPLICAS not in noted:
            noted[ORIGINAL_REPLICAS] = str(old.spec.replicas)


# Taking up


async def _take_up(
    objects: EditingApi,
    request: StartRollingUpdate,
    old: ReplicationController,
    new: ReplicationController,
    revision: int,
) -> RollingUpdate:
    name = new.metadata.name
    _check_annotations(old, new)
    found = () if request.new is not None else (f"Found existing update in progress ({name}), resuming.",)
    messages = (*found, f"Continuing update with existing controller {name}.")
    state = state_of(new.metadata.annotations)
    wanted = _taken_up(request, old, state)
    drafts.check_pair(old, new, wanted.label_key)
    noted = await objects.edit(request.old, _Noting(request, name, is_fresh=False), request.options)
    if wanted == state:
        return _under_way(new, _stored(noted), revision, messages)
    result = await objects.edit(key_of(new), _Setting(wanted), request.options)
    return _written(result, _stored(noted), messages)


def _taken_up(request: StartRollingUpdate, old: ReplicationController, state: UpdateState | None) -> UpdateState:
    """Return the state from which an update goes on: the present one, if it goes on by itself as asked for."""
    cleanup = _cleanup(request)
    backwards = state_of(old.metadata.annotations)
    if state is None or backwards is not None:
        turn = backwards.turn + 1 if backwards else 0
        fresh = UpdateState(cleanup=cleanup, pace=request.pace, turn=turn)
        return fresh if request.new is not None else _with_label(fresh, request.deployment_label_key, old)
    if state.error or state.pace != request.pace or state.cleanup is not cleanup:
        return state.restarted(request.pace, cleanup, state.turn)
    return state


def _check_annotations(old: ReplicationController, new: ReplicationController) -> None:
    name, noted = new.metadata.name, new.metadata.annotations
    source, desired = source_of(noted), noted.get(DESIRED_REPLICAS)
    if source is None or desired is None:
        raise refusal(name, f"missing/unexpected annotations for controller {name}: it takes part in no update")
    if not source.is_same(old):
        wanted = Source(old.metadata.name, old.metadata.uid)
        raise refusal(name, f"missing/unexpected annotations for controller {name}: it replaces {source}, not {wanted}")
    if not desired.isdecimal():
        raise refusal(name, f"unable to parse annotation {DESIRED_REPLICAS} of controller {name}: {desired}")


# Renaming


async def _rename(objects: EditingApi, request: StartRollingUpdate, present: Present) -> RollingUpdate:
    """Go on where the old controller is gone: only its temporary successor can still take its name."""
    temporary = present.replacing(request.old.name)
    state = state_of(temporary.metadata.annotations) if temporary is not None else None
    takes_name = request.image and not request.new_name and (state is None or state.cleanup is CleanupPolicy.RENAME)
    if temporary is None or not takes_name:
        present.find(request.old.name)  # raises: that is what cannot be found
        raise InternalError(f"{request.old.name} came back while it was missed")
    name = temporary.metadata.name
    messages = (f"Found existing update in progress ({name}), resuming.",)
    if state is not None and not state.error:
        return _under_way(temporary, None, present.revision, messages, source_name=request.old.name)
    wanted = UpdateState(cleanup=CleanupPolicy.RENAME, pace=request.pace)
    result = await objects.edit(key_of(temporary), _Setting(wanted), request.options)
    return _written(result, None, messages, source_name=request.old.name)


@dataclass(frozen=True, slots=True)
class _Setting:
    """The change that sets the engine's state."""

    state: UpdateState

    def __call__(self, message: ApiObject) -> None:
        set_state(controller(message), self.state)


def _is_place_holder(one: ReplicationController) -> bool:
    state = state_of(one.metadata.annotations)
    return state is not None and state.step is Step.RENAME


def _follow_rename(request: StartRollingUpdate, old: ReplicationController, present: Present) -> RollingUpdate:
    temporary = old.metadata.annotations[RENAMED_FROM]
    if request.new is not None or request.new_name:
        raise refusal(old.metadata.name, f"{temporary} is being renamed to {old.metadata.name}")
    message = f"Found existing update in progress ({temporary}), resuming."
    target = Key(REPLICATION_CONTROLLER, old.metadata.namespace, temporary)
    return RollingUpdate(target, old.metadata.name, present.revision, (message,), Encoded.of(old))


# Turning round


def _check_may_turn(old: ReplicationController, half: ReplicationController) -> None:
    name = old.metadata.name
    if _is_place_holder(old) or is_being_deleted(old.metadata):
        raise refusal(name, f"the update of {name} is finished: there is nothing left to go back to")
    forwards, backwards = source_of(half.metadata.annotations), source_of(old.metadata.annotations)
    if not any(source is not None and source.is_same(one) for source, one in ((forwards, old), (backwards, half))):
        raise refusal(
            half.metadata.name,
            f"missing/unexpected annotations for controller {half.metadata.name}: it replaces "
            f"{forwards or 'nobody'}, not {Source(name, old.metadata.uid)}",
        )
    state = state_of(half.metadata.annotations)
    drafts.check_pair(old, half, state.label_key if state else "")
    original = old.metadata.annotations.get(ORIGINAL_REPLICAS, "")
    if not original.isdecimal():
        raise refusal(name, f"controller {name} has no original size recorded in {ORIGINAL_REPLICAS}", "annotations")


@dataclass(frozen=True, slots=True)
class _Turning:
    """The change that makes the old controller the target of an update from the half-made one."""

    half: ReplicationController
    pace: UpdatePace

    def __call__(self, message: ApiObject) -> None:
        old = controller(message)
        noted = old.metadata.annotations
        states = [state_of(one.metadata.annotations) for one in (old, self.half)]
        turn = 1 + max((state.turn for state in states if state is not None), default=0)
        noted[SOURCE_ID] = str(Source(self.half.metadata.name, self.half.metadata.uid))
        noted[DESIRED_REPLICAS] = noted[ORIGINAL_REPLICAS]
        set_state(old, UpdateState(pace=self.pace, turn=turn))


# Answers


def _under_way(
    target: ReplicationController,
    source: ReplicationController | None,
    revision: int,
    messages: tuple[str, ...],
    *,
    source_name: str = "",
) -> RollingUpdate:
    name = source.metadata.name if source is not None else source_name
    old = None if source is None else Encoded.of(source)
    return RollingUpdate(key_of(target), name, revision, messages, Encoded.of(target), old)


def _written(
    result: WriteResult,
    source: ReplicationController | None,
    messages: tuple[str, ...],
    *,
    source_name: str = "",
) -> RollingUpdate:
    return _under_way(_stored(result), source, result.revision, messages, source_name=source_name)


def _stored(result: WriteResult) -> ReplicationController:
    if result.object is None:
        raise InternalError("the answer to a write holds no object")
    return controller(result.object.parse())
