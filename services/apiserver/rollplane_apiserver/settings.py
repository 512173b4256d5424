"""What one apiserver process is started with: ``ROLLPLANE_*`` variables, then flags on top of them."""

from __future__ import annotations

import argparse
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Self

from rollplane_service.environment import read_settings
from rollplane_service.listen import check_address

MIB = 1024 * 1024


@dataclass(frozen=True, slots=True)
class Settings:
    """Each field is the variable ``ROLLPLANE_<FIELD>``; raises ValueError for one that makes no sense.

    ``listen`` and ``metrics_listen`` are ``host:port`` (port 0: any free one) or, the former only, ``unix:path``; an
    empty ``metrics_listen`` serves no metrics. ``insecure_bind`` allows addresses that other machines can reach.
    ``redis`` is the store's URL; ``memory://`` keeps everything in this process, and nothing when it ends.
    ``grace_seconds`` is how long calls in progress may take after SIGTERM. ``ring_bytes`` bounds the changes held for
    watchers; ``log_entries`` and ``log_bytes`` the store's log, and with it how long a client may be away and still
    resume. ``wait_replicas`` counts replicas that must have a commit before it is acknowledged.
    """

    listen: str = "127.0.0.1:7070"
    metrics_listen: str = "127.0.0.1:7071"
    insecure_bind: bool = False
    redis: str = "redis://127.0.0.1:6379/0"
    cell: str = "default"
    wait_replicas: int = 0
    log_entries: int = 250_000
    log_bytes: int = 256 * MIB
    ring_bytes: int = 64 * MIB
    max_calls: int = 1024
    max_streams: int = 4096
    grace_seconds: float = 10.0
    log_level: str = "info"

    def __post_init__(self) -> None:
        check_address(self.listen, insecure_bind=self.insecure_bind)
        if self.metrics_listen:
            check_address(self.metrics_listen, insecure_bind=self.insecure_bind)
            if self.metrics_listen.startswith("unix:"):
                raise ValueError("metrics are served on host:port, not on a socket file")
        for name in ("log_entries", "log_bytes", "ring_bytes", "max_calls", "max_streams"):
            if getattr(self, name) < 1:
                raise ValueError(f"{name} is {getattr(self, name)}, want at least 1")
        if self.grace_seconds < 0 or self.wait_replicas < 0:
            raise ValueError("grace_seconds and wait_replicas must not be negative")

    @classmethod
    def from_env(cls, environ: Mapping[str, str], **given: Any) -> Self:
        """Return the settings in ``environ``, with ``given`` fields in their place; raises ValueError by name."""
        return read_settings(cls, environ, given)


def read_arguments(arguments: Sequence[str], environ: Mapping[str, str]) -> Settings:
    """Return the settings of one start; prints help or the mistake and raises SystemExit where argparse does."""
    parser = argparse.ArgumentParser(
        prog="rollplane_apiserver",
        description="The API server of a Rollplane cell.",
        argument_default=argparse.SUPPRESS,
    )
    parser.add_argument("--listen", metavar="ADDRESS", help="host:port or unix:path to serve gRPC on")
    parser.add_argument("--metrics-listen", metavar="ADDRESS", help="host:port of the metrics, or nothing")
    parser.add_argument("--redis", metavar="URL", help="redis://, rediss://, unix:// or memory://")
    parser.add_argument("--cell", metavar="NAME", help="the cell served, default 'default'")
    parser.add_argument(
        "--insecure-bind",
        action="store_true",
        help="allow addresses that other machines can reach, although calls are neither encrypted nor authenticated",
    )
    given = vars(parser.parse_args(arguments))
    try:
        return Settings.from_env(environ, **given)
    except ValueError as exc:
        parser.error(str(exc))
