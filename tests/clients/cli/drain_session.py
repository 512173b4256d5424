"""The drain command in the process of a plane in virtual time, so that its waits take no time."""

from __future__ import annotations

import io

from rollplane_cli.commands.drain import DRAIN
from rollplane_cli.console import Console
from rollplane_cli.failures import CommandError
from rollplane_cli.parsing import parse_line
from rollplane_cli.session import Session
from rollplane_machinery.api import Api
from tests.clients.cli.commands import Ran
from tests.end_to_end.fleet_plane import FleetPlane


class _DirectSession(Session):
    """A session that speaks to an Api at hand."""

    def __init__(self, console: Console, plane: FleetPlane) -> None:
        super().__init__(console, {}, clock=plane.clock)
        self._direct = plane.api

    async def api(self) -> Api:
        return self._direct


async def drain(plane: FleetPlane, *line: str) -> Ran:
    """Carry out ``rollplane drain`` and return how it ended."""
    out, err = io.StringIO(), io.StringIO()
    async with _DirectSession(Console(out, err, io.StringIO()), plane) as session:
        try:
            code = await DRAIN.run(parse_line(line, DRAIN.flags), session)
        except CommandError as exc:
            session.console.warn(exc.line)
            code = 1
    return Ran(code, out.getvalue(), err.getvalue())
