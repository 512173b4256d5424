"""The figures of services, as Prometheus reads them: process use, queue waits, commits; and what changed in between."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import aiohttp
from prometheus_client.parser import text_string_to_metric_families

from rollplane_load.usage import Usage
from rollplane_machinery.errors import Outcome, UnavailableError

SECONDS = 5.0
WAITS = {
    "workqueue_queue_duration_seconds": "queue",
    "workqueue_work_duration_seconds": "work",
    "rollplane_plan_round_seconds": "plan round",
    "rollplane_batch_seconds": "batch",
    "rollplane_watch_lag_seconds": "watch lag",
    "rollplane_commit_seconds": "commit",
    "apiserver_request_duration_seconds": "request",
}
"""Histograms that tell of waiting, and what they are called in results."""
COMMITTED = "rollplane_commit_items"

Figures = Mapping[tuple[str, tuple[tuple[str, str], ...]], float]
"""Samples by name and labels."""


@dataclass(frozen=True, slots=True)
class Wait:
    """How long ``name`` of a ``service`` took, ``count`` times; seconds, percentiles by the buckets' upper bounds."""

    service: str
    what: str
    name: str
    count: int
    mean: float
    p50: float
    p99: float


def read_figures(text: str) -> Figures:
    """Return the samples in a text of Prometheus' format; raises ValueError for what is none."""
    return {
        (sample.name, tuple(sorted(sample.labels.items()))): sample.value
        for family in text_string_to_metric_families(text)
        for sample in family.samples
    }


def usage_in(figures: Figures) -> Usage | None:
    """Return what the process says that it has used; None when it does not say."""
    cpu = figures.get(("process_cpu_seconds_total", ()))
    if cpu is None:
        return None
    life = int(figures.get(("process_start_time_seconds", ()), 0.0) * 100)
    return Usage(life, cpu, figures.get(("process_resident_memory_bytes", ()), 0.0) / 2**20)


def committed(before: Figures, after: Figures) -> int:
    """Return how many writes the store took in between."""
    name = (f"{COMMITTED}_sum", ())
    return int(after.get(name, 0.0) - before.get(name, 0.0))


def waits_between(service: str, before: Figures, after: Figures) -> list[Wait]:
    """Return what waited between two looks at a service, the longest first."""
    found: dict[tuple[str, str], dict[float, float]] = {}
    sums: dict[tuple[str, str], float] = {}
    for (sample, labels), value in after.items():
        base, _, part = sample.rpartition("_")
        if base not in WAITS or part not in ("bucket", "sum"):
            continue
        given = dict(labels)
        bound = float(given.pop("le", "nan").replace("+Inf", "inf"))
        key = WAITS[base], " ".join(given.values())
        grown = value - before.get((sample, labels), 0.0)
        if part == "sum":
            sums[key] = sums.get(key, 0.0) + grown
        else:
            buckets = found.setdefault(key, {})
            buckets[bound] = buckets.get(bound, 0.0) + grown
    waits = [_wait(service, key, buckets, sums.get(key, 0.0)) for key, buckets in found.items()]
    return sorted((wait for wait in waits if wait.count), key=lambda wait: (wait.what, -wait.mean * wait.count))


def _wait(service: str, key: tuple[str, str], buckets: Mapping[float, float], total: float) -> Wait:
    count = int(buckets.get(float("inf"), 0.0))
    mean = total / count if count else 0.0
    return Wait(service, *key, count, mean, _bound(buckets, count * 0.5), _bound(buckets, count * 0.99))


def _bound(buckets: Mapping[float, float], wanted: float) -> float:
    """Return the upper bound of the bucket in which the ``wanted``-th lies; the highest finite one at most."""
    finite = sorted(bound for bound in buckets if bound != float("inf"))
    return next((bound for bound in finite if buckets[bound] >= wanted), finite[-1] if finite else 0.0)


class Scraper:
    """Reads the figures of services; ``addresses`` are their URLs, or ``host:port``, by name."""

    every_seconds = 1.0

    def __init__(self, session: aiohttp.ClientSession, addresses: Mapping[str, str]) -> None:
        self._session = session
        self._urls = {name: _url(address) for name, address in addresses.items()}

    async def figures(self) -> Mapping[str, Figures]:
        """Return the figures of every service that answers."""
        found = {}
        for name, url in self._urls.items():
            try:
                found[name] = await self._read(url)
            except UnavailableError:
                continue  # one that was killed, or that is none of ours to ask
        return found

    async def look(self) -> Mapping[str, Usage]:
        """Return what the processes of the services have used, by their names."""
        found = {name: usage_in(figures) for name, figures in (await self.figures()).items()}
        return {name: usage for name, usage in found.items() if usage is not None}

    async def _read(self, url: str) -> Figures:
        try:
            async with self._session.get(url, timeout=aiohttp.ClientTimeout(total=SECONDS)) as answer:
                answer.raise_for_status()
                return read_figures(await answer.text())
        except (aiohttp.ClientError, TimeoutError, ValueError) as exc:
            raise UnavailableError(f"{url} shows no figures: {exc}", outcome=Outcome.NOT_SENT) from exc


def _url(address: str) -> str:
    return address if "://" in address else f"http://{address}/metrics"


def named(addresses: Sequence[str]) -> dict[str, str]:
    """Return addresses by name: ``NAME=ADDRESS``, or the address for its name; raises ValueError for one twice."""
    found: dict[str, str] = {}
    for each in addresses:
        name, equals, address = each.partition("=")
        if name in found:
            raise ValueError(f"{name} is given twice")
        found[name] = address if equals else name
    return found
