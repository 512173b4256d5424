"""What a command line or a scenario names: files, folders, standard input; images and patches of workloads."""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from pathlib import Path

import yaml

from rollplane_cli.failures import CommandError, UsageError
from rollplane_cli.session import Session
from rollplane_cli.targets import kind_of
from rollplane_kubelet_sim.profiles import NAMES, shipped_profile
from rollplane_kubelet_sim.stages.rules import Profile
from rollplane_kubelet_sim.stages.schema import parse_profile
from rollplane_machinery.yaml_faults import yaml_fault
from rollplane_rehearsal.rehearse.story import Patch, SetImage

STDIN = "-"
_SUFFIXES = frozenset({".yaml", ".yml", ".json"})


def texts(names: Sequence[str], session: Session) -> Iterator[tuple[str, str | bytes]]:
    """Yield name and content of each file, of a folder those of its manifests; raises CommandError for none."""
    for name in names:
        if name == STDIN:
            yield "standard input", session.console.read()
            continue
        path = Path(name)
        found = sorted(each for each in path.iterdir() if each.suffix in _SUFFIXES) if path.is_dir() else [path]
        for each in found:
            yield str(each), content(each)


def content(path: Path) -> bytes:
    """Return what a file holds; raises CommandError naming it."""
    try:
        return path.read_bytes()
    except OSError as exc:
        raise CommandError(f"cannot read {path}: {exc.strerror}") from exc


def profile(name: str, beside: Path = Path()) -> Profile:
    """Return a shipped profile, or that of a file, whose name is meant from ``beside``."""
    if name in NAMES:
        return shipped_profile(name)
    return parse_profile(content(beside / name).decode(errors="replace"), name)


def image_change(written: str, namespace: str) -> SetImage:
    """Read ``deployment/web=nginx:2``, or ``deploy/web/sidecar=proxy:3`` for one container."""
    target, equals, image = written.partition("=")
    kind, _, rest = target.partition("/")
    name, _, container = rest.partition("/")
    if not (equals and image and kind and name):
        raise UsageError(f'invalid argument "{written}" for "--set-image" flag: want TYPE/NAME[/CONTAINER]=IMAGE')
    return SetImage(f"{kind_of(kind).singular}/{namespace}/{name}", {container or "*": image})


def patch_change(written: str, namespace: str) -> Patch:
    """Read ``deployment/web={"spec": {…}}``; what follows the = is JSON or YAML."""
    target, equals, text = written.partition("=")
    kind, _, name = target.partition("/")
    if not (equals and kind and name):
        raise UsageError(f'invalid argument "{written}" for "--patch" flag: want TYPE/NAME=PATCH')
    try:
        patch = yaml.safe_load(text)
    except yaml.YAMLError as exc:
        raise UsageError(f'invalid argument "{written}" for "--patch" flag: {yaml_fault(exc)}') from exc
    return Patch(f"{kind_of(kind).singular}/{namespace}/{name}", json.dumps(patch))
