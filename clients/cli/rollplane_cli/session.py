"""One run of the command: whom it talks to, and in whose words it answers."""

from __future__ import annotations

from collections.abc import Mapping
from contextlib import AsyncExitStack
from types import TracebackType
from typing import TYPE_CHECKING, Self

from rollplane_cli.console import Console
from rollplane_machinery.errors import Outcome, RollplaneError, UnavailableError

if TYPE_CHECKING:
    from rollplane_machinery.api import Api
    from rollplane_machinery.clock import Clock

DEFAULT_SERVER = "127.0.0.1:7070"
DEFAULT_NAMESPACE = "default"

_GIVE_UP_SECONDS = 1.0
"""How long an absent server is tried: a person at a prompt wants to know, a plane that restarts is back within it."""


class Session:
    """``async with Session(…) as session``: the connection is opened by the first ``api()`` and closed at the end.

    ``namespace`` is the one commands act in; ``namespace_given`` tells whether the caller named it.
    """

    def __init__(
        self, console: Console, environ: Mapping[str, str], *, server: str = "", namespace: str = "", clock: Clock
    ) -> None:
        self.console = console
        self.environ = environ
        self.server = server or environ.get("ROLLPLANE_SERVER", "") or DEFAULT_SERVER
        self.namespace = namespace or DEFAULT_NAMESPACE
        self.namespace_given = bool(namespace)
        self.clock = clock
        self._stack = AsyncExitStack()
        self._api: Api | None = None

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self._stack.aclose()

    def report(self, error: RollplaneError) -> None:
        """Tell on standard error what went wrong, in kubectl's words."""
        from rollplane_printing.sentences import error_lines

        if isinstance(error, UnavailableError) and error.outcome is Outcome.NOT_SENT:
            self.console.warn(
                f"The connection to the server {self.server} was refused - "
                'start a control plane with "rollplane up", or name another by --server or ROLLPLANE_SERVER'
            )
            return
        for line in error_lines(error):
            self.console.warn(line)

    async def api(self) -> Api:
        """Return the Api at ``server``; nothing is sent before it is used. Raises BadRequestError for no address."""
        if self._api is None:
            # Imported late: gRPC is half of the program's start, and `version` and `--help` do without.
            from rollplane_client.grpc_api import connect
            from rollplane_client.retry import RetryPolicy

            policy = RetryPolicy(give_up_seconds=_GIVE_UP_SECONDS)
            self._api = await self._stack.enter_async_context(connect(self.server, name="rollplane", retry=policy))
        return self._api
