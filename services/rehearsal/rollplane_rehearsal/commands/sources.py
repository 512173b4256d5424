"""What a command line or a scenario names: profiles, images and patches of workloads."""

from __future__ import annotations

import json
from pathlib import Path

import yaml

from rollplane_cli.failures import UsageError
from rollplane_cli.files import content
from rollplane_cli.session import Session
from rollplane_cli.targets import kind_of
from rollplane_kubelet_sim.profiles import NAMES, shipped_profile
from rollplane_kubelet_sim.stages.rules import Profile
from rollplane_kubelet_sim.stages.schema import parse_profile
from rollplane_machinery.yaml_faults import yaml_fault
from rollplane_rehearsal.rehearse.story import Patch, SetImage


def profile(session: Session, name: str, beside: Path = Path()) -> Profile:
    """Return a shipped profile, or that of a file, whose name is meant from ``beside``."""
    if name in NAMES:
        return shipped_profile(name)
    return parse_profile(text_of(session, beside / name), name)


def text_of(session: Session, path: Path) -> str:
    """Return the text of a file; raises CommandError naming it."""
    found = content(session, str(path))
    return found.decode(errors="replace") if isinstance(found, bytes) else found


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
