"""The ``Api`` protocol that everything above the apiserver is written against.

The apiserver's core is one, the gRPC client is another; controllers, kubelets and the command line cannot tell
them apart. Objects are passed as ``Encoded`` bytes: who needs fields parses them.
"""

from __future__ import annotations

import functools
import re
from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import AbstractAsyncContextManager
from dataclasses import field
from enum import Enum
from typing import Protocol

from rollplane.core.v1 import PodTemplateSpec
from rollplane_machinery.errors import BadRequestError, RollplaneError
from rollplane_machinery.field_validation import FieldValidation as FieldValidation
from rollplane_machinery.frozen import frozen
from rollplane_machinery.kinds import Encoded, Kind
from rollplane_machinery.kinds import Key as Key
from rollplane_machinery.rolling_update import DEFAULT_LABEL_KEY, DEFAULT_PACE, UpdatePace

MAX_NUMBER = 2**63 - 1
"""The highest revision, epoch or sequence."""
TOKEN_SECONDS = 600.0
"""How long a server answers for a write by its token at least, unless writes come too fast to keep so many."""
MAX_BATCH_WRITES = 1000
MAX_FILTERS = 256
"""How many filters a watch may have, and namespaces and shards in each."""

MAX_WRITER = 64
"""How many characters a writer's name may have."""


@functools.lru_cache(maxsize=1024)
def _is_visible(name: str) -> bool:
    """Return whether a name is there and in visible ASCII; each writer's is asked about with each of its writes."""
    return re.fullmatch("[!-~]+", name) is not None


@frozen
class Preconditions:
    """What the stored object must be for a write to go through; None does not ask."""

    uid: str | None = None
    resource_version: str | None = None


@frozen
class Fence:
    """Proof that a controller owns ``shard``: the revision of the Lease write that acquired it."""

    shard: str
    epoch: int

    def __post_init__(self) -> None:
        if not 0 <= self.epoch <= MAX_NUMBER:
            raise BadRequestError(f"the fence's epoch is {self.epoch}, want a revision")


@frozen
class WriteToken:
    """The name of one write, which is made at most once however often it is sent.

    ``writer`` is unique to one life of one process, 1 to 64 visible ASCII characters; ``sequence`` is the writer's own
    number, from 1 to 2**63 - 1, never used twice. Raises BadRequestError for anything else.
    """

    writer: str
    sequence: int

    def __post_init__(self) -> None:
        if len(self.writer) > MAX_WRITER or not _is_visible(self.writer):
            raise BadRequestError("a token's writer is 1 to 64 visible ASCII characters")
        if not 0 < self.sequence <= MAX_NUMBER:
            raise BadRequestError(f"a token's sequence is {self.sequence}, want 1 to {MAX_NUMBER}")

    def __str__(self) -> str:
        return f"{self.writer}/{self.sequence}"


@frozen
class WriteOptions:
    """How a write is made.

    ``omit_object`` leaves the object out of the result, as batches want it. ``repeat`` says that a write of this
    ``token`` may have been sent before, and may have been made. A dry run has no token. With ``track_fields`` the
    object keeps a record of which fields ``field_manager`` wrote; an apply is recorded in any case.
    ``field_validation`` says what becomes of fields of a patch that nobody knows, or that are given twice. One that is
    ``harmless_twice`` is made no worse by being made again, however late, as an Event is: its client gives it no token.
    """

    field_manager: str = ""
    dry_run: bool = False
    fence: Fence | None = None
    omit_object: bool = False
    token: WriteToken | None = None
    repeat: bool = False
    track_fields: bool = False
    field_validation: FieldValidation = FieldValidation.STRICT
    harmless_twice: bool = False

    def __post_init__(self) -> None:
        if self.token is not None and self.dry_run:
            raise BadRequestError("a dry run has no token")
        if self.repeat and self.token is None:
            raise BadRequestError("only a write with a token can be a repeat")


DEFAULT_OPTIONS = WriteOptions()
NO_PRECONDITIONS = Preconditions()


class PatchType(Enum):
    """How a patch document is to be read; an APPLY creates the object where it is absent."""

    JSON = "application/json-patch+json"
    MERGE = "application/merge-patch+json"
    STRATEGIC_MERGE = "application/strategic-merge-patch+json"
    APPLY = "application/apply-patch+yaml"


class Propagation(Enum):
    """What becomes of the dependents of a deleted object."""

    __hash__ = object.__hash__  # as EventType's

    BACKGROUND = "Background"
    FOREGROUND = "Foreground"
    ORPHAN = "Orphan"


@frozen
class Create:
    """Store a new object; the name in ``key`` is empty where the server is to generate one."""

    object: Encoded
    options: WriteOptions = DEFAULT_OPTIONS
    group: str = ""

    @property
    def key(self) -> Key:
        """The key that the object names; raises BadRequestError when its bytes are none."""
        return self.object.key


@frozen
class Update:
    """Replace all but the status; uid and resource_version inside the object are preconditions."""

    object: Encoded
    options: WriteOptions = DEFAULT_OPTIONS
    group: str = ""

    @property
    def key(self) -> Key:
        """The key that the object names; raises BadRequestError when its bytes are none."""
        return self.object.key


@frozen
class UpdateStatus:
    """Replace the status; uid and resource_version inside the object are preconditions."""

    object: Encoded
    options: WriteOptions = DEFAULT_OPTIONS
    group: str = ""

    @property
    def key(self) -> Key:
        """The key that the object names; raises BadRequestError when its bytes are none."""
        return self.object.key


@frozen
class Patch:
    """Change an object, its ``status`` or its ``scale`` by a document: JSON, or YAML for an apply.

    With ``force`` an apply takes the fields that it changes from their owners.
    """

    key: Key
    type: PatchType
    patch: bytes
    subresource: str = ""
    options: WriteOptions = DEFAULT_OPTIONS
    group: str = ""
    force: bool = False


@frozen
class Delete:
    """Remove an object; ``grace_period_seconds`` None takes a pod's own."""

    key: Key
    grace_period_seconds: int | None = None
    propagation: Propagation | None = None
    preconditions: Preconditions = NO_PRECONDITIONS
    options: WriteOptions = DEFAULT_OPTIONS
    group: str = ""


@frozen
class Bind:
    """Assign the pod ``key`` to the node ``node_name``."""

    key: Key
    node_name: str
    preconditions: Preconditions = NO_PRECONDITIONS
    options: WriteOptions = DEFAULT_OPTIONS
    group: str = ""


@frozen
class Evict:
    """Delete the pod ``key`` unless a PodDisruptionBudget forbids it."""

    key: Key
    grace_period_seconds: int | None = None
    preconditions: Preconditions = NO_PRECONDITIONS
    options: WriteOptions = DEFAULT_OPTIONS
    group: str = ""


Write = Create | Update | UpdateStatus | Patch | Delete | Bind | Evict


@frozen
class Unreadable:
    """What stands in a batch for a write that could not be read: refused for ``error``, in its place and its group."""

    error: RollplaneError
    group: str = ""


@frozen
class WriteResult:
    """What one write came to.

    ``revision`` is that of this write; for a write that changed nothing, of the object's last change. ``object`` is
    None when the options omit it. ``removed`` is True when the object is gone from the store, not merely marked.
    ``created`` is True when it was stored where there was none; an apply that is repeated may not know any more.
    ``warnings`` are sentences on fields that were left out, where the options ask for them; a repeat is not told.
    """

    revision: int
    object: Encoded | None = None
    removed: bool = False
    created: bool = False
    warnings: tuple[str, ...] = ()


@frozen
class DeleteCollection:
    """Delete all objects of a kind that the selectors match; an empty namespace means all."""

    kind: Kind
    namespace: str = ""
    label_selector: str = ""
    field_selector: str = ""
    grace_period_seconds: int | None = None
    propagation: Propagation | None = None
    options: WriteOptions = DEFAULT_OPTIONS


@frozen
class DeletedCollection:
    """How many objects were deleted or marked, and the highest revision that took."""

    deleted: int
    revision: int


@frozen
class ListQuery:
    """One page of a list; ``limit`` 0 leaves the cut to the server, ``namespace`` "" means all.

    The list is at least as new as ``min_revision``, or, where ``exact_revision`` is given, as it was then; 0 of both
    means as new as the last acknowledged write. A continued list keeps the revision of its first page.
    """

    kind: Kind
    namespace: str = ""
    label_selector: str = ""
    field_selector: str = ""
    limit: int = 0
    continue_token: str = ""
    min_revision: int = 0
    exact_revision: int = 0


@frozen
class Page:
    """Objects in the order of namespace/name; ``continue_token`` is empty on the last page."""

    objects: Sequence[Encoded]
    revision: int
    continue_token: str = ""
    remaining_item_count: int = 0


@frozen
class WatchFilter:
    """What of one kind is watched; empty fields do not narrow. ``shards`` are numbers from 0 to 63.

    With ``metadata_only`` objects come without spec, status and data; of several filters of a kind all must say so.
    """

    kind: Kind
    namespaces: tuple[str, ...] = ()
    label_selector: str = ""
    field_selector: str = ""
    shards: tuple[int, ...] = ()
    metadata_only: bool = False


@frozen
class WatchQuery:
    """Changes after ``from_revision``, or first the present state and then what follows it."""

    filters: tuple[WatchFilter, ...]
    from_revision: int = 0
    send_initial_state: bool = False


class EventType(Enum):
    """ADDED and DELETED also tell that an object began or ceased to match the filter."""

    __hash__ = object.__hash__  # an Enum's own is a function of its name, in Python

    ADDED = 1
    MODIFIED = 2
    DELETED = 3


@frozen
class WatchEvent:
    """One change; a DELETED one holds the last content that matched, with the revision of the deletion."""

    type: EventType
    object: Encoded
    revision: int


@frozen
class WatchBatch:
    """Events in commit order, and the revision up to which everything has been examined.

    While initial state is sent ``revision`` is 0; the batch that completes it says ``initial_state_complete``.
    """

    events: Sequence[WatchEvent]
    revision: int
    initial_state_complete: bool = False


@frozen
class Revision:
    """One step in a workload's history; ``name`` is the ReplicaSet or ControllerRevision that keeps it."""

    number: int
    change_cause: str
    name: str
    template: PodTemplateSpec
    creation_seconds: float


@frozen
class Undone:
    """``skipped`` means the template already was that of ``target``; nothing was written then."""

    result: WriteResult
    target: Revision
    skipped: bool = False


class RolloutState(Enum):
    """Where a rollout stands."""

    PROGRESSING = 1
    DONE = 2
    FAILED = 3


@frozen
class RolloutStatus:
    """One look at a rollout: kubectl's sentence in ``message``, counts of pods, and one word when it is stuck."""

    state: RolloutState
    message: str
    reason: str = ""
    desired: int = 0
    updated: int = 0
    ready: int = 0
    available: int = 0
    total: int = 0
    revision: int = 0


@frozen
class SetImage:
    """Change images by container name; ``"*"`` names every container."""

    key: Key
    images: Mapping[str, str] = field(default_factory=dict)
    change_cause: str | None = None
    options: WriteOptions = DEFAULT_OPTIONS


@frozen
class Scale:
    """Set ``replicas``; ``current_replicas``, where given, must be the present size."""

    key: Key
    replicas: int
    current_replicas: int | None = None
    preconditions: Preconditions = NO_PRECONDITIONS
    options: WriteOptions = DEFAULT_OPTIONS


@frozen
class StartRollingUpdate:
    """Replace the ReplicationController ``old``: by ``new``, or by a copy of it with another ``image``.

    ``new_name`` names the copy; without it the copy gets a temporary name, and in the end that of the old one.
    ``container`` may be left out where there is only one.
    """

    old: Key
    new: Encoded | None = None
    new_name: str = ""
    image: str = ""
    container: str = ""
    image_pull_policy: str = ""
    deployment_label_key: str = DEFAULT_LABEL_KEY
    pace: UpdatePace = DEFAULT_PACE
    options: WriteOptions = DEFAULT_OPTIONS


@frozen
class RollBackRollingUpdate:
    """Turn an unfinished rolling update of ``old`` round; ``new_name`` is needed where ``old`` does not record it."""

    old: Key
    new_name: str = ""
    pace: UpdatePace = DEFAULT_PACE
    options: WriteOptions = DEFAULT_OPTIONS


@frozen
class RollingUpdate:
    """A rolling update under way: ``target`` grows, the controller named ``source`` shrinks.

    ``revision`` is where to follow it from. ``messages`` tell what starting it did. ``old`` and ``new`` are the source
    and the target as stored, or in a dry run as they would be; ``old`` is None when it is gone already.
    """

    target: Key
    source: str
    revision: int
    messages: tuple[str, ...]
    new: Encoded
    old: Encoded | None = None


@frozen
class RollingUpdateProgress:
    """One step of a rolling update, the last one DONE or FAILED; then ``name`` is the controller that has the pods."""

    state: RolloutState
    message: str
    revision: int
    name: str = ""


class WatchApi(Protocol):
    """What an informer needs."""

    def watch(self, query: WatchQuery) -> AbstractAsyncContextManager[AsyncIterator[WatchBatch]]:
        """Open a watch; leaving the context ends it.

        The iterator blocks until something is to be told (at most 100 ms after the log moved); an idle watch gets an
        empty batch about every second, so that a peer that is silent for longer is lost. It raises ExpiredError when
        the revision is no longer in the log or the watcher fell behind, UnavailableError when the server goes
        away: resume from the last batch's revision.
        """
        ...


class ObjectApi(WatchApi, Protocol):
    """Objects of every kind. Every call raises RollplaneError and nothing else."""

    async def get(self, key: Key) -> Encoded:
        """Return the object as stored now; raises NotFoundError."""
        ...

    async def list(self, query: ListQuery) -> Page:
        """Return one page.

        Raises BadRequestError for a selector, ExpiredError for a continue token or an exact revision that is too old,
        TimedOutError with the cause ResourceVersionTooLarge for a revision that does not come.
        """
        ...

    async def write(self, write: Write) -> WriteResult:
        """Carry out one write; raises what refused it."""
        ...

    async def batch(self, writes: Sequence[Write]) -> Sequence[WriteResult | RollplaneError]:
        """Carry out independent writes (at most 1,000, 4 MiB); results in order, failures as values.

        Raises only when the batch as a whole could not be carried out.
        """
        ...

    async def delete_collection(self, request: DeleteCollection) -> DeletedCollection:
        """Delete what the selectors match."""
        ...

    async def raise_fence(self, fence: Fence) -> None:
        """Make ``fence.epoch`` the only epoch its shard accepts; raises FencedError when a higher one is set."""
        ...


class RolloutApi(Protocol):
    """Rollout verbs. A kind without the verb raises UnsupportedError."""

    async def set_image(self, request: SetImage) -> WriteResult:
        """Raises InvalidError naming the container that is not there."""
        ...

    async def scale(self, request: Scale) -> WriteResult: ...

    async def pause(self, key: Key, options: WriteOptions = DEFAULT_OPTIONS) -> WriteResult:
        """Raises InvalidError when it is paused already."""
        ...

    async def resume(self, key: Key, options: WriteOptions = DEFAULT_OPTIONS) -> WriteResult:
        """Raises InvalidError when it is not paused."""
        ...

    async def restart(self, key: Key, options: WriteOptions = DEFAULT_OPTIONS) -> WriteResult:
        """Raises InvalidError when it is paused."""
        ...

    async def history(self, key: Key, revision: int = 0) -> Sequence[Revision]:
        """Return all revisions ascending, or the one asked for; raises NotFoundError when there is none such."""
        ...

    async def undo(self, key: Key, to_revision: int = 0, options: WriteOptions = DEFAULT_OPTIONS) -> Undone:
        """Raises NotFoundError without such a revision, InvalidError when paused."""
        ...

    def rollout_status(self, key: Key, revision: int = 0) -> AbstractAsyncContextManager[AsyncIterator[RolloutStatus]]:
        """Stream looks at the rollout, the last one DONE or FAILED."""
        ...

    async def start_rolling_update(self, request: StartRollingUpdate) -> RollingUpdate:
        """Start a rolling update of ReplicationControllers, or take up the one that is under way.

        It goes on without its caller. Raises InvalidError with a cause for each wrong argument, or when the state found
        does not allow it (docs/semantics/rolling-update.md section 9), NotFoundError without the old controller.
        """
        ...

    async def roll_back_rolling_update(self, request: RollBackRollingUpdate) -> RollingUpdate:
        """Turn an unfinished update round; raises NotFoundError when there is none, InvalidError."""
        ...

    def watch_rolling_update(
        self, target: Key, source: str, revision: int
    ) -> AbstractAsyncContextManager[AsyncIterator[RollingUpdateProgress]]:
        """Stream what happened after ``revision``, the last one DONE or FAILED; raises as a watch does."""
        ...


class Api(ObjectApi, RolloutApi, Protocol):
    """All that users, controllers and kubelets can ask."""
