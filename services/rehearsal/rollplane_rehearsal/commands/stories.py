"""The story that a command line tells: what runs, what is to change, where, how often; and what is expected of it."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from rollplane_cli.failures import CommandError, UsageError
from rollplane_cli.files import contents
from rollplane_cli.flags import Flags, lines, optional_number, optional_seconds, switch, text, texts
from rollplane_cli.session import Session
from rollplane_kubelet_sim.node_pools.given import read_pools
from rollplane_kubelet_sim.node_pools.planning import count_pools
from rollplane_kubelet_sim.node_pools.pools import NodePool
from rollplane_kubelet_sim.profiles import NAMES
from rollplane_machinery.codec import Manifest, load_manifests
from rollplane_machinery.codec.objects import KindsByType
from rollplane_machinery.releases import LATEST
from rollplane_rehearsal.commands import sources
from rollplane_rehearsal.commands.naming import Named
from rollplane_rehearsal.manifests import NO_KINDS
from rollplane_rehearsal.nodes import fleet_of
from rollplane_rehearsal.rehearse.assumed import told
from rollplane_rehearsal.rehearse.exported import FEW, Exported, read_exported
from rollplane_rehearsal.rehearse.preparing import check_applied, joined, listed, prepare, to_apply, with_objects
from rollplane_rehearsal.rehearse.story import Apply, Change, Story
from rollplane_rehearsal.rollouts import Workload, name_of
from rollplane_rehearsal.scenario.naming import check_names
from rollplane_rehearsal.scenario.scenario import Scenario, profile_of, read_scenario, steps_of

PROFILE_SUFFIXES = (".yaml", ".yml", ".json")
RENDERED: Mapping[str, tuple[str, str]] = {
    "Chart.yaml": ("Helm chart", "helm template release"),
    "kustomization.yaml": ("kustomization", "kubectl kustomize"),
    "kustomization.yml": ("kustomization", "kubectl kustomize"),
}
"""What is to be rendered before it is manifests, by the file that tells it: what it is called, and by what."""


class StoryFlags(Flags):
    """Flags that tell a story."""

    before = texts(
        "What runs now: file, folder or - for standard input; output of kubectl get -o yaml, Helm, Kustomize"
    )
    after = texts("What is to run: file, folder or - for standard input")
    set_image = lines(
        "TYPE/NAME[/CONTAINER]=IMAGE: what changes instead of files, or beside them; * is every container"
    )
    patch = lines("TYPE/NAME=PATCH: a strategic merge patch of any object, as JSON or YAML")
    nodes = optional_number("How many nodes; else those among what runs now, else 3")
    node_pool = lines("Nodes of a pool: name=gpu,count=20,zone=a,cpu=16,…")
    node_file = text("Nodes from a file: pools, or the output of kubectl get nodes -o yaml")
    profile = text("How pods live: instant, realistic, flaky, or a file (default realistic)")
    release = text(f"Kubernetes release to behave as, 1.20 to {LATEST.name}; else the newest")
    scenario = text("A file that says what happens and what is expected; flags go beside it, and before what it says")
    title = text("What reports call it; else what changes, or the scenario's name")
    runs = optional_number("How many runs, each with a seed of its own (default 1)")
    seed = optional_number("The first seed (default 1)")
    undo = switch("Also rehearse the undo from the worst moment", default=True)
    patience = optional_seconds("How long a rollout may take before it counts as stuck (default 15m)")


@dataclass(frozen=True, slots=True)
class Asked:
    """``scenario`` is as its file and the flags together say; its profile is a shipped one or written out."""

    story: Story
    scenario: Scenario
    seeds: range


def refuse_words(flags: StoryFlags) -> None:
    """Raise UsageError for an argument that belongs to no flag, which a shell's ``*`` leaves there."""
    for word in flags.words:
        told = "give each file a --before or --after of its own, or join them by commas, or name their folder"
        raise UsageError(f'unknown argument "{word}": {told}')


def asked(flags: StoryFlags, session: Session) -> Asked:
    """Return what the command line asks for; raises UsageError, CommandError, or RollplaneError for what is wrong."""
    scenario = _scenario(flags, session)
    runs = scenario.runs
    if runs < 1:
        raise UsageError(f'invalid argument "{runs}" for "--runs" flag: at least one')
    if scenario.patience <= 0:
        raise CommandError(f"{flags.scenario}: patience: must be longer than nothing")
    beside = Path(flags.scenario).parent
    before = _read([*flags.before, *(str(beside / name) for name in scenario.before)], session, scenario.manifests)
    after = _read(flags.after, session, customs=before.customs)
    if flags.after:
        check_applied(", ".join(flags.after), after, before)
    named = Named((each.object for each in (*before.manifests, *after.manifests)), session)
    changes = _changes(flags, named, after)
    if not changes and not scenario.steps:
        raise UsageError("nothing is to change: give --after, --set-image, --patch or --scenario")
    scenario = replace(scenario, steps=[_with_manifests(session, step, beside, before) for step in scenario.steps])
    profile = profile_of(scenario.profile, f"{flags.scenario}: profile")
    nodes = _nodes(flags)
    story = prepare(scenario, before, profile, changes=changes, left_out=after.left_out, nodes=nodes)
    _check_steps(scenario, story, (*before.manifests, *after.manifests), {**before.customs, **after.customs})
    if flags.after:
        story = replace(story, notes=(*story.notes, *_stays(before, after)))
    return Asked(story, scenario, range(scenario.seed, scenario.seed + runs))


def _scenario(flags: StoryFlags, session: Session) -> Scenario:
    """The scenario of the file, or one in which nothing happens but what flags say; flags go before it."""
    found = Scenario("")
    beside = Path(flags.scenario).parent
    if flags.scenario:
        found = read_scenario(sources.text_of(session, Path(flags.scenario)), flags.scenario)
    return replace(
        found,
        name=flags.title or found.name or _title(flags),
        profile=profile_document(session, Path(), flags.profile)
        if flags.profile
        else profile_document(session, beside, found.profile),
        release=flags.release or found.release,
        runs=found.runs if flags.runs is None else flags.runs,
        seed=found.seed if flags.seed is None else flags.seed,
        patience=flags.patience or found.patience,
        undo=flags.undo and found.undo,
    )


def profile_document(session: Session, beside: Path, profile: str | Mapping[str, Any]) -> str | Mapping[str, Any]:
    """Return the profile as it is written, wherever that is."""
    if not isinstance(profile, str) or profile in NAMES:
        return profile
    path = beside / profile
    if not path.exists() and path.suffix not in PROFILE_SUFFIXES:
        raise CommandError(f'no profile "{profile}": there are {", ".join(NAMES)}, or give a file')
    return sources.profile_in(session, path)


def _with_manifests(session: Session, step: Any, beside: Path, before: Exported) -> Any:
    """A step that applies a file, with what the file holds."""
    if not isinstance(step.get("apply"), str):
        return with_objects(step, before, session.namespace)
    path = beside / step["apply"]
    texts = [(str(path), sources.text_of(session, path))]
    return step | {"apply": to_apply(texts, before, session.namespace)}


def _check_steps(scenario: Scenario, story: Story, known: Sequence[Manifest], customs: KindsByType) -> None:
    """Raise BadRequestError for a step that names a workload or a node that there never is."""
    steps = steps_of(scenario.steps, scenario.draw, scenario.seed)
    applied = [each for step in steps if step.action == "apply" for each in load_manifests(step.value, customs=customs)]
    objects = (each.object for each in (*known, *applied))
    names = {name_of(each) for each in objects if isinstance(each, Workload)}
    check_names(steps, names, [node.name for node in fleet_of(story.cluster.nodes, LATEST).planned()])


def _stays(before: Exported, after: Exported) -> Iterator[str]:
    """Tell of what is not among what is applied later: to apply deletes nothing."""
    given = set(told(after.manifests))
    if left := [name for name in told(before.manifests) if name not in given]:
        names = ", ".join(left[:FEW]) + (f" and {len(left) - FEW} more" if len(left) > FEW else "")
        yield f"not among what is applied, and stays as it is: {names}"


def _read(
    names: Sequence[str], session: Session, manifests: Sequence[Any] = (), customs: KindsByType = NO_KINDS
) -> Exported:
    for name in names:
        _check_folder(Path(name))
    within = [("manifests", listed(manifests))] if manifests else []
    return read_exported([*contents(session, names), *within], session.namespace, customs)


def _check_folder(path: Path) -> None:
    """Raise CommandError for a folder whose files are no manifests before another program has rendered them."""
    for name, (called, render) in RENDERED.items():
        if (path / name).exists():
            told = f"render it first: {render} {path} | rollplane rehearse --before -"
            raise CommandError(f"{path} is a {called}: {told}")


def _changes(flags: StoryFlags, named: Named, after: Exported) -> list[Change]:
    changes: list[Change] = [Apply(joined(after.manifests))] if after.manifests else []
    changes += [sources.image_change(written, named) for written in flags.set_image]
    changes += [sources.patch_change(written, named) for written in flags.patch]
    return changes


def _title(flags: StoryFlags) -> str:
    patched = [f"a patch of {each.partition('=')[0]}" for each in flags.patch]
    changes = [*flags.after, *flags.set_image, *patched]
    if not changes:
        return ""
    return changes[0] if len(changes) == 1 else f"{changes[0]} (and {len(changes) - 1} more)"


def _nodes(flags: StoryFlags) -> int | tuple[NodePool, ...]:
    """The nodes asked for, none when nothing is said of them."""
    try:
        pools = read_pools(flags.node_pool, flags.node_file)
    except OSError as exc:
        raise CommandError(f"cannot read {flags.node_file}: {exc.strerror}") from exc
    if flags.nodes is not None and flags.nodes < 1:
        raise UsageError(f'invalid argument "{flags.nodes}" for "--nodes" flag: at least one')
    return tuple(count_pools(pools, flags.nodes)) if pools else flags.nodes or ()
