"""The recorder's actions of tests/golden/traces, done to a planners' world."""

from __future__ import annotations

from collections.abc import Mapping
from copy import deepcopy
from typing import Any

from rollplane.apps.v1 import Deployment
from rollplane_machinery.codec import from_json
from rollplane_machinery.deployments import HASH_LABEL, REVISION, STAYING
from rollplane_machinery.releases import RECORDED, Release
from rollplane_planners.deployment.annotations import integer
from rollplane_rules.defaults import apply_defaults
from tests.planners.plan_world import World
from tests.planners.traces import Json


def created(manifest: Json, release: Release = RECORDED) -> World:
    """Return the world after the manifest was sent, before any controller looked."""
    deployment = from_json(deepcopy(manifest))
    assert isinstance(deployment, Deployment)
    apply_defaults(deployment)
    return World(deployment, release)


def act(world: World, action: Any, acted: Mapping[str, int]) -> None:
    """Do what a trace says was done; ``acted`` says to how many pods of which image."""
    if action == "create":
        return
    if "ready" in action or "unready" in action:
        for image, count in acted.items():
            world.set_ready(count, image=image, ready="ready" in action)
    elif "delete_pod" in action:
        for image, count in acted.items():
            world.delete_pods(count, image=image)
    elif "finish" in action:
        world.finish()
    elif "image" in action:
        world.edit(lambda d: setattr(d.spec.template.spec.containers[0], "image", action["image"]))
    elif "patch" in action:
        world.edit(lambda d: _merge(d, action["patch"]))
    else:
        world.edit(lambda d: _undo(world, d, action["undo"]))


def _merge(deployment: Deployment, patch: Json) -> None:
    assert patch.keys() == {"spec"}
    for key, value in patch["spec"].items():
        setattr(deployment.spec, key, value)


def _undo(world: World, deployment: Deployment, revision: int) -> None:
    """Do what `kubectl rollout undo --to-revision` does."""
    ranked = sorted(world.replica_sets.values(), key=lambda one: integer(one.metadata.annotations.get(REVISION)) or 0)
    numbered = {integer(one.metadata.annotations.get(REVISION)): one for one in ranked}
    target = numbered[revision] if revision else ranked[-2]
    deployment.spec.template.CopyFrom(target.spec.template)
    del deployment.spec.template.metadata.labels[HASH_LABEL]
    kept = {key: value for key, value in deployment.metadata.annotations.items() if key in STAYING}
    restored = {key: value for key, value in target.metadata.annotations.items() if key not in STAYING}
    deployment.metadata.annotations.clear()
    deployment.metadata.annotations.update(kept | restored)
