"""``rollplane describe``."""

from __future__ import annotations

from typing import TypeVar

from rollplane.apps.v1 import DaemonSet, Deployment, ReplicaSet, StatefulSet
from rollplane.coordination.v1 import Lease
from rollplane.core.v1 import Event, Node, PersistentVolumeClaim, Pod, ReplicationController
from rollplane_cli.choosing import Found, fetch, fetch_files, keys_of, refuse_selector
from rollplane_cli.command import Command, EverywhereFlags, FileFlags, SelectorFlags
from rollplane_cli.failures import CommandError
from rollplane_cli.flags import switch
from rollplane_cli.reading import key_of, list_all
from rollplane_cli.session import Session
from rollplane_cli.targets import Targets, find_targets
from rollplane_machinery.api import Key, ListQuery
from rollplane_machinery.errors import NotFoundError
from rollplane_machinery.kinds import EVENT, LEASE, POD, REPLICA_SET, ApiObject, Kind
from rollplane_machinery.selectors import pod_selector_of
from rollplane_printing.describe import Surroundings, describe

M = TypeVar("M", bound=ApiObject)


class DescribeFlags(FileFlags, SelectorFlags, EverywhereFlags):
    """Flags of ``describe``."""

    show_events = switch("Also list events", default=True)


async def run(flags: DescribeFlags, session: Session) -> int:
    """Describe the objects named, or all of a kind."""
    targets = await find_targets(session, flags.words)
    failed = False
    if targets.are_named or flags.filename:
        refuse_selector(flags)
        by_file = bool(flags.filename)
        chosen = await (fetch_files(session, flags) if by_file else fetch(session, keys_of(session, targets)))
        found, failed = chosen.found, chosen.failed
    else:
        found = await _listed(flags, session, targets)
    for at, each in enumerate(found):
        session.console.say_all([""] * (2 if at else 0) + await _described(flags, session, each))
    return int(failed)


async def _listed(flags: DescribeFlags, session: Session, targets: Targets) -> list[Found]:
    if not targets.items:
        raise CommandError("You must specify the type of resource to describe.")
    api = await session.api()
    found: list[Found] = []
    for kind in targets.kinds:
        namespace = session.namespace if kind.namespaced and not flags.all_namespaces else ""
        listed = await list_all(api, ListQuery(kind, namespace, flags.selector))
        found += [Found(key_of(each), each) for each in listed.objects]
    if not found:
        session.console.warn(f"No resources found in {session.namespace} namespace.")
    return found


async def _described(flags: DescribeFlags, session: Session, found: Found) -> list[str]:
    message = found.parse()
    around = Surroundings(
        await _selected(session, found, ReplicaSet, REPLICA_SET, _sets_selector(message)),
        await _pods(session, found, message),
        await _events(session, found, message) if flags.show_events else [],
        await _lease(session, message),
    )
    return describe(found.key.kind, message, around, session.clock.now())


async def _pods(session: Session, found: Found, message: ApiObject) -> list[Pod]:
    """The pods that belong to the object: those it may have made, that run on it, or that may use it."""
    if isinstance(message, Node):
        fields = f"spec.nodeName={found.key.name},status.phase!=Succeeded,status.phase!=Failed"
        return await _all(session, Pod, ListQuery(POD, field_selector=fields))
    if isinstance(message, PersistentVolumeClaim):
        return await _all(session, Pod, ListQuery(POD, found.key.namespace))
    return await _selected(session, found, Pod, POD, _pods_selector(message))


async def _lease(session: Session, message: ApiObject) -> Lease | None:
    """A node's lease, None for any other object or when there is none."""
    if not isinstance(message, Node):
        return None
    try:
        lease = (await (await session.api()).get(Key(LEASE, "kube-node-lease", message.metadata.name))).parse()
    except NotFoundError:
        return None
    return lease if isinstance(lease, Lease) else None


def _sets_selector(message: ApiObject) -> str | None:
    return str(pod_selector_of(message)) if isinstance(message, Deployment) else None


def _pods_selector(message: ApiObject) -> str | None:
    """The selector of the pods it makes itself, None for a kind that makes none."""
    if isinstance(message, ReplicaSet | StatefulSet | DaemonSet | ReplicationController):
        return str(pod_selector_of(message))
    return None


async def _selected(session: Session, found: Found, message_type: type[M], kind: Kind, selector: str | None) -> list[M]:
    """What ``selector`` matches beside the object; nothing for None."""
    if selector is None:
        return []
    return await _all(session, message_type, ListQuery(kind, found.key.namespace, selector))


async def _all(session: Session, message_type: type[M], query: ListQuery) -> list[M]:
    listed = await list_all(await session.api(), query)
    return [message for each in listed.objects if isinstance(message := each.parse(), message_type)]


async def _events(session: Session, found: Found, message: ApiObject) -> list[Event]:
    """The events about the object; a kubelet names its node as the uid of its own."""
    uids = [message.metadata.uid, *([found.key.name] if isinstance(message, Node) else [])]
    events = []
    for uid in uids:
        fields = {
            "involvedObject.name": found.key.name,
            "involvedObject.kind": found.key.kind.name,
            "involvedObject.uid": uid,
        }
        selector = ",".join(f"{name}={value}" for name, value in fields.items())
        events += await _all(session, Event, ListQuery(EVENT, found.key.namespace, field_selector=selector))
    return events


DESCRIBE = Command(
    "(TYPE [NAME…] | TYPE/NAME… | -f FILE)",
    "Describe objects in words, with what belongs to them and their events.",
    DescribeFlags,
    run,
)
