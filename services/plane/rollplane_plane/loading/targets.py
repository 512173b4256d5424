"""Opening what a load is put on, as the flags say: a plane of its own, one that is there, or a Kubernetes."""

from __future__ import annotations

import os
import tempfile
from collections.abc import AsyncIterator, Callable, Mapping, Sequence
from contextlib import asynccontextmanager
from pathlib import Path

import aiohttp

from rollplane_cli.failures import CommandError, UsageError
from rollplane_cli.session import Session
from rollplane_kubelet_sim.settings import profile_text
from rollplane_load.cluster import Target
from rollplane_load.planes import plane
from rollplane_load.rest.cluster import kubernetes
from rollplane_load.rest.kubeconfig import files_of, read_access
from rollplane_load.scenario.model import Scenario
from rollplane_load.scraping import Scraper, named
from rollplane_load.usage import Processes, Together, UsageSource
from rollplane_machinery.errors import RollplaneError
from rollplane_plane.commands.folder import release_name
from rollplane_plane.commands.load import LoadFlags
from rollplane_plane.killer import killer, killers_of
from rollplane_plane.plane import EmbeddedPlane, PlaneSettings

OWN = "load tester"
METRICS = ("apiserver", "controller", "kubelet_sim")


@asynccontextmanager
async def target_of(scenario: Scenario, flags: LoadFlags, session: Session) -> AsyncIterator[Target]:
    """Open the target that ``flags`` name; without any, a durable plane that is gone when the context ends."""
    async with aiohttp.ClientSession() as figures:
        if flags.kubeconfig or flags.context:
            async with _kubernetes(scenario, flags, session, figures) as target:
                yield target
        elif flags.server or session.environ.get("ROLLPLANE_SERVER"):
            async with _plane_there(scenario, flags, session, figures) as target:
                yield target
        else:
            async with _plane_of_its_own(scenario, flags, session, figures) as target:
                yield target


@asynccontextmanager
async def _plane_of_its_own(
    scenario: Scenario, flags: LoadFlags, session: Session, figures: aiohttp.ClientSession
) -> AsyncIterator[Target]:
    with tempfile.TemporaryDirectory(prefix="rollplane-load-") as folder:
        release = release_name(flags, session)
        settings = PlaneSettings(
            Path(folder), port=0, nodes=scenario.nodes, profile=scenario.profile, kubernetes=release
        )
        async with EmbeddedPlane(settings) as embedded:
            services = embedded.children[1:]
            metrics = dict(zip(METRICS, embedded.metrics, strict=False))
            kills = {**killers_of(embedded), "kubelet_sim": killer(lambda: embedded.kubelets.pid)}

            def pids() -> Mapping[str, int]:
                return {"redis": embedded.store_pid, **{each.name: each.pid for each in services}, OWN: os.getpid()}

            opened = plane(
                embedded.address,
                "embedded",
                Processes(_with_given(pids, flags)),
                session.clock,
                scraper=Scraper(figures, metrics),
                kills=kills,
                profile=profile_text(scenario.profile),
                disposable=True,
            )
            async with opened as target:
                yield target


@asynccontextmanager
async def _plane_there(
    scenario: Scenario, flags: LoadFlags, session: Session, figures: aiohttp.ClientSession
) -> AsyncIterator[Target]:
    usages, scraper = _usages(flags, figures)
    profile = profile_text(scenario.profile)
    async with plane(session.server, "grpc", usages, session.clock, scraper=scraper, profile=profile) as target:
        yield target


@asynccontextmanager
async def _kubernetes(
    scenario: Scenario, flags: LoadFlags, session: Session, figures: aiohttp.ClientSession
) -> AsyncIterator[Target]:
    access = read_access(files_of(flags.kubeconfig, session.environ), flags.context)
    usages, scraper = _usages(flags, figures)
    profile = profile_text(scenario.profile)
    try:
        async with kubernetes(access, usages, session.clock, scraper=scraper, profile=profile) as target:
            yield target
    except RollplaneError as exc:
        raise CommandError(exc.message) from exc


def _usages(flags: LoadFlags, figures: aiohttp.ClientSession) -> tuple[UsageSource, Scraper | None]:
    """Return where the use of processes is read that are not ours, and the figures of services, if any are named."""
    own = Processes(_with_given(lambda: {OWN: os.getpid()}, flags))
    addresses = _named(flags.metrics, "metrics")
    if not addresses:
        return own, None
    scraper = Scraper(figures, addresses)
    return Together(own, scraper), scraper


def _with_given(pids: Callable[[], Mapping[str, int]], flags: LoadFlags) -> Callable[[], Mapping[str, int]]:
    """Return ``pids`` and those of --pid; raises UsageError for what is no process id."""
    given = {name: _pid(value) for name, value in _named(flags.pid, "pid").items()}
    return lambda: {**given, **pids()}


def _pid(written: str) -> int:
    if not written.isdecimal():
        raise UsageError(f'invalid argument "{written}" for "--pid" flag: want NAME=PID')
    return int(written)


def _named(values: Sequence[str], flag: str) -> Mapping[str, str]:
    try:
        return named(values)
    except ValueError as exc:
        raise UsageError(f'invalid argument for "--{flag}" flag: {exc}') from exc
