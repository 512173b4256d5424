"""What a command line or a scenario names: profiles, images and patches of workloads."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import yaml

from rollplane_cli.failures import CommandError, UsageError
from rollplane_cli.files import content
from rollplane_cli.session import Session
from rollplane_cli.targets import kind_of
from rollplane_kubelet_sim.stages.schema import parse_profile
from rollplane_machinery.codec import read_manifests
from rollplane_machinery.yaml_faults import yaml_fault
from rollplane_rehearsal.commands.naming import Named
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


def image_change(written: str, named: Named) -> SetImage:
    """Read ``deployment/web=nginx:2``, or ``deploy/web/sidecar=proxy:3`` for one container, ``*`` for all.

    Raises UsageError or CommandError for what cannot be read, or names what is not there or not one.
    """
    called, _, image = written.partition("=")
    if not image or not all(called.split("/")):
        raise UsageError(f'invalid argument "{written}" for "--set-image" flag: want TYPE/NAME[/CONTAINER]=IMAGE')
    workload, container = named.workload(called)
    ours, first = named.containers(workload)
    if container and container not in ("*", *ours, *first):
        raise CommandError(f'{workload} has no container "{container}"; it has {", ".join((*first, *ours))}')
    if not container and len(ours) > 1:
        told = f"name one, as in {workload}/{ours[0]}=IMAGE, or * for all"
        raise CommandError(f"{workload} has {len(ours)} containers, {', '.join(ours)}: {told}")
    return SetImage(workload, {container or "*": image})


def patch_change(written: str, named: Named) -> Patch:
    """Read ``deployment/web={"spec": {…}}``; what follows the = is JSON or YAML.

    Raises UsageError or CommandError for what is no patch of the object, or names none that is there.
    """
    called, equals, text = written.partition("=")
    if not equals or not all(called.split("/")):
        raise UsageError(f'invalid argument "{written}" for "--patch" flag: want TYPE/NAME=PATCH')
    try:
        patch = yaml.safe_load(text)
    except yaml.YAMLError as exc:
        raise UsageError(f'invalid argument "{written}" for "--patch" flag: {yaml_fault(exc)}') from exc
    if not isinstance(patch, Mapping):
        raise UsageError(f'invalid argument "{written}" for "--patch" flag: a patch is a mapping, as {{"spec": {{…}}}}')
    name = named.anything(called)
    _check_patch(name, patch)
    return Patch(name, json.dumps(patch))


def _check_patch(name: str, patch: Mapping[str, Any]) -> None:
    """Raise CommandError for fields that the object cannot have: a slip, and no answer."""
    kind = kind_of(name.partition("/")[0])
    document = {**_plain(patch), "apiVersion": kind.api_version, "kind": kind.name}
    document["metadata"] = {**(document.get("metadata") or {}), "name": name.rpartition("/")[2]}
    if problems := read_manifests(json.dumps(document), "--patch").problems:
        told = "; ".join(f"{each.field}: {each.message}" if each.field else each.message for each in problems)
        raise CommandError(f"the patch of {name} cannot be: {told}")


def _plain(patch: Any) -> Any:
    """Return a patch without its directives: ``$patch: delete`` and their kind."""
    if isinstance(patch, Mapping):
        return {key: _plain(value) for key, value in patch.items() if not str(key).startswith("$")}
    return [_plain(each) for each in patch] if isinstance(patch, list) else patch
