"""Which calls are made again, and when."""

from __future__ import annotations

import asyncio
from collections.abc import Callable

import pytest

from rollplane_client.backoff import Backoff, no_jitter
from rollplane_client.retry import (
    Retrier,
    RetryPolicy,
    is_retryable_eviction,
    is_retryable_read,
    is_retryable_write,
)
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
BUSY = TooManyRequestsError("busy", retry_after_seconds=3.0)

# error: whether a read, a write, an eviction is made again
CASES: dict[str, tuple[RollplaneError, bool, bool, bool]] = {
    "not sent": (NOT_SENT, True, True, True),
    "outcome unknown": (UNKNOWN, True, False, False),
    "too many, with a delay": (BUSY, True, True, False),
    "too many, without": (TooManyRequestsError("budget"), False, False, False),
    "timed out": (TimedOutError("late"), False, False, False),
    "refused": (ConflictError("stale"), False, False, False),
    "a defect": (InternalError("bug"), False, False, False),
}


@pytest.mark.parametrize(("error", "read", "write", "eviction"), CASES.values(), ids=CASES)
def test_which_errors_are_retried(error: RollplaneError, read: bool, write: bool, eviction: bool) -> None:
    assert (is_retryable_read(error), is_retryable_write(error), is_retryable_eviction(error)) == (
        read,
        write,
        eviction,
    )


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
    assert await outcome(clock, attempts, is_retryable_write) == "done"
    assert attempts.times == [0.0, 1.0, 3.0, 7.0, 11.0]


async def test_the_servers_delay_is_obeyed() -> None:
    clock = FakeClock()
    attempts = Attempts(clock, BUSY)
    assert await outcome(clock, attempts, is_retryable_write) == "done"
    assert attempts.times == [0.0, 3.0]


async def test_it_gives_up_rather_than_wait_too_long() -> None:
    clock = FakeClock()
    attempts = Attempts(clock, *[NOT_SENT] * 9)
    with pytest.raises(UnavailableError):
        await outcome(clock, attempts, is_retryable_write)
    assert attempts.times == [0.0, 1.0, 3.0, 7.0, 11.0, 15.0, 19.0]


@pytest.mark.parametrize("error", [UNKNOWN, NotFoundError("none")])
async def test_what_may_not_be_retried_is_raised_as_it_is(error: RollplaneError) -> None:
    clock = FakeClock()
    attempts = Attempts(clock, error)
    with pytest.raises(type(error)) as raised:
        await outcome(clock, attempts, is_retryable_write, seconds=1.0)
    assert raised.value is error
    assert len(attempts.times) == 1
