"""``rollplane sim``: orders to simulated pods.

An order is an annotation, which the pod's kubelet carries out and takes away. Real kubelets know nothing of it.
"""

from __future__ import annotations

import json
from functools import partial

from rollplane_cli.choosing import Found, choose, report_failure
from rollplane_cli.command import ChoosingFlags, Command
from rollplane_cli.failures import UsageError
from rollplane_cli.session import Session
from rollplane_machinery.api import Patch, PatchType, WriteOptions
from rollplane_machinery.errors import RollplaneError

ORDER = "sim.rollplane.dev/do"
"""The annotation that holds the order."""


async def _run(flags: ChoosingFlags, session: Session, *, order: str) -> int:
    names = [word.removeprefix("pod/").removeprefix("pods/") for word in flags.words]
    if not names and not flags.selector and not flags.all:
        raise UsageError("name one or more pods, or choose them by -l or --all")
    chosen = await choose(flags, session, ["pods", *names])
    for found in chosen.found:
        try:
            await _give(session, found, order)
        except RollplaneError as exc:
            report_failure(session, exc)
            chosen.failed = True
    return chosen.exit_code


async def _give(session: Session, found: Found, order: str) -> None:
    patch = json.dumps({"metadata": {"annotations": {ORDER: order}}}).encode()
    options = WriteOptions(field_manager="rollplane-sim")
    await (await session.api()).write(Patch(found.key, PatchType.MERGE, patch, options=options))
    session.console.say(f"pod/{found.key.name} told: {order}")


READY = Command("POD…", "Make simulated pods ready.", ChoosingFlags, partial(_run, order="ready"))
UNREADY = Command("POD…", "Make simulated pods lose readiness.", ChoosingFlags, partial(_run, order="unready"))
CRASH = Command("POD…", "Crash the containers of simulated pods.", ChoosingFlags, partial(_run, order="crash"))
FINISH = Command("POD…", "Let the containers of simulated pods end well.", ChoosingFlags, partial(_run, order="finish"))
