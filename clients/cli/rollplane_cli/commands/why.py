"""``rollplane why``."""

from __future__ import annotations

from typing import Any

from rollplane_cli.choosing import Found, fetch, keys_of
from rollplane_cli.command import Command, output
from rollplane_cli.failures import CommandError, UsageError
from rollplane_cli.flags import Flags
from rollplane_cli.output.documents import render
from rollplane_cli.output.pods import pod_document
from rollplane_cli.output.tables import Style, TablePrinter
from rollplane_cli.scene import look
from rollplane_cli.session import Session
from rollplane_cli.targets import find_targets
from rollplane_client.channel import open_channel
from rollplane_machinery.codec.time_text import format_time
from rollplane_machinery.kinds import POD
from rollplane_machinery.times import time_of
from rollplane_planners import reasons
from rollplane_planners.reasons import Reason
from rollplane_printing.diagnosis import Diagnosis
from rollplane_printing.scene import is_workload
from rollplane_printing.sentences import path_of
from rollplane_printing.tables import table_of
from rollplane_service.peer import HINDRANCES, STORE_MEMORY, STORE_WRITES, hindrances

_CODES = {STORE_WRITES: "StoreRefusesWrites", STORE_MEMORY: "StoreShortOfMemory"}


class WhyFlags(Flags):
    """Flags of ``why``."""

    output = output("json", "yaml")


async def run(flags: WhyFlags, session: Session) -> int:
    """Say in one sentence what a workload waits for, and show the pods behind it."""
    targets = await find_targets(session, flags.words)
    if not targets.are_named:
        raise UsageError("name a workload, as deploy/NAME")
    chosen = await fetch(session, keys_of(session, targets))
    for found in chosen.found:
        workload = found.parse()
        if not is_workload(workload):
            raise CommandError(f"why is known of workloads only, not of {found.key.kind.plural}")
        diagnosis = await look(session, found.key, workload)
        _show(flags, session, found, diagnosis if diagnosis.is_complete else await _with_the_store(session, diagnosis))
    return chosen.exit_code


async def _with_the_store(session: Session, diagnosis: Diagnosis) -> Diagnosis:
    """Tell what hinders all writes, too: a store that refuses them cannot hold a word of that in any object."""
    async with open_channel(session.server) as channel:
        hindering = await hindrances(channel)
    return diagnosis.with_notes([reasons.note(_CODES[name], HINDRANCES[name]) for name in hindering])


def _show(flags: WhyFlags, session: Session, found: Found, diagnosis: Diagnosis) -> None:
    if form := flags.output:
        session.console.write(render(_document(found, diagnosis), form))
        return
    session.console.say(diagnosis.sentence)
    if diagnosis.pods:
        session.console.say()
        printer = TablePrinter(session.console, POD, Style(wide=False))
        printer.show(table_of(POD, diagnosis.pods, session.clock.now()))


def _document(found: Found, diagnosis: Diagnosis) -> dict[str, Any]:
    """The diagnosis as stable JSON, described in docs/cli.md."""
    return {
        "apiVersion": "cli.rollplane.dev/v1",
        "kind": "RolloutDiagnosis",
        "workload": path_of(found.key.kind, found.key.name),
        "namespace": found.key.namespace,
        "complete": diagnosis.is_complete,
        "stuck": diagnosis.is_stuck,
        "reason": diagnosis.reason,
        "message": diagnosis.sentence,
        "pods": [pod_document(pod) for pod in diagnosis.pods],
        "reasons": [_reason_document(reason) for reason in diagnosis.reasons],
    }


def _reason_document(reason: Reason) -> dict[str, Any]:
    """One of the planner's reasons; ``until`` only where time alone brings it about."""
    until = {"until": format_time(time_of(reason.until))} if reason.until is not None else {}
    return {
        "reason": reason.code,
        "nature": reason.nature,
        "message": str(reason),
        "pods": list(reason.pods),
        **until,
    }


WHY = Command(
    "(TYPE NAME | TYPE/NAME…)",
    "Say what a workload waits for, and show the pods behind it.",
    WhyFlags,
    run,
)
