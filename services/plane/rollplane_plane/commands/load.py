"""``rollplane load``: the load tester, reached from the one command."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path
from typing import Any

from rollplane_cli.command import Command, output
from rollplane_cli.failures import FAILED, CommandError, UsageError
from rollplane_cli.flags import Flags, lines, number, optional_number, seconds, switch, text
from rollplane_cli.session import Session
from rollplane_load.scenario.model import Scenario, rollover
from rollplane_load.scenario.reading import scenario_schema
from rollplane_load.scenario.shipped import names, scenario_of
from rollplane_machinery.needs import require
from rollplane_plane.commands.folder import ReleaseFlags

NEEDED = ("aiohttp",)

Json = dict[str, Any]


class LoadFlags(ReleaseFlags):
    """Flags of every load."""

    nodes = optional_number("Nodes of the plane that is started, instead of the scenario's")
    profile = text("How its pods live, instead of the scenario's profile")
    runs = number("How many times, one after another", default=1)
    kubeconfig = text("Put the load on the Kubernetes that this kubeconfig leads to, through REST")
    context = text("Its context; alone it is looked for where kubectl looks for kubeconfigs")
    metrics = lines("NAME=HOST:PORT of a service's figures: CPU, memory, queue waits; may be repeated")
    pid = lines("NAME=PID of a process of this machine whose CPU and memory are to be measured; may be repeated")
    report = text("Write the result as one HTML file with charts")
    output = output("text", "json")


class ScenarioFlags(LoadFlags):
    """Flags of ``load``."""

    seed = optional_number("What decides of all that is drawn, instead of the scenario's seed")
    schema = switch("Only print the JSON Schema of scenario files")
    compress = text("How many times as fast everything goes that is timed, instead of the scenario's")
    timeout = seconds("How long each rollout may take, instead of the scenario's patience")


class RolloverFlags(LoadFlags):
    """Flags of ``load rollover``."""

    deployments = number("How many Deployments", default=100)
    replicas = number("Pods of each", default=10)
    overlap = text("Part of v2 that is up when v3 is set, 0 to 1", default="0.3")
    timeout = seconds("How long each rollout may take", default=600.0)
    output = output("table", "json")


async def run(flags: ScenarioFlags, session: Session) -> int:
    """Carry out the scenario that is named, or list those there are."""
    if flags.schema:
        session.console.write(json.dumps(scenario_schema(), indent=2, ensure_ascii=False) + "\n")
        return 0
    if not flags.words:
        session.console.say_all(f"{name:<16}{scenario_of(name).about}" for name in names())
        return 0
    if len(flags.words) > 1:
        raise UsageError("name one scenario, or one file")
    scenario = _changed(scenario_of(flags.words[0]), flags)
    return await _carry_out(scenario, flags, session)


async def run_rollover(flags: RolloverFlags, session: Session) -> int:
    """Measure rollovers and print the report; exit code 1 when an invariant was broken."""
    try:
        scenario = rollover(
            flags.deployments, flags.replicas, _fraction(flags.overlap, "overlap"), patience=flags.timeout
        )
    except ValueError as exc:
        raise UsageError(str(exc)) from exc
    return await _carry_out(_placed(scenario, flags), flags, session)


async def _carry_out(scenario: Scenario, flags: LoadFlags, session: Session) -> int:
    if flags.runs < 1:
        raise UsageError("--runs must be at least 1")
    require(*NEEDED)
    # Imported late, since they are not everywhere.
    from rollplane_load.report_text import text_of
    from rollplane_load.results import has_failed, rollover_fields
    from rollplane_plane.loading.runs import all_runs

    result = await all_runs(scenario, flags, session)
    if flags.output == "json":
        first = rollover_fields(result) if isinstance(flags, RolloverFlags) else {}
        session.console.say(json.dumps({**first, **result}, indent=2))
    else:
        session.console.say(text_of(result))
    if flags.report:
        from rollplane_load.report_page import page_of

        _write(flags.report, page_of(result))
    return FAILED if any(map(has_failed, result["runs"])) else 0


def _write(path: str, content: str) -> None:
    try:
        Path(path).write_text(content, encoding="utf-8")
    except OSError as exc:
        raise CommandError(f"cannot write {path}: {exc.strerror}") from exc


class CompareFlags(Flags):
    """Flags of ``load compare``."""

    output = output("text", "json")


async def compare_two(flags: CompareFlags, session: Session) -> int:
    """Tell two results side by side."""
    from rollplane_load.compare import compare, read_results
    from rollplane_load.compare_text import told

    if len(flags.words) != 2:
        raise UsageError("name two files, each with the result of rollplane load -o json")
    first, second = (read_results(_text(name), name) for name in flags.words)
    comparison = compare(first, second)
    if flags.output == "json":
        session.console.say(json.dumps(comparison.as_json(), indent=2))
    else:
        session.console.say_all(told(comparison))
    return 0


def _text(name: str) -> str:
    try:
        return Path(name).read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as exc:
        raise CommandError(f"cannot read {name}: {exc}") from exc


# Scenarios


def _placed(scenario: Scenario, flags: LoadFlags) -> Scenario:
    nodes = scenario.nodes if flags.nodes is None else flags.nodes
    return replace(scenario, nodes=nodes, profile=flags.profile or scenario.profile)


def _changed(scenario: Scenario, flags: ScenarioFlags) -> Scenario:
    """Return ``scenario`` with what the flags say otherwise."""
    seed = scenario.seed if flags.seed is None else flags.seed
    scenario = replace(_placed(scenario, flags), seed=seed, patience=flags.timeout or scenario.patience)
    if not flags.compress:
        return scenario
    factor = _fraction(flags.compress, "compress")
    if factor <= 0:
        raise UsageError(f'invalid argument "{flags.compress}" for "--compress" flag: must be above 0')
    return replace(scenario.compressed(factor / scenario.compress), compress=factor)


def _fraction(written: str, flag: str) -> float:
    try:
        return float(written)
    except ValueError:
        raise UsageError(f'invalid argument "{written}" for "--{flag}" flag: not a number') from None


SCENARIO = Command(
    "[NAME|FILE] [--kubeconfig FILE] [--context NAME] [--runs N] [--report FILE.html] [-o json]",
    "Put a load on a plane of its own, on the one that --server or ROLLPLANE_SERVER names, or through REST and a "
    "kubeconfig on any Kubernetes, and measure; without a name, list the scenarios there are.",
    ScenarioFlags,
    run,
)
ROLLOVER = Command(
    "[--deployments D] [--replicas R] [--overlap F] [--kubernetes RELEASE] [-o json]",
    "Create, update, and update again while the first is in flight; in a namespace made for it (-n names it), on a "
    "plane of its own unless --server or ROLLPLANE_SERVER names one.",
    RolloverFlags,
    run_rollover,
)
COMPARE = Command(
    "A.json B.json [-o json]",
    "Put two results side by side: medians, ranges, ratios, and whether a difference is more than noise.",
    CompareFlags,
    compare_two,
    is_offline=True,
)
