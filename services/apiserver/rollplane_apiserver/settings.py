"""What one apiserver process is started with: ``ROLLPLANE_*`` variables, then flags on top of them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from rollplane_machinery.api import TOKEN_SECONDS
from rollplane_rules.registry.addresses import Ranges
from rollplane_service.settings import PROCESS_FLAGS, Flag, ProcessSettings
from rollplane_service.settings import read_arguments as read

MIB = 1024 * 1024


_COUNTS = ("log_entries", "log_bytes", "token_entries", "token_bytes", "ring_bytes", "max_calls", "max_streams")


@dataclass(frozen=True, slots=True, kw_only=True)
class Settings(ProcessSettings):
    """Each field is the variable ``ROLLPLANE_<FIELD>``; raises ValueError for one that makes no sense.

    ``listen`` is ``host:port`` (port 0: any free one) or ``unix:path``. ``redis`` is the store's URL; ``memory://``
    keeps everything in this process, and nothing when it ends. ``ring_bytes`` bounds the changes held for watchers;
    ``log_entries`` and ``log_bytes`` the store's log, and with it how long a client may be away and still resume.
    A write may be repeated for ``token_seconds``, or ``token_entries`` further writes or ``token_bytes`` of their
    tokens if those come faster; the store keeps twice as many. ``wait_replicas`` counts replicas that must have a
    commit before it is acknowledged. Services get their addresses out of ``service_cidr`` (``10.96.0.0/12``), their
    node ports out of ``node_ports`` (``30000-32767``). With ``ignore_webhooks`` configurations of webhooks and
    admission policies are kept though nobody calls them.
    """

    listen: str = "127.0.0.1:7070"
    metrics_listen: str = "127.0.0.1:7071"
    redis: str = "redis://127.0.0.1:6379/0"
    cell: str = "default"
    token_entries: int = 200_000
    token_bytes: int = 16 * MIB
    token_seconds: float = TOKEN_SECONDS
    wait_replicas: int = 0
    log_entries: int = 250_000
    log_bytes: int = 256 * MIB
    ring_bytes: int = 64 * MIB
    max_calls: int = 1024
    max_streams: int = 4096
    service_cidr: str = "10.96.0.0/12"
    node_ports: str = "30000-32767"
    ignore_webhooks: bool = False

    def __post_init__(self) -> None:
        ProcessSettings.__post_init__(self)  # not super(): a dataclass with slots is another class than its body's
        for name in _COUNTS:
            if getattr(self, name) < 1:
                raise ValueError(f"{name} is {getattr(self, name)}, want at least 1")
        if self.wait_replicas < 0:
            raise ValueError(f"wait_replicas is {self.wait_replicas}, want 0 or more")
        if self.token_seconds < TOKEN_SECONDS:
            raise ValueError(f"token_seconds is {self.token_seconds}, want {TOKEN_SECONDS} or more: clients rely on it")
        self.ranges()

    def ranges(self) -> Ranges:
        """Return where Services get their addresses and node ports; raises ValueError for what is no range."""
        try:
            return Ranges.parse(self.service_cidr, self.node_ports)
        except ValueError as exc:
            raise ValueError(f"service_cidr and node_ports: {exc}") from exc


FLAGS = (
    Flag("listen", "ADDRESS", "host:port or unix:path to serve gRPC on"),
    Flag("redis", "URL", "redis://, rediss://, unix:// or memory://"),
    Flag("cell", "NAME", "the cell served, default 'default'"),
    Flag("ignore_webhooks", "", "keep webhooks and admission policies, though they are never called"),
    *PROCESS_FLAGS,
)


def read_arguments(arguments: Sequence[str], environ: Mapping[str, str]) -> Settings:
    """Return the settings of one start; prints help or the mistake and raises SystemExit where argparse does."""
    return read(Settings, "rollplane_apiserver", "The API server of a Rollplane cell.", FLAGS, arguments, environ)
