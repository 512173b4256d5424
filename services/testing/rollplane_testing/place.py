"""One test's place on a server: a namespace, and all that the test does with it, with time, and with the plane."""

from __future__ import annotations

import os
import shutil
import subprocess
import time
import unittest
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

from rollplane_plane.kubeconfig_file import kubeconfig, write

if TYPE_CHECKING:
    from rollplane_testing.server import Server

RUN_SECONDS = 120.0
_LOOK_SECONDS = 0.02
_LOOPBACK = "127.0.0.1,localhost"


class CommandFailedError(AssertionError):
    """A command that had to succeed did not."""


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
