"""Which calls are made again, and when."""

from __future__ import annotations

import asyncio
from collections.abc import Callable

import pytest

from rollplane_client.backoff import Backoff, no_jitter
from rollplane_client.retry import Retrier, RetryPolicy, did_nothing, is_retryable_read
from rollplane_client.tokens import REPEAT_SECONDS
from rollplane_machinery.clock import FakeClock
from rollplane_machinery.errors import (
    ConflictError,
    InternalError,
    NotFoundError,
    Outcome,
    RollplaneError,
    TimedOutError,
    TooManyRequestsError,
    UnavailableError,
)

NOT_SENT = UnavailableError("gone", outcome=Outcome.NOT_SENT)
UNKNOWN = UnavailableError("lost", outcome=Outcome.OUTCOME_UNKNOWN)
BUSY = TooManyRequestsError("busy", outcome=Outcome.NOT_SENT, retry_after_seconds=3.0)
DEFECT = InternalError("bug", outcome=Outcome.OUTCOME_UNKNOWN)

# error: whether a read is made again, and what is known of a write
CASES: dict[str, tuple[RollplaneError, bool, Outcome | None]] = {
    "not sent": (NOT_SENT, True, Outcome.NOT_SENT),
    "outcome unknown": (UNKNOWN, True, Outcome.OUTCOME_UNKNOWN),
    "the server is busy": (BUSY, True, Outcome.NOT_SENT),
    "a budget": (TooManyRequestsError("budget", name="pod"), False, None),
    "timed out": (TimedOutError("late"), False, Outcome.OUTCOME_UNKNOWN),
    "refused": (ConflictError("stale"), False, None),
    "a defect": (DEFECT, False, Outcome.OUTCOME_UNKNOWN),
}


@pytest.mark.parametrize(("error", "read", "write"), CASES.values(), ids=CASES)
def test_which_errors_are_retried(error: RollplaneError, read: bool, write: Outcome | None) -> None:
    assert (is_retryable_read(error), error.outcome) == (read, write)


class Attempts:
    """Fails with each error in turn, then succeeds; notes when it was called."""

    def __init__(self, clock: FakeClock, *errors: RollplaneError) -> None:
        self._clock = clock
        self._errors = list(errors)
        self.times: list[float] = []

    async def __call__(self) -> str:
        self.times.append(self._clock.monotonic())
        if self._errors:
            raise self._errors.pop(0)
        return "done"


async def outcome(
    clock: FakeClock, attempts: Attempts, may_retry: Callable[[RollplaneError], bool], seconds: float = 60.0
) -> str:
    policy = RetryPolicy(Backoff(base_seconds=1.0, cap_seconds=4.0, spread=0.0), give_up_seconds=20.0)
    call = asyncio.ensure_future(Retrier(policy, clock, no_jitter).call(attempts, may_retry))
    for _ in range(int(seconds * 2)):
        await asyncio.sleep(0)
        await clock.advance(0.5)
    return await call


async def test_waits_grow_and_are_capped() -> None:
    clock = FakeClock()
    attempts = Attempts(clock, *[NOT_SENT] * 4)
    assert await outcome(clock, attempts, did_nothing) == "done"
    assert attempts.times == [0.0, 1.0, 3.0, 7.0, 11.0]


async def test_the_servers_delay_is_obeyed() -> None:
    clock = FakeClock()
    attempts = Attempts(clock, BUSY)
    assert await outcome(clock, attempts, did_nothing) == "done"
    assert attempts.times == [0.0, 3.0]


async def test_it_gives_up_rather_than_wait_too_long() -> None:
    clock = FakeClock()
    attempts = Attempts(clock, *[NOT_SENT] * 9)
    with pytest.raises(UnavailableError):
        await outcome(clock, attempts, did_nothing)
    assert attempts.times == [0.0, 1.0, 3.0, 7.0, 11.0, 15.0, 19.0]


@pytest.mark.parametrize("error", [UNKNOWN, NotFoundError("none")])
async def test_what_may_not_be_retried_is_raised_as_it_is(error: RollplaneError) -> None:
    clock = FakeClock()
    attempts = Attempts(clock, error)
    with pytest.raises(type(error)) as raised:
        await outcome(clock, attempts, did_nothing, seconds=1.0)
    assert raised.value is error
    assert len(attempts.times) == 1


class Sendings:
    """One write whose sendings fail in turn; notes which of them were told to be repeats."""

    def __init__(self, *errors: RollplaneError) -> None:
        self._errors = list(errors)
        self.repeats: list[bool] = []

    async def __call__(self, repeat: bool) -> str:
        self.repeats.append(repeat)
        if self._errors:
            raise self._errors.pop(0)
        return "done"


async def written(clock: FakeClock, sendings: Sendings) -> str:
    policy = RetryPolicy(Backoff(base_seconds=1.0, cap_seconds=4.0, spread=0.0), give_up_seconds=4.0)
    call = asyncio.ensure_future(Retrier(policy, clock, no_jitter).write(sendings, lambda: True))
    for _ in range(20):
        await asyncio.sleep(0)
        await clock.advance(0.5)
    return await call


@pytest.mark.parametrize("unclear", [UNKNOWN, TimedOutError("late"), DEFECT])
async def test_a_write_is_repeated_until_it_is_answered(unclear: RollplaneError) -> None:
    sendings = Sendings(NOT_SENT, unclear)
    assert await written(FakeClock(), sendings) == "done"
    assert sendings.repeats == [False, False, True]


async def test_a_refused_write_is_not_repeated() -> None:
    sendings = Sendings(UNKNOWN, ConflictError("stale"))
    with pytest.raises(ConflictError):
        await written(FakeClock(), sendings)
    assert sendings.repeats == [False, True]


async def test_what_may_have_been_made_once_stays_unclear() -> None:
    """The last sending did nothing; that says nothing about the first."""
    for last in (NOT_SENT, BUSY):
        with pytest.raises(UnavailableError) as raised:
            await written(FakeClock(), Sendings(UNKNOWN, *[last] * 9))
        assert raised.value.outcome is Outcome.OUTCOME_UNKNOWN


async def test_what_refuses_the_whole_of_a_repeated_batch_is_no_word_on_its_writes() -> None:
    async def refused(repeat: bool) -> str:
        raise NotFoundError("too large") if repeat else UNKNOWN

    clock = FakeClock()
    policy = RetryPolicy(Backoff(base_seconds=1.0, spread=0.0), give_up_seconds=1.5)
    call = asyncio.ensure_future(Retrier(policy, clock, no_jitter).write(refused, lambda: True, of_many=True))
    await asyncio.sleep(0)
    await clock.advance(1.0)
    with pytest.raises(UnavailableError) as raised:
        await call
    assert raised.value.outcome is Outcome.OUTCOME_UNKNOWN


async def test_no_write_is_repeated_for_longer_than_the_store_knows_its_token() -> None:
    clock = FakeClock()
    sent: list[float] = []

    async def lost(_repeat: bool) -> str:
        sent.append(clock.monotonic())
        raise UNKNOWN

    policy = RetryPolicy(Backoff(base_seconds=5.0, cap_seconds=5.0, spread=0.0), give_up_seconds=10_000.0)
    call = asyncio.ensure_future(Retrier(policy, clock, no_jitter).write(lost, lambda: True))
    while not call.done():
        await asyncio.sleep(0)
        await clock.advance(5.0)
    assert sent[-1] == REPEAT_SECONDS
    with pytest.raises(UnavailableError) as raised:
        await call
    assert raised.value.outcome is Outcome.OUTCOME_UNKNOWN
