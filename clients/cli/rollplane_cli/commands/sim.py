"""``rollplane sim``: orders to simulated pods.

An order is an annotation, which the pod's kubelet carries out and takes away. Real kubelets know nothing of it.
"""

from __future__ import annotations

import json
from functools import partial

from rollplane_cli.choosing import Found, choose, report_failure
from rollplane_cli.command import SELECTOR, Command
from rollplane_cli.failures import UsageError
from rollplane_cli.flags import Arguments, switch
from rollplane_cli.session import Session
from rollplane_machinery.api import Patch, PatchType, WriteOptions
from rollplane_machinery.errors import RollplaneError

ORDER = "sim.rollplane.dev/do"
"""The annotation that holds the order."""

_FLAGS = (SELECTOR, switch("all", "All pods of the namespace"))


async def _run(arguments: Arguments, session: Session, *, order: str) -> int:
    names = [word.removeprefix("pod/").removeprefix("pods/") for word in arguments.words]
    if not names and not arguments.text("selector") and not arguments.boolean("all"):
        raise UsageError("name one or more pods, or choose them by -l or --all")
    chosen = await choose(arguments, session, ["pods", *names])
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


READY = Command("POD…", "Make simulated pods ready.", partial(_run, order="ready"), _FLAGS)
UNREADY = Command("POD…", "Make simulated pods lose readiness.", partial(_run, order="unready"), _FLAGS)
CRASH = Command("POD…", "Crash the containers of simulated pods.", partial(_run, order="crash"), _FLAGS)
FINISH = Command("POD…", "Let the containers of simulated pods end well.", partial(_run, order="finish"), _FLAGS)
