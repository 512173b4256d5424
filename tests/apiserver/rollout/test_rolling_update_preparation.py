"""docs/semantics/rolling-update.md sections 3 to 5 and 9: arguments, the new controller, what is resumed or refused."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

import pytest

from rollplane.core.v1 import Container, Pod, ReplicationController
from rollplane_machinery.api import (
    Delete,
    Key,
    Propagation,
    RollBackRollingUpdate,
    RollingUpdate,
    RolloutState,
    StartRollingUpdate,
    WriteOptions,
)
from rollplane_machinery.errors import InvalidError, NotFoundError, UnsupportedError
from rollplane_machinery.kinds import DEPLOYMENT, REPLICATION_CONTROLLER, Encoded
from rollplane_machinery.rolling_update import (
    DESIRED_REPLICAS,
    NEXT_CONTROLLER,
    ORIGINAL_REPLICAS,
    PARTNER,
    RENAMED_FROM,
    SOURCE_ID,
    STATE,
    CleanupPolicy,
    Step,
    UpdatePace,
    UpdateState,
    next_of,
    set_state,
    source_of,
    state_of,
)
from tests.apiserver.rollout.workshop import Workshop

Controller = ReplicationController


def key(name: str) -> Key:
    return Key(REPLICATION_CONTROLLER, "default", name)


def controller(name: str, replicas: int | None = 3, *, image: str = "web:1", **labels: str) -> Controller:
    one = Controller()
    one.metadata.namespace, one.metadata.name = "default", name
    if replicas is not None:
        one.spec.replicas = replicas
    one.spec.selector.update({"app": "web", **labels})
    one.spec.template.metadata.labels.update({"app": "web", **labels})
    one.spec.template.spec.containers.append(Container(name="app", image=image))
    return one


def by_file(new: Controller, old: str = "old") -> StartRollingUpdate:
    return StartRollingUpdate(key(old), new=Encoded.of(new))


def by_image(image: str = "web:2", old: str = "old", new_name: str = "") -> StartRollingUpdate:
    return StartRollingUpdate(key(old), image=image, new_name=new_name)


async def start(workshop: Workshop, request: StartRollingUpdate) -> RollingUpdate:
    return await workshop.rollouts.start_rolling_update(request)


async def refused(workshop: Workshop, request: StartRollingUpdate, words: str) -> InvalidError:
    with pytest.raises(InvalidError, match=words) as raised:
        await start(workshop, request)
    return raised.value


async def get(workshop: Workshop, name: str) -> Controller:
    return await workshop.get(key(name), Controller)


async def annotate(workshop: Workshop, name: str, change: Callable[[dict[str, str]], object]) -> None:
    def alter(one: Controller) -> None:
        changed = dict(one.metadata.annotations)
        change(changed)
        one.metadata.annotations.clear()
        one.metadata.annotations.update(changed)

    await workshop.change(await get(workshop, name), alter)


# Section 4


async def test_4_all_wrong_arguments_are_reported_together(workshop: Workshop) -> None:
    both = StartRollingUpdate(
        key(""), Encoded.of(controller("new")), image="x", image_pull_policy="Now", deployment_label_key=""
    )
    error = await refused(workshop, replace(both, pace=UpdatePace(-1, 3, -1)), "must specify the controller to update")
    assert [cause.field for cause in error.causes] == [
        "old",
        "deployment_label_key",
        "image",
        "image_pull_policy",
        "pace.update_period_seconds",
        "pace.timeout_seconds",
    ]


async def test_4_neither_file_nor_image(workshop: Workshop) -> None:
    await refused(workshop, StartRollingUpdate(key("old")), "must specify a new controller or an image")


async def test_4_only_replication_controllers(workshop: Workshop) -> None:
    with pytest.raises(UnsupportedError, match="rolling-update is not supported"):
        await start(workshop, StartRollingUpdate(Key(DEPLOYMENT, "default", "web"), image="x"))


# Section 5


@pytest.mark.parametrize(
    "request_",
    [by_image(), by_image(new_name="new"), by_file(controller("new", v="2"))],
    ids=["5.1 image", "5.1 image and name", "5.1 file"],
)
async def test_5_1_old_must_be_there(workshop: Workshop, request_: StartRollingUpdate) -> None:
    with pytest.raises(NotFoundError, match='replicationcontrollers "old" not found'):
        await start(workshop, request_)


async def test_5_2_file_mode_makes_the_new_controller_at_size_0(workshop: Workshop) -> None:
    old = await workshop.create(controller("old", 4, v="1"))
    update = await start(workshop, by_file(controller("new", 7, v="2")))
    assert (update.target, update.source, update.messages) == (key("new"), "old", ("Created new",))
    new = await get(workshop, "new")
    assert new.spec.replicas == 0
    assert new.metadata.annotations[SOURCE_ID] == f"old:{old.metadata.uid}"
    assert new.metadata.annotations[DESIRED_REPLICAS] == "7"
    assert state_of(new.metadata.annotations) == UpdateState()
    noted = (await get(workshop, "old")).metadata.annotations
    assert dict(noted) == {ORIGINAL_REPLICAS: "4"}


async def test_5_2_without_replicas_the_new_controller_takes_the_old_ones_size(workshop: Workshop) -> None:
    await workshop.create(controller("old", 4, v="1"))
    await start(workshop, by_file(controller("new", None, v="2")))
    assert (await get(workshop, "new")).metadata.annotations[DESIRED_REPLICAS] == "4"


async def test_5_2_file_must_hold_a_replication_controller_of_the_same_namespace(workshop: Workshop) -> None:
    await workshop.create(controller("old", v="1"))
    await refused(workshop, StartRollingUpdate(key("old"), Encoded.of(Pod())), "not a ReplicationController but a Pod")
    elsewhere = controller("new", v="2")
    elsewhere.metadata.namespace = "other"
    await refused(workshop, by_file(elsewhere), 'the namespace of the new controller, "other"')


async def test_5_3_image_mode_copies_the_old_controller_under_a_temporary_name(workshop: Workshop) -> None:
    given = controller("old", 2)
    given.metadata.annotations["team"] = "blue"
    await workshop.create(given)
    update = await start(workshop, by_image())
    name = update.target.name
    new, old = await get(workshop, name), await get(workshop, "old")
    hash_ = name.removeprefix("old-")
    assert len(hash_) == 32
    assert new.spec.selector == {"app": "web", "deployment": hash_}
    assert new.spec.template.metadata.labels == {"app": "web", "deployment": hash_}
    assert new.spec.template.spec.containers[0].image == "web:2"
    assert new.metadata.annotations["team"] == "blue"
    assert set(new.metadata.annotations) == {"team", SOURCE_ID, DESIRED_REPLICAS, STATE}
    assert old.metadata.annotations[NEXT_CONTROLLER] == name
    assert old.spec.selector == {"app": "web"}  # the engine adds the label, before it makes a pod
    state = state_of(new.metadata.annotations)
    assert state is not None
    assert (state.step, state.cleanup, state.label_key) == (Step.LABEL, CleanupPolicy.RENAME, "deployment")
    assert state.label_value.endswith("-orig")


async def test_5_3_with_a_name_the_new_controller_keeps_it(workshop: Workshop) -> None:
    await workshop.create(controller("old", deployment="blue"))
    await start(workshop, by_image(new_name="new"))
    state = state_of((await get(workshop, "new")).metadata.annotations)
    assert state == UpdateState(cleanup=CleanupPolicy.DELETE)  # the old one has the label: nothing is to be added


async def test_5_3_repeated_identical_updates_hash_differently(workshop: Workshop) -> None:
    await workshop.create(controller("old"))
    first = await start(workshop, replace(by_image(), options=WriteOptions(dry_run=True)))
    await annotate(workshop, "old", lambda noted: noted.update(touched="yes"))
    second = await start(workshop, replace(by_image(), options=WriteOptions(dry_run=True)))
    assert first.target != second.target
    assert len([await get(workshop, "old")]) == 1


async def test_5_3_containers(workshop: Workshop) -> None:
    two = controller("old")
    two.spec.template.spec.containers.append(Container(name="side", image="side:1"))
    await workshop.create(two)
    await refused(workshop, by_image(), "must specify --container")
    await refused(workshop, replace(by_image(), container="none"), "container none not found")
    update = await start(workshop, replace(by_image("side:2"), container="side"))
    images = [one.image for one in (await get(workshop, update.target.name)).spec.template.spec.containers]
    assert images == ["web:1", "side:2"]


async def test_5_3_unchanged_image_needs_a_pull_policy(workshop: Workshop) -> None:
    await workshop.create(controller("old"))
    await refused(workshop, by_image("web:1"), "--image-pull-policy")
    update = await start(workshop, replace(by_image("web:1"), image_pull_policy="Always"))
    container = (await get(workshop, update.target.name)).spec.template.spec.containers[0]
    assert container.image_pull_policy == "Always"


async def test_5_5_names_and_selectors_must_differ(workshop: Workshop) -> None:
    await workshop.create(controller("old", v="1"))
    await refused(workshop, by_file(controller("other", v="1")), "must specify a matching key with non-equal value")
    await refused(workshop, by_file(controller("other", extra="key")), "must specify a matching key")
    with pytest.raises(InvalidError, match="old cannot have the same name as the existing ReplicationController old"):
        await start(workshop, by_file(controller("old", v="2")))


async def test_7_1_requested_size_must_not_be_0(workshop: Workshop) -> None:
    await workshop.create(controller("old", v="1"))
    await refused(workshop, by_file(controller("new", 0, v="2")), "invalid controller new")


async def test_dry_run_shows_both_and_stores_nothing(workshop: Workshop) -> None:
    before = await workshop.create(controller("old"))
    update = await start(workshop, replace(by_image(), options=WriteOptions(dry_run=True)))
    assert update.new.parse().metadata.name == update.target.name
    assert update.old is not None
    assert update.old.parse().metadata.annotations[NEXT_CONTROLLER] == update.target.name
    assert await get(workshop, "old") == before
    with pytest.raises(NotFoundError):
        await get(workshop, update.target.name)


# Section 9


async def test_9_same_command_again_continues(workshop: Workshop) -> None:
    await workshop.create(controller("old"))
    first = await start(workshop, by_image())
    before = await get(workshop, first.target.name)
    again = await start(workshop, by_image())
    name = first.target.name
    assert again.target == first.target
    assert again.messages == (
        f"Found existing update in progress ({name}), resuming.",
        f"Continuing update with existing controller {name}.",
    )
    assert await get(workshop, name) == before


async def test_9_stopped_update_starts_again_from_its_sizes(workshop: Workshop) -> None:
    await workshop.create(controller("old", v="1"))
    await start(workshop, by_file(controller("new", v="2")))

    def stop(one: Controller) -> None:
        one.spec.replicas = 2
        set_state(one, UpdateState(Step.PAUSE, deadline=9.0, round_sizes=(2, 2), error="timed out"))

    await workshop.change(await get(workshop, "new"), stop)
    await start(workshop, by_file(controller("new", v="2")))
    new = await get(workshop, "new")
    assert (new.spec.replicas, state_of(new.metadata.annotations)) == (2, UpdateState())


async def test_9_other_pace_takes_over_without_losing_the_label_step(workshop: Workshop) -> None:
    await workshop.create(controller("old"))
    first = await start(workshop, by_image())
    before = state_of((await get(workshop, first.target.name)).metadata.annotations)
    fast = UpdatePace(1, 1, 1)
    await start(workshop, replace(by_image(), pace=fast))
    assert before is not None
    wanted = replace(before, pace=fast)
    assert state_of((await get(workshop, first.target.name)).metadata.annotations) == wanted


async def test_9_update_left_by_kubectl_is_taken_up(workshop: Workshop) -> None:
    old = await workshop.create(controller("old", v="1"))
    half = controller("new", 1, v="2")
    half.metadata.annotations.update({SOURCE_ID: f"old:{old.metadata.uid}", DESIRED_REPLICAS: "3"})
    await workshop.create(half)
    update = await start(workshop, by_file(controller("new", v="2")))
    assert update.messages == ("Continuing update with existing controller new.",)
    assert state_of((await get(workshop, "new")).metadata.annotations) == UpdateState()
    assert (await get(workshop, "new")).spec.replicas == 1
    assert (await get(workshop, "old")).metadata.annotations[ORIGINAL_REPLICAS] == "3"


async def test_9_other_image_is_refused(workshop: Workshop) -> None:
    await workshop.create(controller("old"))
    await start(workshop, by_image())
    await refused(workshop, by_image("web:3"), "existing update in progress to image web:2")


async def test_9_foreign_controller_of_the_name_is_refused(workshop: Workshop) -> None:
    await workshop.create(controller("old", v="1"))
    await workshop.create(controller("new", v="2"))
    await refused(workshop, by_file(controller("new", v="2")), "missing/unexpected annotations for controller new")


async def test_9_old_made_anew_is_refused(workshop: Workshop) -> None:
    await workshop.create(controller("old", v="1"))
    await start(workshop, by_file(controller("new", v="2")))
    await annotate(workshop, "new", lambda noted: noted.update({SOURCE_ID: "old:another"}))
    await refused(workshop, by_file(controller("new", v="2")), "it replaces old:another")


async def test_9_size_that_does_not_parse_is_refused(workshop: Workshop) -> None:
    await workshop.create(controller("old", v="1"))
    await start(workshop, by_file(controller("new", v="2")))
    await annotate(workshop, "new", lambda noted: noted.update({DESIRED_REPLICAS: "three"}))
    await refused(workshop, by_file(controller("new", v="2")), "unable to parse annotation")


async def test_9_third_controller_is_refused_while_two_are_at_it(workshop: Workshop) -> None:
    await workshop.create(controller("old", v="1"))
    await start(workshop, by_file(controller("new", v="2")))
    await refused(workshop, by_file(controller("third", v="3")), "an update of old to new is in progress")
    await refused(workshop, by_file(controller("third", v="3"), "new"), "an update of old to new is in progress")


async def test_9_old_missing_temporary_present_renames_in_the_image_form_only(workshop: Workshop) -> None:
    old = await workshop.create(controller("web", deployment="blue"))
    await workshop.create(controller("web-2", deployment="red"))
    await annotate(workshop, "web-2", lambda noted: noted.update({SOURCE_ID: "web-2:x", DESIRED_REPLICAS: "3"}))
    update = await start(workshop, by_image(old="web"))
    await annotate(workshop, update.target.name, lambda noted: noted.pop(STATE))
    await workshop.objects.write(Delete(key("web"), propagation=Propagation.BACKGROUND))
    with pytest.raises(NotFoundError):
        await get(workshop, "web")
    for other in (by_image(old="web", new_name="new"), by_file(controller("new", v="2"), "web")):
        with pytest.raises(NotFoundError):
            await start(workshop, other)
    again = await start(workshop, by_image(old="web"))
    assert (again.target, again.source, again.old) == (update.target, "web", None)
    state = state_of((await get(workshop, update.target.name)).metadata.annotations)
    assert state is not None
    assert state.cleanup is CleanupPolicy.RENAME
    assert old.metadata.name == again.source


async def test_9_rename_under_way_is_followed(workshop: Workshop) -> None:
    holder = controller("web", 0, deployment="red")
    holder.metadata.annotations.update({SOURCE_ID: "web-1:u", DESIRED_REPLICAS: "3", RENAMED_FROM: "web-1"})
    set_state(holder, UpdateState(Step.RENAME, CleanupPolicy.RENAME))
    await workshop.create(holder)
    update = await start(workshop, by_image(old="web"))
    assert (update.target, update.source) == (key("web-1"), "web")
    with pytest.raises(InvalidError, match="is finished"):
        await roll_back(workshop, "web", "web-1", also=controller("web-1", deployment="red"))


# Rollback


async def roll_back(
    workshop: Workshop, old: str = "old", new: str = "", *, also: Controller | None = None
) -> RollingUpdate:
    if also is not None:
        await workshop.create(also)
    return await workshop.rollouts.roll_back_rolling_update(RollBackRollingUpdate(key(old), new))


async def test_9_rollback_swaps_the_roles(workshop: Workshop) -> None:
    await workshop.create(controller("old", 4))
    forwards = await start(workshop, by_image())
    half = await get(workshop, forwards.target.name)
    update = await roll_back(workshop)
    assert (update.target, update.source) == (key("old"), half.metadata.name)
    noted = (await get(workshop, "old")).metadata.annotations
    assert noted[SOURCE_ID] == f"{half.metadata.name}:{half.metadata.uid}"
    assert noted[DESIRED_REPLICAS] == "4"
    assert state_of(noted) == UpdateState(cleanup=CleanupPolicy.DELETE, turn=1)
    assert await get(workshop, half.metadata.name) == half
    assert (await roll_back(workshop)).messages == update.messages
    again = state_of((await get(workshop, "old")).metadata.annotations)
    assert again == UpdateState(turn=1)


async def test_9_rolled_back_update_can_be_turned_forward_again(workshop: Workshop) -> None:
    await workshop.create(controller("old", v="1"))
    await start(workshop, by_file(controller("new", v="2")))
    await roll_back(workshop, new="new")
    await start(workshop, by_file(controller("new", v="2")))
    assert state_of((await get(workshop, "new")).metadata.annotations) == UpdateState(turn=2)


async def test_9_rollback_without_a_successor(workshop: Workshop) -> None:
    await workshop.create(controller("old"))
    with pytest.raises(NotFoundError, match="could not find an unfinished successor of old to rollback"):
        await roll_back(workshop)
    with pytest.raises(NotFoundError, match="could not find new to rollback"):
        await roll_back(workshop, new="new")
    with pytest.raises(NotFoundError):
        await roll_back(workshop, "none")


async def test_9_rollback_of_a_foreign_controller_is_refused(workshop: Workshop) -> None:
    await workshop.create(controller("old", v="1"))
    with pytest.raises(InvalidError, match="missing/unexpected annotations"):
        await roll_back(workshop, new="new", also=controller("new", v="2"))


async def test_9_rollback_is_too_late_when_the_old_controller_is_being_deleted(workshop: Workshop) -> None:
    await workshop.create(controller("old", v="1"))
    await start(workshop, by_file(controller("new", v="2")))
    await workshop.objects.write(Delete(key("old")))
    with pytest.raises(InvalidError, match="the update of old is finished"):
        await roll_back(workshop, new="new")


async def test_9_rollback_refuses_to_guess_the_size(workshop: Workshop) -> None:
    await workshop.create(controller("old", v="1"))
    await start(workshop, by_file(controller("new", v="2")))
    await annotate(workshop, "old", lambda noted: noted.pop(ORIGINAL_REPLICAS))
    with pytest.raises(InvalidError, match="no original size recorded"):
        await roll_back(workshop, new="new")


async def test_9_stale_original_size_is_noted_anew_for_a_fresh_update(workshop: Workshop) -> None:
    stale = controller("old", 2, v="1")
    stale.metadata.annotations[ORIGINAL_REPLICAS] = "9"
    await workshop.create(stale)
    await start(workshop, by_file(controller("new", v="2")))
    assert (await get(workshop, "old")).metadata.annotations[ORIGINAL_REPLICAS] == "2"
    await annotate(workshop, "old", lambda noted: noted.update({ORIGINAL_REPLICAS: "5"}))
    await start(workshop, by_file(controller("new", v="2")))
    assert (await get(workshop, "old")).metadata.annotations[ORIGINAL_REPLICAS] == "5"


# Section 3


def test_3_update_partner_is_read_as_a_synonym() -> None:
    source = source_of({PARTNER: "old", DESIRED_REPLICAS: "3"})
    assert source is not None
    assert (source.name, source.uid) == ("old", "")
    assert next_of({PARTNER: "new"}) == "new"
    assert next_of({NEXT_CONTROLLER: "newer", PARTNER: "new"}) == "newer"
    assert source_of({PARTNER: "new"}) is None
    assert next_of({PARTNER: "old", DESIRED_REPLICAS: "3"}) == ""


# Following


async def test_follow_ends_when_the_target_is_deleted(workshop: Workshop) -> None:
    await workshop.create(controller("old", v="1"))
    update = await start(workshop, by_file(controller("new", v="2")))
    await workshop.objects.write(Delete(update.target, propagation=Propagation.BACKGROUND))
    async with workshop.rollouts.watch_rolling_update(update.target, update.source, update.revision) as steps:
        told = [step async for step in steps]
    assert [step.state for step in told] == [RolloutState.FAILED]
    assert told[0].message == "new was deleted before the update was finished"


async def test_follow_tells_each_step_once_and_the_error(workshop: Workshop) -> None:
    await workshop.create(controller("old", v="1"))
    update = await start(workshop, by_file(controller("new", v="2")))
    for state in (UpdateState(messages=("one", "two")), UpdateState(error="no more")):
        await workshop.change(await get(workshop, "new"), lambda one, state=state: set_state(one, state))  # type: ignore[misc]
        await workshop.change_status(await get(workshop, "new"), lambda one: None)
    async with workshop.rollouts.watch_rolling_update(update.target, update.source, update.revision) as steps:
        told = [(step.state, step.message) async for step in steps]
    progressing = RolloutState.PROGRESSING
    assert told == [(progressing, "one"), (progressing, "two"), (RolloutState.FAILED, "no more")]
