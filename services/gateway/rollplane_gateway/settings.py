"""What one gateway process is started with: ``ROLLPLANE_*`` variables, then flags on top of them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from rollplane_service.settings import WORKER_FLAGS, Flag, WorkerSettings
from rollplane_service.settings import read_arguments as read

DEFAULT_ADDRESS = "127.0.0.1:7080"


@dataclass(frozen=True, slots=True, kw_only=True)
class Settings(WorkerSettings):
    """Each field is the variable ``ROLLPLANE_<FIELD>``; raises ValueError for one that makes no sense.

    ``rest_listen`` is where the Kubernetes REST API is served, ``/metrics`` included. ``rest_hosts`` are names,
    separated by commas, under which clients may ask besides addresses and localhost.
    """

    rest_listen: str = DEFAULT_ADDRESS
    rest_hosts: str = ""
    health_listen: str = "127.0.0.1:7081"

    @property
    def hosts(self) -> tuple[str, ...]:
        """The names, one by one."""
        return tuple(name.strip() for name in self.rest_hosts.split(",") if name.strip())


FLAGS = (
    Flag("rest_listen", "ADDRESS", "host:port to serve the Kubernetes REST API on"),
    Flag("rest_hosts", "NAMES", "names under which clients may ask, besides addresses and localhost"),
    *WORKER_FLAGS,
)


def read_arguments(arguments: Sequence[str], environ: Mapping[str, str]) -> Settings:
    """Return the settings of one start; prints help or the mistake and raises SystemExit where argparse does."""
    return read(
        Settings, "rollplane_gateway", "The Kubernetes REST API of a Rollplane cell.", FLAGS, arguments, environ
    )
