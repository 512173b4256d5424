"""The sentences in which the core refuses, in Kubernetes' words, since users and tools know them."""

from __future__ import annotations

from collections.abc import Sequence

from rollplane.core.v1 import Pod, Service
from rollplane.meta.v1 import ObjectMeta
from rollplane_machinery.api import Key
from rollplane_machinery.errors import (
    AlreadyExistsError,
    BadRequestError,
    Cause,
    CauseReason,
    ConflictError,
    ForbiddenError,
    InternalError,
    InvalidError,
    NotAttemptedError,
    NotFoundError,
    Outcome,
    RequestTooLargeError,
    UnavailableError,
)
from rollplane_machinery.kinds import SERVICE, ApiObject, kind_of
from rollplane_rules.registry.preconditions import conflict


class AddressesRefusedError(InvalidError):
    """A Service asks for what another has, as far as the cache knows, or for what nobody may have."""


class AddressesExhaustedError(InternalError):
    """There is no address or port left, as far as the cache knows."""


class AdmissionRefusedError(ForbiddenError):
    """Other objects, or that there are none, forbid it, as far as the cache knows."""


def not_found(key: Key) -> NotFoundError:
    """No such object."""
    return NotFoundError(f"{_called(key)} not found", resource=key.kind.resource, name=key.name)


def already_exists(key: Key) -> AlreadyExistsError:
    """A create met an object of that name."""
    return AlreadyExistsError(f"{_called(key)} already exists", resource=key.kind.resource, name=key.name)


def version_required(key: Key) -> InvalidError:
    """An update of this kind must say what it replaces."""
    cause = Cause(CauseReason.INVALID, "metadata.resourceVersion", "must be specified for an update")
    title = f"{key.kind.name}.{key.kind.group}" if key.kind.group else key.kind.name
    message = f'{title} "{key.name}" is invalid: {cause}'
    return InvalidError(message, resource=key.kind.resource, name=key.name, causes=[cause])


def namespace_missing(namespace: str) -> NotFoundError:
    """A create inside a namespace that does not exist."""
    return NotFoundError(f'namespaces "{namespace}" not found', resource="namespaces", name=namespace)


def check_place(key: Key, metadata: ObjectMeta) -> None:
    """Raise BadRequestError when a changed object no longer says the name and namespace in the URL, ``key``."""
    if not metadata.name:
        raise BadRequestError(
            f"the name of the object ({key.name} based on URL) was undeterminable: name must be provided"
        )
    if metadata.name != key.name:
        raise BadRequestError(
            f"the name of the object ({metadata.name}) does not match the name on the URL ({key.name})"
        )
    if key.namespace and metadata.namespace not in ("", key.namespace):
        raise BadRequestError(
            f"the namespace of the object ({metadata.namespace}) does not match the namespace on the request "
            f"({key.namespace})"
        )
    metadata.namespace = key.namespace


def account_missing(pod: Pod, account: str) -> AdmissionRefusedError:
    """A pod names a ServiceAccount that does not exist; it is called by what its name is generated from, if it is."""
    where = pod.metadata.namespace
    why = f'error looking up service account {where}/{account}: serviceaccount "{account}" not found'
    return not_admitted(pod, why, pod.metadata.generate_name)


def not_admitted(obj: ApiObject, why: str, called: str = "") -> AdmissionRefusedError:
    """Admission refuses ``obj``, which is told of by its name, or as it is ``called``."""
    kind, name = kind_of(obj), obj.metadata.name
    key = Key(kind, obj.metadata.namespace, called or name)
    return AdmissionRefusedError(f"{_called(key)} is forbidden: {why}", resource=kind.resource, name=name)


def uncalled(key: Key) -> ForbiddenError:
    """What others would be asked for each write; whoever knows that they are not can have it kept."""
    why = (
        "Rollplane calls no webhooks and evaluates no admission policies: what this one would change or refuse would "
        "pass as it is. To keep it all the same, start the apiserver, or rollplane up, with --ignore-webhooks"
    )
    return ForbiddenError(f"{_called(key)} is forbidden: {why}", resource=key.kind.resource, name=key.name)


def namespace_terminating(key: Key) -> ForbiddenError:
    """A create inside a namespace that is going away."""
    why = f"unable to create new content in namespace {key.namespace} because it is being terminated"
    cause = Cause(CauseReason.NAMESPACE_TERMINATING, "metadata.namespace", f"namespace {key.namespace} is terminating")
    return ForbiddenError(
        f"{_called(key)} is forbidden: {why}", resource=key.kind.resource, name=key.name, causes=[cause]
    )


def addresses_refused(service: Service, causes: Sequence[Cause]) -> AddressesRefusedError:
    """Addresses or ports that the Service names are not to be had."""
    name = service.metadata.name
    message = f'Service "{name}" is invalid: {"; ".join(map(str, causes))}'
    return AddressesRefusedError(message, resource=SERVICE.resource, name=name, causes=causes)


def addresses_exhausted(service: str, why: str) -> AddressesExhaustedError:
    """Nothing is left to give."""
    return AddressesExhaustedError(f"Internal error occurred: {why}", resource=SERVICE.resource, name=service)


def claimed(key: Key) -> ConflictError:
    """Others were faster time and again."""
    return conflict(key, "the addresses or ports it was to have were given to others meanwhile; please try again")


def overtaken(key: Key) -> ConflictError:
    """Others took of its namespace's quotas time and again while it was decided."""
    return conflict(key, "the quota of its namespace was drawn upon by others meanwhile; please try again")


def not_attempted(group: str) -> NotAttemptedError:
    """An earlier write of the group failed."""
    return NotAttemptedError(f"an earlier write of group {group!r} failed, so this one was not tried")


def withdrawn(key: Key) -> ConflictError:
    """A write that comes after it was given up."""
    return conflict(key, "this write was given up before it arrived, and is not carried out any more")


def no_memory(key: Key) -> UnavailableError:
    """The store takes deletions only."""
    message = f"{_called(key)} cannot be written: the store is out of memory and takes only what makes it smaller"
    return UnavailableError(message, outcome=Outcome.NOT_SENT, retry_after_seconds=1.0)


def too_large(key: Key, size: int, limit: int) -> RequestTooLargeError:
    """The object outgrows what is stored."""
    message = f"{_called(key)} takes {size} bytes, the limit is {limit}"
    return RequestTooLargeError(message, resource=key.kind.resource, name=key.name)


def _called(key: Key) -> str:
    return f'{key.kind.resource} "{key.name}"'
