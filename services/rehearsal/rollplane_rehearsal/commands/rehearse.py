"""``rollplane rehearse``: what runs, what is to run, and what would happen."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Sequence
from pathlib import Path
from typing import Any

from rollplane.core.v1 import Node
from rollplane_cli.command import Command, output
from rollplane_cli.failures import CommandError, UsageError
from rollplane_cli.files import contents
from rollplane_cli.flags import Flags, lines, optional_number, seconds, switch, text, texts
from rollplane_cli.session import Session
from rollplane_kubelet_sim.node_pools.files import parse_node_file
from rollplane_kubelet_sim.node_pools.given import read_pools
from rollplane_kubelet_sim.node_pools.pools import NodePool
from rollplane_kubelet_sim.stages.rules import Profile
from rollplane_kubelet_sim.stages.schema import parse_profile
from rollplane_machinery.codec import Manifest, to_json
from rollplane_machinery.errors import RollplaneError
from rollplane_machinery.releases import LATEST
from rollplane_page.recording import Recording
from rollplane_rehearsal.commands import sources
from rollplane_rehearsal.rehearse.assumed import assumed, told
from rollplane_rehearsal.rehearse.exported import Exported, read_exported
from rollplane_rehearsal.rehearse.judging import Judged, judge
from rollplane_rehearsal.rehearse.many import recording_of, rehearse_all
from rollplane_rehearsal.rehearse.story import Apply, Change, Cluster, Story
from rollplane_rehearsal.reports.documents import as_json, html, junit
from rollplane_rehearsal.reports.shape import report_schema
from rollplane_rehearsal.reports.text import markdown
from rollplane_rehearsal.reports.text import text as as_text
from rollplane_rehearsal.scenario.scenario import Scenario, read_scenario, scenario_schema

KEPT, BROKEN, NOT_REHEARSED = 0, 1, 2

_FORMATS: dict[str, Callable[[Judged, Recording], str]] = {
    "text": as_text,
    "json": as_json,
    "junit": lambda judged, _recording: junit(judged),
    "markdown": markdown,
    "html": html,
}
_BY_SUFFIX = {".txt": "text", ".json": "json", ".xml": "junit", ".md": "markdown", ".html": "html"}

_SCHEMAS: dict[str, Callable[[], dict[str, Any]]] = {"scenario": scenario_schema, "report": report_schema}


class RehearseFlags(Flags):
    """Flags of ``rehearse``."""

    before = texts(
        "What runs now: file, folder or - for standard input; output of kubectl get -o yaml, Helm, Kustomize"
    )
    after = texts("What is to run: file, folder or - for standard input")
    set_image = lines("TYPE/NAME[/CONTAINER]=IMAGE: what is to change instead of files, or beside them")
    patch = lines("TYPE/NAME=PATCH: a strategic merge patch, as JSON or YAML")
    nodes = optional_number("How many nodes; else those among what runs now, else 3")
    node_pool = lines("Nodes of a pool: name=gpu,count=20,zone=a,cpu=16,…")
    node_file = text("Nodes from a file: pools, or the output of kubectl get nodes -o yaml")
    profile = text("How pods live: instant, realistic, flaky, or a file (default realistic)")
    release = text(f"Kubernetes release to behave as, 1.20 to {LATEST.name}; else the newest")
    scenario = text("A file that says what happens and what is expected; flags go beside it, and before what it says")
    runs = optional_number("How many runs, each with a seed of its own (default 1)")
    seed = optional_number("The first seed (default 1)")
    undo = switch("Also rehearse the undo from the worst moment", default=True)
    patience = seconds("How long a rollout may take before it counts as stuck (default 15m)")
    report = lines("Also write a report to FILE, by its ending: .html, .json, .xml (JUnit), .md or .txt")
    schema = text("Only print a JSON Schema: that of scenario files, or of reports as JSON", choices=[*_SCHEMAS])
    output = output(*_FORMATS)


async def run(flags: RehearseFlags, session: Session) -> int:
    """Rehearse and report; exit code 0: all was kept, 1: not, 2: it could not be rehearsed."""
    if flags.schema:
        session.console.write(json.dumps(_SCHEMAS[flags.schema](), indent=2, ensure_ascii=False) + "\n")
        return KEPT
    try:
        return _rehearse(flags, session)
    except RollplaneError as exc:  # no server said so
        raise CommandError(exc.message) from exc


def _rehearse(flags: RehearseFlags, session: Session) -> int:
    formats = [(Path(name), _format(name)) for name in flags.report]
    scenario = _scenario(flags, session)
    runs, first = (
        flags.runs if flags.runs is not None else scenario.runs,
        scenario.seed if flags.seed is None else flags.seed,
    )
    if runs < 1:
        raise UsageError(f'invalid argument "{runs}" for "--runs" flag: at least one')
    story = _story(flags, session, scenario)
    outcomes = rehearse_all(story, range(first, first + runs), _progress(session, runs))
    judged = judge(story.title, outcomes, scenario.expect)
    recording = recording_of(story, judged.worst.seed)
    for path, name in formats:
        _write(path, _FORMATS[name](judged, recording))
    session.console.write(_FORMATS[flags.output or "text"](judged, recording))
    return KEPT if judged.kept else BROKEN


def _format(name: str) -> str:
    try:
        return _BY_SUFFIX[Path(name).suffix]
    except KeyError:
        known = ", ".join(_BY_SUFFIX)
        raise UsageError(f'invalid argument "{name}" for "--report" flag: its ending must be one of {known}') from None


def _write(path: Path, report: str) -> None:
    try:
        path.write_text(report, encoding="utf-8")
    except OSError as exc:
        raise CommandError(f"cannot write {path}: {exc.strerror}") from exc


def _progress(session: Session, runs: int) -> Callable[[int], None]:
    """Tell how far many runs are, where a person watches."""

    def tell(done: int) -> None:
        if session.console.err.isatty() and runs > 1:
            session.console.err.write(f"\r{done} of {runs} runs" + ("\n" if done == runs else ""))
            session.console.err.flush()

    return tell


# The story.


def _scenario(flags: RehearseFlags, session: Session) -> Scenario:
    """The scenario of the file, or one in which nothing happens but what flags say."""
    if not flags.scenario:
        return Scenario("")
    path = Path(flags.scenario)
    return read_scenario(sources.text_of(session, path), str(path))


def _story(flags: RehearseFlags, session: Session, scenario: Scenario) -> Story:
    beside = Path(flags.scenario).parent
    before = _read([*flags.before, *(str(beside / name) for name in scenario.before)], session, scenario.manifests)
    after = _read(flags.after, session)
    changes = _changes(flags, session, after)
    if not changes and not scenario.steps:
        raise UsageError("nothing is to change: give --after, --set-image, --patch or --scenario")
    stand_ins = assumed(before.manifests)
    notes = [*_assumed_notes(stand_ins), *(f"left out: {each}" for each in (*before.left_out, *after.left_out))]
    return Story(
        title=scenario.name or _title(flags),
        before=_joined([*stand_ins, *before.manifests]),
        changes=changes,
        cluster=Cluster(
            _nodes(flags, before, scenario),
            _profile(flags, session, scenario, beside),
            flags.release or scenario.release,
        ),
        patience_seconds=flags.patience or scenario.patience,
        undo=flags.undo and scenario.undo and bool(before.manifests),
        script=[_with_manifests(session, step, beside) for step in scenario.steps],
        draws=scenario.draw,
        notes=notes,
    )


def _profile(flags: RehearseFlags, session: Session, scenario: Scenario, beside: Path) -> Profile:
    if flags.profile:
        return sources.profile(session, flags.profile)
    if isinstance(scenario.profile, str):
        return sources.profile(session, scenario.profile, beside)
    return parse_profile(json.dumps(scenario.profile), f"{flags.scenario}: profile")


def _with_manifests(session: Session, step: Any, beside: Path) -> Any:
    """A step that applies a file, with what the file holds."""
    if "apply" not in step:
        return step
    path = beside / step["apply"]
    return step | {"apply": _joined(read_exported([(str(path), sources.text_of(session, path))]).manifests)}


def _read(names: Sequence[str], session: Session, manifests: Sequence[Any] = ()) -> Exported:
    inline = json.dumps({"apiVersion": "v1", "kind": "List", "items": list(manifests)})
    within = [("manifests", inline)] if manifests else []
    return read_exported([*contents(session, names), *within], session.namespace)


def _changes(flags: RehearseFlags, session: Session, after: Exported) -> list[Change]:
    changes: list[Change] = [Apply(_joined(after.manifests))] if after.manifests else []
    changes += [sources.image_change(written, session.namespace) for written in flags.set_image]
    changes += [sources.patch_change(written, session.namespace) for written in flags.patch]
    return changes


def _assumed_notes(stand_ins: Iterable[Manifest]) -> list[str]:
    names = told(stand_ins)
    return [f"assumed to be there, since what runs now refers to it: {', '.join(names)}"] if names else []


def _title(flags: RehearseFlags) -> str:
    changes = [*flags.after, *flags.set_image, *flags.patch]
    return changes[0] if len(changes) == 1 else f"{changes[0]} and {len(changes) - 1} more"


def _joined(manifests: Iterable[Manifest]) -> str:
    items = [manifest.written for manifest in manifests]
    return json.dumps({"apiVersion": "v1", "kind": "List", "items": items}) if items else ""


def _nodes(flags: RehearseFlags, before: Exported, scenario: Scenario) -> int | tuple[NodePool, ...]:
    """The nodes asked for, else those that were exported with what runs, else the scenario's."""
    pools = read_pools(flags.node_pool, flags.node_file)
    if pools and flags.nodes is not None:
        raise UsageError("give --nodes, or --node-pool and --node-file")
    if pools:
        return pools
    if flags.nodes is not None:
        return flags.nodes
    return tuple(pool for node in before.nodes for pool in _pools(node)) or scenario.nodes


def _pools(node: Node) -> Sequence[NodePool]:
    return parse_node_file(json.dumps(to_json(node)), f"node {node.metadata.name}")


REHEARSE = Command(
    "(--before FILE (--after FILE | --set-image TYPE/NAME=IMAGE | …) | --scenario FILE) [--runs N] [--report FILE]",
    "Bring what runs now to rest in virtual time, make the change, follow it, undo it, and say what it came to.",
    RehearseFlags,
    run,
    is_offline=True,
    failure=NOT_REHEARSED,
)
