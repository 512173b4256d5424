"""The test's side of a server: its process, its namespaces, and what is asked of it."""

from __future__ import annotations

import builtins
import itertools
import json
import os
import shutil
import subprocess
import sys
import threading
import time
import unittest
from collections.abc import Callable, Iterator, Mapping
from contextlib import ExitStack, contextmanager
from dataclasses import asdict
from pathlib import Path
from types import TracebackType
from typing import Any, Self

from rollplane_machinery import errors
from rollplane_plane.kubeconfig_file import kubeconfig, write
from rollplane_testing.options import Options

RUN_SECONDS = 120.0
_STOP_SECONDS = 5.0
_LOOK_SECONDS = 0.02
_LAST_LINES = 20
_LOOPBACK = "127.0.0.1,localhost"


class ServerEndedError(RuntimeError):
    """The server has ended, or did not start; with the last lines of its log."""


class CommandFailedError(AssertionError):
    """A command that had to succeed did not."""


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
            words = self._heard()
        except BaseException:
            self.close()
            raise
        self.url, self.address = f"http://{words['rest']}", words["grpc"]
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
            try:
                stdin.write(json.dumps({"verb": verb, "args": args, "named": named}).encode() + b"\n")
                stdin.flush()
            except BrokenPipeError:
                raise self._ended() from None
            return self._heard().get("result")

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

    def _heard(self) -> Mapping[str, Any]:
        stdout = self._living.stdout
        line = b"" if stdout is None else stdout.readline()
        if not line:
            raise self._ended()
        answer: Mapping[str, Any] = json.loads(line)
        if "error" in answer:
            raise _error_of(answer)
        return answer

    def _ended(self) -> ServerEndedError:
        code = self._living.wait()
        last = self._log.read_text(errors="replace").splitlines()[-_LAST_LINES:]
        return ServerEndedError("\n".join([f"the server has ended, exit code {code}", *last]))


def _error_of(answer: Mapping[str, Any]) -> Exception:
    """Return the error that was raised over there, of the closest class of ours or Python's."""
    known = (getattr(errors, name, getattr(builtins, name, None)) for name in answer["error"])
    made = next(each for each in known if isinstance(each, type) and issubclass(each, Exception))
    return made(answer["message"])


class _Part:
    """``faults`` or ``troubles`` of the plane, each method by its name: arguments are what JSON has."""

    def __init__(self, server: Server, name: str) -> None:
        self._server = server
        self._name = name

    def __getattr__(self, verb: str) -> Callable[..., Any]:
        if verb.startswith("_"):
            raise AttributeError(verb)

        def call(*args: Any, **named: Any) -> Any:
            return self._server.ask(f"{self._name}.{verb}", *args, **named)

        return call


class Place:
    """A namespace on a server, and all that a test does with both."""

    def __init__(self, server: Server, namespace: str) -> None:
        self._server = server
        self.namespace = namespace
        self.url = server.url
        self.address = server.address
        self.folder = server.folder / namespace
        self.kubeconfig = self.folder / "kubeconfig"
        self.faults = _Part(server, "faults")
        self.troubles = _Part(server, "troubles")
        config = kubeconfig(self.url, "rollplane")
        config["contexts"][0]["context"]["namespace"] = namespace
        write(self.kubeconfig, config)

    # Time.

    def advance(self, seconds: float) -> None:
        """Let ``seconds`` of the plane's time pass at once, with all that happens in them."""
        self._server.ask("advance", seconds)

    def until_rolled_out(self, seconds: float = 3600.0) -> float:
        """Let time pass at once until every rollout is done; return how long it took. Raises TimeoutError."""
        took: float = self._server.ask("until_rolled_out", seconds)
        return took

    def at_rest(self, seconds: float = 3600.0) -> float:
        """Let time pass at once until controllers and kubelets have done everything; return how long it took."""
        took: float = self._server.ask("at_rest", seconds)
        return took

    def until(
        self,
        holds: Callable[[], object],
        seconds: float = 30.0,
        otherwise: str = "what was waited for never came",
    ) -> None:
        """Wait until ``holds``, for ``seconds`` real ones: for what somebody outside of the plane is to do.

        Raises TimeoutError with the sentence ``otherwise``.
        """
        deadline = time.monotonic() + seconds
        while not holds():
            if time.monotonic() > deadline:
                raise TimeoutError(f"{otherwise} (within {seconds:g} s)")
            time.sleep(_LOOK_SECONDS)

    def now(self) -> float:
        """Return the plane's time of day, in seconds since the epoch."""
        seconds: float = self._server.ask("now")
        return seconds

    @property
    def troubles_left(self) -> int:
        """How many of the troubles that were asked for have befallen nobody yet."""
        left: int = self._server.ask("troubles_left")
        return left

    @contextmanager
    def at_speed(self, speed: float) -> Iterator[None]:
        """Let that many seconds pass in a real one, within the context: for those who react while time passes."""
        before = self._server.ask("set_speed", speed)
        try:
            yield
        finally:
            self._server.ask("set_speed", before)

    # What is done on it.

    def apply(self, manifests: str) -> list[str]:
        """Apply YAML or JSON as ``kubectl apply`` does, to this namespace where it names none; return the names."""
        applied: list[str] = self._server.ask("apply", manifests, self.namespace)
        return applied

    def env(self, **more: str) -> dict[str, str]:
        """Return the environment for a subprocess: kubectl, Helm, libraries and ``rollplane`` find the plane by it."""
        sparing = ",".join(filter(None, (os.environ.get("NO_PROXY", ""), _LOOPBACK)))
        return {
            **os.environ,
            "KUBECONFIG": str(self.kubeconfig),
            "KUBECACHEDIR": str(self._server.folder / "cache"),  # what kubectl knows of this server and of no other
            "ROLLPLANE_SERVER": self.address,
            "NO_PROXY": sparing,
            "no_proxy": sparing,
            **more,
        }

    def run(
        self, *command: str | Path, given: str = "", seconds: float = RUN_SECONDS, **environ: str
    ) -> subprocess.CompletedProcess[str]:
        """Run a command that finds the plane, to its end, and return it with what it printed.

        Raises CommandFailedError with all it said when it fails, subprocess.TimeoutExpired after ``seconds`` real ones.
        """
        done = subprocess.run(  # noqa: S603
            command,
            input=given,
            env=self.env(**environ),
            timeout=seconds,
            capture_output=True,
            text=True,
            check=False,
        )
        if done.returncode:
            words = " ".join(map(str, command))
            raise CommandFailedError(f"{words}\nexit code {done.returncode}\n{done.stdout}{done.stderr}")
        return done

    def kubectl(self, *words: str, given: str = "", seconds: float = RUN_SECONDS) -> str:
        """Run kubectl (``ROLLPLANE_KUBECTL``, else the one on the PATH) and return what it printed; as ``run`` does.

        Skips the test where there is none.
        """
        found = shutil.which(os.environ.get("ROLLPLANE_KUBECTL", "kubectl"))
        if found is None:
            raise unittest.SkipTest("no kubectl on the PATH")
        return self.run(found, *words, given=given, seconds=seconds).stdout

    def told(self) -> str:
        """Return what is told of the plane when the test failed."""
        head = f"{self._server.options.words()}, namespace {self.namespace}, kubeconfig {self.kubeconfig}"
        return "\n".join([head, *self._server.ask("told")])


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
