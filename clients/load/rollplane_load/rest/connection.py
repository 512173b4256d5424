"""HTTP/1.1 to one cluster: trust, identity, calls that come again when the server asks for it."""

from __future__ import annotations

import asyncio
import ssl
import tempfile
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path

import aiohttp

from rollplane_load.rest.forms import ACCEPT, ACCEPT_WATCH, JSON, read_error
from rollplane_load.rest.kubeconfig import Access
from rollplane_machinery.clock import Clock
from rollplane_machinery.errors import (
    Outcome,
    RollplaneError,
    SetupError,
    TimedOutError,
    TooManyRequestsError,
    UnavailableError,
)

CALL_SECONDS = 30.0
SILENCE_SECONDS = 150.0
"""How long a watch may be silent until it is taken for lost: bookmarks come about every minute."""
TRIES = 8
WAIT_SECONDS = 1.0
CHUNK = 1 << 16


@dataclass(frozen=True, slots=True)
class Answer:
    """A good answer."""

    content_type: str
    body: bytes


class Connection:
    """Calls to one cluster, as many at a time as anybody makes; ``retries`` counts those made again."""

    def __init__(self, session: aiohttp.ClientSession, access: Access, clock: Clock) -> None:
        self._session = session
        self._access = access
        self._clock = clock
        self.retries = 0

    async def call(
        self,
        method: str,
        path: str,
        *,
        params: Mapping[str, str] | None = None,
        body: bytes | None = None,
        content_type: str = JSON,
        tries: int = TRIES,
    ) -> Answer:
        """Return the answer to one request; raises what the server refuses it with.

        One that the server has not taken (429, or 503 with Retry-After) is sent again when it says, ``tries`` times in
        all. One that reads is so, too, when the connection breaks; of one that writes nobody knows then whether it was
        made.
        """
        for attempt in range(1, tries + 1):
            try:
                return await self._once(method, path, params, body, content_type)
            except RollplaneError as exc:
                if attempt == tries or not _may_come_again(exc, reads=method == "GET"):
                    raise
                self.retries += 1
                await self._clock.sleep(exc.retry_after_seconds or WAIT_SECONDS)
        raise AssertionError("the last try either returns or raises")

    async def _once(
        self, method: str, path: str, params: Mapping[str, str] | None, body: bytes | None, content_type: str
    ) -> Answer:
        headers = {"Accept": ACCEPT, **({"Content-Type": content_type} if body is not None else {})}
        try:
            async with self._session.request(
                method,
                self._access.server + path,
                params=params,
                data=body,
                headers=headers,
                timeout=aiohttp.ClientTimeout(total=CALL_SECONDS),
                proxy=self._access.proxy or None,
                server_hostname=self._access.server_name or None,
            ) as response:
                answer = Answer(response.content_type, await response.read())
                if response.status >= 400:
                    raise _refusal(response, answer)
                return answer
        except TimeoutError as exc:
            raise TimedOutError(f"no answer after {CALL_SECONDS:g} s") from exc
        except aiohttp.ClientError as exc:
            raise _broken(exc, self._access.server) from exc

    @asynccontextmanager
    async def stream(self, path: str, params: Mapping[str, str]) -> AsyncIterator[tuple[str, AsyncIterator[bytes]]]:
        """Open a watch; yields its content type and what arrives. Raises UnavailableError when it breaks."""
        timeout = aiohttp.ClientTimeout(total=None, sock_connect=CALL_SECONDS, sock_read=SILENCE_SECONDS)
        try:
            async with self._session.get(
                self._access.server + path,
                params=params,
                headers={"Accept": ACCEPT_WATCH},
                timeout=timeout,
                proxy=self._access.proxy or None,
                server_hostname=self._access.server_name or None,
            ) as response:
                if response.status >= 400:
                    raise _refusal(response, Answer(response.content_type, await response.read()))
                yield response.content_type, response.content.iter_any()
        except (aiohttp.ClientError, TimeoutError) as exc:
            raise _broken(exc, self._access.server) from exc


def _refusal(response: aiohttp.ClientResponse, answer: Answer) -> RollplaneError:
    error = read_error(answer.content_type, answer.body, response.status)
    delay = response.headers.get("Retry-After", "")
    if delay.isdecimal():
        error.retry_after_seconds = float(delay)
    return error


def _broken(error: Exception, server: str) -> UnavailableError:
    if isinstance(error, aiohttp.ClientConnectorError):
        return UnavailableError(f"{server} cannot be reached: {error}", outcome=Outcome.NOT_SENT)
    return UnavailableError(f"the connection broke: {error}", outcome=Outcome.OUTCOME_UNKNOWN)


def _may_come_again(error: RollplaneError, *, reads: bool) -> bool:
    if isinstance(error, TooManyRequestsError):
        return error.retry_after_seconds is not None
    if isinstance(error, UnavailableError):
        return reads or error.outcome is Outcome.NOT_SENT or error.retry_after_seconds is not None
    return False


@asynccontextmanager
async def connected(access: Access, clock: Clock) -> AsyncIterator[Connection]:
    """Open a connection; the first call reaches the server. Raises SetupError for certificates that cannot be used."""
    trust: ssl.SSLContext | bool = True
    if access.server.startswith("https:"):
        trust = await asyncio.to_thread(_trust, access)
    headers = {"User-Agent": "rollplane-load"}
    if access.authorization:
        headers["Authorization"] = access.authorization
    async with aiohttp.ClientSession(
        connector=aiohttp.TCPConnector(limit=0, ssl=trust),
        headers=headers,
        cookie_jar=aiohttp.DummyCookieJar(),
        read_bufsize=CHUNK,
    ) as session:
        yield Connection(session, access, clock)


def _trust(access: Access) -> ssl.SSLContext:
    """Return whom to trust and who one is; the standard library reads client certificates from files only."""
    try:
        context = ssl.create_default_context(cadata=access.authority or None)
        if not access.verify:
            context.check_hostname = False
            context.verify_mode = ssl.CERT_NONE
        if access.certificate:
            with tempfile.NamedTemporaryFile("w", suffix=".pem") as file:
                file.write(f"{access.certificate}\n{access.key}\n")
                file.flush()
                context.load_cert_chain(Path(file.name))
    except (ssl.SSLError, OSError) as exc:
        raise SetupError(f"a certificate of context {access.context} cannot be used: {exc}") from exc
    return context
