"""One run of the command: whom it talks to, and in whose words it answers."""

from __future__ import annotations

from collections.abc import Mapping
from contextlib import AbstractAsyncContextManager, AsyncExitStack
from functools import cached_property
from types import TracebackType
from typing import TYPE_CHECKING, Self

from rollplane_cli.console import Console
from rollplane_cli.failures import CommandError
from rollplane_machinery.errors import Outcome, RollplaneError, UnavailableError

if TYPE_CHECKING:
    from rollplane_machinery.api import Api
    from rollplane_machinery.clock import Clock
    from rollplane_machinery.definitions import Customs
    from rollplane_service.presence import Presence

DEFAULT_SERVER = "127.0.0.1:7070"
DEFAULT_NAMESPACE = "default"

_GIVE_UP_SECONDS = 1.0
"""How long an absent server is tried: a person at a prompt wants to know, a plane that restarts is back within it."""


class Session:
    """``async with Session(…) as session``: the connection is opened by the first ``api()`` and closed at the end.

    ``namespace`` is the one commands act in; ``namespace_given`` tells whether the caller named it.
    ``request_timeout_seconds`` bounds every call but watches; 0 leaves that to the client library.
    """

    def __init__(
        self,
        console: Console,
        environ: Mapping[str, str],
        *,
        server: str = "",
        namespace: str = "",
        request_timeout_seconds: float = 0.0,
        clock: Clock | None = None,
    ) -> None:
        self.console = console
        self.environ = environ
        self._told = server or environ.get("ROLLPLANE_SERVER", "")
        self.namespace = namespace or DEFAULT_NAMESPACE
        self.namespace_given = bool(namespace)
        self._clock = clock
        self._request_timeout_seconds = request_timeout_seconds
        self._stack = AsyncExitStack()
        self._api: Api | None = None
        self._customs: Customs | None = None

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self._stack.aclose()

    @cached_property
    def server(self) -> str:
        """Where the control plane is; raises CommandError while the one of this folder has not said so."""
        if found := self.find_server():
            return found
        raise CommandError("the plane of this folder is still starting; rollplane wait-ready waits for it")

    def find_server(self) -> str:
        """Return where the control plane is now: as told, else where the one of this folder is, else the usual address.

        "" while that of this folder is starting: whoever is at the usual address is another.
        """
        if self._told:
            return self._told
        found = _running_here()
        return found.server if found is not None else DEFAULT_SERVER

    @property
    def clock(self) -> Clock:
        """The clock that was passed, or the system's."""
        if self._clock is None:
            from rollplane_machinery.clock import SystemClock

            self._clock = SystemClock()
        return self._clock

    async def customs(self) -> Customs:
        """The custom kinds that the plane knows, as of when they were first asked for."""
        if self._customs is None:
            from rollplane_client.customs import read_all

            self._customs = await read_all(await self.api())
        return self._customs

    def report(self, error: RollplaneError) -> None:
        """Tell on standard error what went wrong, in kubectl's words."""
        from rollplane_printing.sentences import error_lines

        if _is_absent(error):
            self.console.warn(
                f"The connection to the server {self.server} was refused - did you specify the right host or port?"
            )
            self.console.warn(
                'Start a control plane with "rollplane up", or name another by --server or ROLLPLANE_SERVER.'
            )
            return
        for line in error_lines(error):
            self.console.warn(line)

    async def api(self) -> Api:
        """Return the Api at ``server``; nothing is sent before it is used.

        Raises BadRequestError for no address, CommandError for one with a scheme.
        """
        if self._api is None:
            self._api = await self._stack.enter_async_context(self.connected(self.server))
        return self._api

    def connected(self, address: str) -> AbstractAsyncContextManager[Api]:
        """Return a connection to ``address`` by the rules of this run; raises what ``api`` raises."""
        # Imported late: gRPC is half of the program's start, and `version` and `--help` do without.
        from rollplane_client.grpc_api import DEFAULT_DEADLINES, Deadlines, connect
        from rollplane_client.retry import RetryPolicy

        if address.startswith(("http://", "https://")):
            raise CommandError(f"the server {address} speaks gRPC: name it as host:port, without http://")
        limit = self._request_timeout_seconds
        return connect(
            address,
            name="rollplane",
            deadlines=Deadlines(limit, limit) if limit else DEFAULT_DEADLINES,
            retry=RetryPolicy(give_up_seconds=min(limit or _GIVE_UP_SECONDS, _GIVE_UP_SECONDS)),
        )


def _running_here() -> Presence | None:
    """Return the plane that runs on the data folder of the present one; None when none does, or is not ours."""
    from rollplane_service.presence import DEFAULT_DATA, plane_on

    try:
        return plane_on(DEFAULT_DATA)
    except OSError:  # somebody else's folder, or no folder at all: nothing that a client would have to complain of
        return None


def _is_absent(error: RollplaneError) -> bool:
    """Whether nobody answered: a server that is there but cannot do it now says when to come again."""
    if not isinstance(error, UnavailableError) or error.retry_after_seconds is not None:
        return False
    return error.outcome is Outcome.NOT_SENT
