"""What a command line or a scenario names: profiles, images and patches of workloads."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import yaml

from rollplane_cli.failures import UsageError
from rollplane_cli.files import content
from rollplane_cli.session import Session
from rollplane_cli.targets import kind_of
from rollplane_kubelet_sim.stages.schema import parse_profile
from rollplane_machinery.yaml_faults import yaml_fault
from rollplane_rehearsal.rehearse.story import Patch, SetImage


def text_of(session: Session, path: Path) -> str:
    """Return the text of a file; raises CommandError naming it."""
    found = content(session, str(path))
    return found.decode(errors="replace") if isinstance(found, bytes) else found


def profile_in(session: Session, path: Path) -> Mapping[str, Any]:
    """Return the profile of a file as it is written; raises CommandError naming it, or InvalidError."""
    text = text_of(session, path)
    parse_profile(text, str(path))
    return yaml.safe_load(text) or {}


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
