"""Judging what watches show: at once where they are in order, put in order where not, honestly unsure otherwise."""

from __future__ import annotations

from rollplane.apps.v1 import ReplicaSet
from rollplane.core.v1 import Pod
from rollplane_load.judging import HELD_SECONDS, Judge
from rollplane_machinery.api import EventType, WatchBatch, WatchEvent
from rollplane_machinery.clock import FakeClock
from rollplane_machinery.kinds import ApiObject, Encoded

ADDED, DELETED = EventType.ADDED, EventType.DELETED


def _event(revision: int, message: ApiObject, type_: EventType = ADDED) -> WatchEvent:
    return WatchEvent(type_, Encoded.of(message), revision)


def _set(size: int) -> ReplicaSet:
    made = ReplicaSet()
    made.metadata.name, made.metadata.namespace, made.metadata.uid = "set", "x", "set"
    made.spec.replicas = size
    return made


def _pod(name: str) -> Pod:
    made = Pod()
    made.metadata.name, made.metadata.namespace, made.metadata.uid = name, "x", name
    made.metadata.owner_references.add(kind="ReplicaSet", name="set", uid="set", controller=True)
    return made


def _batch(*events: WatchEvent) -> WatchBatch:
    return WatchBatch(events, events[-1].revision)


async def test_kinds_that_come_out_of_order_are_judged_in_order() -> None:
    clock = FakeClock()
    judge = Judge(clock, in_order=False)
    judge.take(_batch(_event(1, _set(1)), _event(3, _set(2), EventType.MODIFIED)))
    judge.take(_batch(_event(2, _pod("a")), _event(4, _pod("b"))))
    assert judge.verdict() == []
    assert judge.late == 0


async def test_what_is_broken_is_found_all_the_same() -> None:
    clock = FakeClock()
    judge = Judge(clock, in_order=False)
    judge.take(_batch(_event(2, _pod("a")), _event(3, _pod("b"))))
    judge.take(_batch(_event(1, _set(1))))
    await clock.advance(HELD_SECONDS + 0.1)
    judge.take(_batch(_event(9, _pod("c"), DELETED)))
    assert [each.partition(": ")[2] for each in judge.verdict()] == ["x/set: 2 live pods, 1 are wanted"]


async def test_what_comes_too_late_makes_it_unsure_and_accuses_nobody() -> None:
    clock = FakeClock()
    judge = Judge(clock, in_order=False)
    judge.take(_batch(_event(1, _set(1)), _event(5, _pod("a"))))
    await clock.advance(HELD_SECONDS + 0.1)
    judge.take(_batch(_event(9, _pod("a"), DELETED)))
    judge.take(_batch(_event(4, _set(2), EventType.MODIFIED)))
    judge.take(_batch(_event(6, _pod("b")), _event(7, _pod("c")), _event(8, _pod("d"))))
    await clock.advance(HELD_SECONDS + 0.1)
    assert judge.verdict() == []
    assert judge.late > 0


def test_in_order_they_are_judged_at_once() -> None:
    judge = Judge(FakeClock(), in_order=True)
    judge.take(_batch(_event(1, _set(1)), _event(2, _pod("a")), _event(3, _pod("b"))))
    assert len(judge.verdict()) == 1


def test_what_was_broken_before_the_state_was_told_anew_is_not_forgotten() -> None:
    judge = Judge(FakeClock(), in_order=True)
    judge.take(_batch(_event(1, _set(1)), _event(2, _pod("a")), _event(3, _pod("b"))))
    judge.begin_again()
    judge.take(WatchBatch((_event(1, _set(1)),), 0))
    judge.take(WatchBatch((), 9, initial_state_complete=True))
    assert len(judge.verdict()) == 1
