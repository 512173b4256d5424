"""Settings of a process: a frozen dataclass, its fields read from ``ROLLPLANE_*`` variables, flags on top of them."""

from __future__ import annotations

import argparse
import logging
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, fields
from types import MappingProxyType
from typing import Any, TypeVar

from rollplane_machinery.errors import BadRequestError
from rollplane_machinery.releases import LATEST, Release, release_of
from rollplane_service.listen import check_address

PREFIX = "ROLLPLANE_"
SEPARATOR = ";"
"""Between the texts in the variable of a field that holds several."""

S = TypeVar("S", bound="ProcessSettings")


@dataclass(frozen=True, slots=True, kw_only=True)
class ProcessSettings:
    """What every service can be told; each field is the variable ``ROLLPLANE_<FIELD>``.

    Every field whose name ends in ``listen`` is an address to serve on, ``host:port`` with port 0 for any free one.
    ``metrics_listen`` is where Prometheus scrapes and ``/readyz`` is asked; empty serves neither. When it is taken and
    ``metrics_give_way``, any other port of that host will do. ``insecure_bind`` allows addresses that other machines
    can reach. ``grace_seconds`` is what work in progress may take after SIGTERM. ``kubernetes`` is the release behaved
    as, which all services of a plane should be told alike.
    Raises ValueError for what makes no sense.
    """

    metrics_listen: str = ""
    metrics_give_way: bool = False
    insecure_bind: bool = False
    grace_seconds: float = 10.0
    log_level: str = "info"
    kubernetes: str = LATEST.name

    def __post_init__(self) -> None:
        for name in (field.name for field in fields(self) if field.name.endswith("listen")):
            if getattr(self, name) or name != "metrics_listen":
                check_address(getattr(self, name), insecure_bind=self.insecure_bind)
        if self.metrics_listen.startswith("unix:"):
            raise ValueError("metrics are served on host:port, not on a socket file")
        if self.grace_seconds < 0:
            raise ValueError(f"grace_seconds is {self.grace_seconds}, want 0 or more")
        if self.log_level.upper() not in logging.getLevelNamesMapping():
            raise ValueError(f"log_level is {self.log_level!r}, want debug, info, warning or error")
        read_release(self.kubernetes)

    @property
    def release(self) -> Release:
        """The release that ``kubernetes`` names."""
        return read_release(self.kubernetes)


def read_release(name: str) -> Release:
    """Return the release that a setting named ``kubernetes`` chooses; raises ValueError that says which there are."""
    try:
        return release_of(name)
    except BadRequestError as exc:
        raise ValueError(f"kubernetes: {exc.message}") from None


@dataclass(frozen=True, slots=True, kw_only=True)
class WorkerSettings(ProcessSettings):
    """What a service that works against the apiserver is told besides.

    ``server`` is the apiserver's address, ``health_listen`` where grpc.health.v1 is served.
    """

    server: str = "127.0.0.1:7070"
    health_listen: str = ""


@dataclass(frozen=True, slots=True)
class Flag:
    """The flag of a settings field: ``value`` names what is written behind it, nothing for a switch.

    One whose field is a tuple may be repeated.
    """

    field: str
    value: str
    help: str


PROCESS_FLAGS = (
    Flag("metrics_listen", "ADDRESS", "host:port of /metrics and /readyz, or nothing"),
    Flag("metrics_give_way", "", "serve metrics on any other port when theirs is taken"),
    Flag("insecure_bind", "", "allow addresses others can reach, although calls are neither encrypted nor checked"),
    Flag("grace_seconds", "SECONDS", "how long work in progress may take after SIGTERM"),
    Flag("log_level", "LEVEL", "debug, info, warning or error"),
    Flag("kubernetes", "RELEASE", f"the Kubernetes release to behave as, 1.20 to {LATEST.name} (default)"),
)
WORKER_FLAGS = (
    Flag("server", "ADDRESS", "the apiserver's address"),
    Flag("health_listen", "ADDRESS", "host:port of grpc.health.v1"),
    *PROCESS_FLAGS,
)


def read_arguments(
    settings: type[S],
    program: str,
    description: str,
    flags: Sequence[Flag],
    arguments: Sequence[str],
    environ: Mapping[str, str],
) -> S:
    """Return the settings of one start; prints help or the mistake and raises SystemExit where argparse does."""
    parser = argparse.ArgumentParser(prog=program, description=description, argument_default=argparse.SUPPRESS)
    types = {field.name: type(field.default) for field in fields(settings)}
    for flag in flags:
        name = f"--{flag.field.replace('_', '-')}"
        if types[flag.field] is tuple:
            parser.add_argument(name, action="append", metavar=flag.value, help=flag.help)
        elif flag.value:
            parser.add_argument(name, type=types[flag.field], metavar=flag.value, help=flag.help)
        else:
            parser.add_argument(name, action="store_true", help=flag.help)
    given = vars(parser.parse_args(arguments))
    try:
        return read_settings(settings, environ, given)
    except ValueError as exc:
        parser.error(str(exc))


def read_settings(settings: type[S], environ: Mapping[str, str], given: Mapping[str, Any]) -> S:
    """Return ``settings`` with each field from its variable, and ``given`` fields over them.

    The type of a field is that of its default. Raises ValueError naming the variable, or what the class itself says of
    values that make no sense together.
    """
    values = {
        field.name: _value(PREFIX + field.name.upper(), environ[PREFIX + field.name.upper()], type(field.default))
        for field in fields(settings)
        if PREFIX + field.name.upper() in environ
    }
    return settings(**(values | dict(given)))


def _boolean(text: str) -> bool:
    return {"true": True, "1": True, "false": False, "0": False}[text.lower()]


def _texts(text: str) -> tuple[str, ...]:
    return tuple(part.strip() for part in text.split(SEPARATOR) if part.strip())


_READERS: Mapping[type, Callable[[str], Any]] = MappingProxyType(
    {str: str, int: int, float: float, bool: _boolean, tuple: _texts}
)


def _value(name: str, text: str, value_type: type) -> Any:
    try:
        return _READERS[value_type](text)
    except (ValueError, KeyError):
        raise ValueError(f"{name} is {text!r}, want a {value_type.__name__}") from None
