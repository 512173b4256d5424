"""The two controllers as an update wants them, and what speaks against it: pure functions over messages.

Source of the rules: docs/semantics/rolling-update.md sections 4 to 6.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterator

from rollplane.core.v1 import Container, ReplicationController
from rollplane_machinery.api import RollBackRollingUpdate, StartRollingUpdate
from rollplane_machinery.codec import dumps
from rollplane_machinery.errors import Cause, CauseReason, InvalidError
from rollplane_machinery.kinds import REPLICATION_CONTROLLER, ApiObject, Encoded
from rollplane_machinery.rolling_update import BOOKKEEPING
from rollplane_rules.defaults import apply_defaults

RESOURCE = "replicationcontrollers"
POLICIES = ("Always", "Never", "IfNotPresent")


def refusal(name: str, message: str, field: str = "") -> InvalidError:
    """Return the error of an update that cannot be; ``field`` is the argument or field that stands against it."""
    causes = [Cause(CauseReason.INVALID, field, message)] if field else []
    return InvalidError(message, resource=RESOURCE, name=name, causes=causes)


def check_arguments(request: StartRollingUpdate | RollBackRollingUpdate) -> None:
    """Raise InvalidError with a cause for each argument that is wrong by itself, all together."""
    causes = [*_problems(request)]
    if causes:
        message = "; ".join(cause.message for cause in causes)
        raise InvalidError(message, resource=RESOURCE, name=request.old.name, causes=causes)


def _problems(request: StartRollingUpdate | RollBackRollingUpdate) -> Iterator[Cause]:
    if not request.old.name:
        yield Cause(CauseReason.REQUIRED, "old", "must specify the controller to update")
    if isinstance(request, StartRollingUpdate):
        if not request.deployment_label_key:
            yield Cause(CauseReason.REQUIRED, "deployment_label_key", "the deployment label key must not be empty")
        if request.new is None and not request.image:
            yield Cause(CauseReason.REQUIRED, "image", "must specify a new controller or an image for it")
        if request.new is not None and request.image:
            yield Cause(CauseReason.FORBIDDEN, "image", "a new controller and an image must not both be specified")
        if request.image_pull_policy not in ("", *POLICIES):
            sentence = f"the image pull policy must be one of {', '.join(POLICIES)}"
            yield Cause(CauseReason.NOT_SUPPORTED, "image_pull_policy", sentence)
        name = _name_of_new(request)
        if name and name == request.old.name:
            sentence = f"{name} cannot have the same name as the existing ReplicationController {name}"
            yield Cause(CauseReason.INVALID, "new_name", sentence)
    pace = request.pace
    for field in ("update_period_seconds", "poll_interval_seconds", "timeout_seconds"):
        if getattr(pace, field) < 0:
            yield Cause(CauseReason.INVALID, f"pace.{field}", f"{field} must not be negative")


def controller(message: ApiObject) -> ReplicationController:
    """Return ``message`` if it is a ReplicationController; raises InvalidError."""
    if isinstance(message, ReplicationController):
        return message
    name = message.metadata.name
    raise refusal(name, f"{name} is not a ReplicationController but a {type(message).__name__}", "new")


def _name_of_new(request: StartRollingUpdate) -> str:
    return request.new_name if request.new is None else request.new.parse().metadata.name


def from_manifest(written: Encoded, old: ReplicationController) -> ReplicationController:
    """Return the successor that the caller wrote, with the old one's size where it names none."""
    if written.kind is not REPLICATION_CONTROLLER:
        raise refusal(old.metadata.name, f"the new object is not a ReplicationController but a {written.kind.name}")
    new, namespace = controller(written.parse()), old.metadata.namespace
    if new.metadata.namespace not in ("", namespace):
        raise refusal(
            new.metadata.name,
            f'the namespace of the new controller, "{new.metadata.namespace}", is not "{namespace}"',
            "new.metadata.namespace",
        )
    new.metadata.namespace = namespace
    if not new.spec.HasField("replicas"):
        new.spec.replicas = old.spec.replicas
    apply_defaults(new)
    return new


def with_image(request: StartRollingUpdate, old: ReplicationController, new_name: str) -> ReplicationController:
    """Return a copy of ``old`` with the image asked for, told from it by a hash in selector and template labels.

    The hash covers the old controller's resource version: the same update made twice has two hashes.
    """
    changed = ReplicationController()
    changed.CopyFrom(old)
    _set_image(request, changed)
    hash_ = md5_of(changed)
    new = ReplicationController()
    new.metadata.name = new_name or f"{old.metadata.name}-{hash_}"
    new.metadata.namespace = old.metadata.namespace
    new.metadata.labels.update(old.metadata.labels)
    new.metadata.annotations.update(
        {key: value for key, value in old.metadata.annotations.items() if key not in BOOKKEEPING}
    )
    new.spec.CopyFrom(changed.spec)
    new.spec.selector[request.deployment_label_key] = hash_
    new.spec.template.metadata.labels[request.deployment_label_key] = hash_
    return new


def md5_of(message: ReplicationController) -> str:
    """Return the hexadecimal MD5 of the object's JSON; a name, no protection."""
    return hashlib.md5(dumps(message).encode(), usedforsecurity=False).hexdigest()


def _set_image(request: StartRollingUpdate, changed: ReplicationController) -> None:
    container = _container(request, changed)
    if container.image == request.image and not request.image_pull_policy:
        raise refusal(
            request.old.name, "specify --image-pull-policy when the new image is the present one", "image_pull_policy"
        )
    container.image = request.image
    if request.image_pull_policy:
        container.image_pull_policy = request.image_pull_policy


def _container(request: StartRollingUpdate, old: ReplicationController) -> Container:
    containers = old.spec.template.spec.containers
    if request.container:
        for container in containers:
            if container.name == request.container:
                return container
        raise refusal(request.old.name, f"container {request.container} not found in the pod template", "container")
    if len(containers) != 1:
        raise refusal(request.old.name, "must specify --container when updating a multi-container pod", "container")
    return containers[0]


def check_image_of_present(request: StartRollingUpdate, present: ReplicationController) -> None:
    """Raise InvalidError when the update under way is to another image than the one asked for now."""
    found = present.spec.template.spec.containers[0].image
    if found != request.image:
        raise refusal(
            request.old.name,
            f"found an existing update in progress to image {found}: use --image={found} to go on with it, "
            "or --rollback to undo it",
            "image",
        )


def check_pair(old: ReplicationController, new: ReplicationController, label_key: str = "") -> None:
    """Raise InvalidError unless the two select different pods.

    Selectors must differ in a key that both have: a controller that lacks the key would select the other's pods.
    ``label_key`` is a key that ``old`` is going to get, with a value of its own.
    """
    ours, theirs = old.spec.selector, new.spec.selector
    if label_key or any(key in theirs and theirs[key] != value for key, value in ours.items()):
        return
    raise refusal(
        new.metadata.name,
        f"{new.metadata.name} must specify a matching key with non-equal value in Selector for {old.metadata.name}",
        "spec.selector",
    )
