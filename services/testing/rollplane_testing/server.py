"""The test's side of servers: their processes, and what is asked of them."""

from __future__ import annotations

import builtins
import itertools
import json
import subprocess
import sys
import threading
from collections.abc import Iterator, Mapping
from contextlib import ExitStack, contextmanager, suppress
from dataclasses import asdict
from pathlib import Path
from types import TracebackType
from typing import Any, Self

from rollplane_machinery import errors
from rollplane_testing.options import Options
from rollplane_testing.place import Place

_STOP_SECONDS = 5.0
_LAST_LINES = 20


class ServerEndedError(RuntimeError):
    """The server has ended, or did not start; with the last lines of its log."""


class Server:
    """A plane in a process of its own, which ends with this one: ``with Server(Options(), folder) as server``.

    ``folder`` is where its log is, and kubeconfigs are put. Entering raises what keeps it from starting.
    """

    def __init__(self, options: Options, folder: Path) -> None:
        self.options = options
        self.folder = folder
        self.url = ""
        self.address = ""
        self._names = (f"test-{number}" for number in itertools.count(1))
        self._numbers = itertools.count(1)
        self._lock = threading.Lock()
        self._process: subprocess.Popen[bytes] | None = None

    def __enter__(self) -> Self:
        if not isinstance(self.options.nodes, int | str):
            raise TypeError("the nodes of a server are a number, or the path of a file")
        self.folder.mkdir(parents=True, exist_ok=True)
        with self._log.open("wb") as log:
            self._process = subprocess.Popen(  # noqa: S603
                [sys.executable, "-m", "rollplane_testing.serving", json.dumps(asdict(self.options))],
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=log,
                start_new_session=True,  # Ctrl-C is for the tests, which end it
            )
        try:
            self._greeted()
        except BaseException:
            self.close()
            raise
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def close(self) -> None:
        """End it; nothing is kept."""
        process = self._living
        for pipe in (process.stdin, process.stdout):
            if pipe is not None:
                with suppress(BrokenPipeError):  # what was asked of a server that had ended already
                    pipe.close()
        try:
            process.wait(_STOP_SECONDS)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()

    def ask(self, verb: str, *args: Any, **named: Any) -> Any:
        """Ask for one thing (``verbs.py``) and wait for it; raises what it raises there. Any thread may."""
        with self._lock:
            stdin = self._living.stdin
            if stdin is None or stdin.closed:
                raise ServerEndedError("the server was closed")
            number = next(self._numbers)
            try:
                stdin.write(json.dumps({"number": number, "verb": verb, "args": args, "named": named}).encode() + b"\n")
                stdin.flush()
            except BrokenPipeError:
                raise self._ended() from None
            answer = self._heard()
            while answer.get("number") != number:  # of somebody who was interrupted while waiting for it
                answer = self._heard()
        if "error" in answer:
            raise _error_of(answer)
        return answer["result"]

    @contextmanager
    def place(self) -> Iterator[Place]:
        """Give a test a namespace of its own; afterwards everything that it did to the plane is called off."""
        name = next(self._names)
        self.ask("begin", name)
        try:
            yield Place(self, name)
        finally:
            self.ask("end", name)

    @property
    def pid(self) -> int:
        """The number of its process."""
        return self._living.pid

    @property
    def _log(self) -> Path:
        return self.folder / "server.log"

    @property
    def _living(self) -> subprocess.Popen[bytes]:
        if self._process is None:
            raise RuntimeError("the server has not been entered")
        return self._process

    def _greeted(self) -> None:
        words = self._heard()
        if "error" in words:
            raise _error_of(words)
        self.url, self.address = f"http://{words['rest']}", words["grpc"]

    def _heard(self) -> Mapping[str, Any]:
        stdout = self._living.stdout
        line = b"" if stdout is None else stdout.readline()
        if not line:
            raise self._ended()
        answer: Mapping[str, Any] = json.loads(line)
        return answer

    def _ended(self) -> ServerEndedError:
        code = self._living.wait()
        last = self._log.read_text(errors="replace").splitlines()[-_LAST_LINES:]
        return ServerEndedError("\n".join([f"the server has ended, exit code {code}", *last]))


def _error_of(answer: Mapping[str, Any]) -> Exception:
    """Return the error that was raised over there, of the closest class of ours or Python's."""
    known = (getattr(errors, name, getattr(builtins, name, None)) for name in answer["error"])
    for each in known:
        if isinstance(each, type) and issubclass(each, Exception):
            with suppress(TypeError):  # of one that is made of more than a message
                return each(answer["message"])
    raise AssertionError(f"no error: {answer}")


class Servers:
    """The servers of a test session, one for each set of options: ``with Servers(folder) as servers``."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._stack = ExitStack()
        self._numbers = itertools.count(1)
        self._shared: dict[str, Server] = {}

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._stack.close()

    @contextmanager
    def place(self, options: Options) -> Iterator[Place]:
        """Give a test a namespace on the server of those options, which is started when it is first asked for."""
        if options.own:
            with self._new(options) as server, server.place() as place:
                yield place
            return
        with self._of(options).place() as place:
            yield place

    def _of(self, options: Options) -> Server:
        name = json.dumps(asdict(options))
        if name not in self._shared:
            self._shared[name] = self._stack.enter_context(self._new(options))
        return self._shared[name]

    def _new(self, options: Options) -> Server:
        return Server(options, self._folder / f"server-{next(self._numbers)}")
