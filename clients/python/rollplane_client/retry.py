"""Which failed calls are made again: reads when the failure may pass, writes until they are answered for certain."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import TypeVar

from rollplane_client.backoff import Backoff, Jitter
from rollplane_client.tokens import REPEAT_SECONDS
from rollplane_machinery.clock import Clock
from rollplane_machinery.errors import Outcome, RollplaneError, TooManyRequestsError, UnavailableError
from rollplane_machinery.frozen import frozen

T = TypeVar("T")


DEFAULT_BACKOFF = Backoff(base_seconds=0.05, cap_seconds=2.0)


@frozen
class RetryPolicy:
    """Waits grow by ``backoff``; no wait is begun that would end later than ``give_up_seconds`` after the first try.

    A write is repeated for REPEAT_SECONDS at most, however patient the policy is.
    """

    backoff: Backoff = DEFAULT_BACKOFF
    give_up_seconds: float = 10.0


def is_retryable_read(error: RollplaneError) -> bool:
    """Return whether a read that failed so may succeed in a moment."""
    return isinstance(error, UnavailableError) or _has_delay(error)


def did_nothing(error: RollplaneError) -> bool:
    """Return whether a call that failed so was not carried out, and may be in a moment."""
    return error.outcome is Outcome.NOT_SENT


def _has_delay(error: RollplaneError) -> bool:
    return isinstance(error, TooManyRequestsError) and error.retry_after_seconds is not None


class Retrier:
    """Makes calls again by one policy."""

    def __init__(self, policy: RetryPolicy, clock: Clock, jitter: Jitter) -> None:
        self._policy = policy
        self._clock = clock
        self._jitter = jitter

    async def call(self, attempt: Callable[[], Awaitable[T]], may_retry: Callable[[RollplaneError], bool]) -> T:
        """Return what ``attempt`` returns, trying again as long as ``may_retry`` and the policy allow.

        Waits at least as long as the error says. Raises the last error as it is.
        """
        return await self._call(attempt, may_retry, self._policy.give_up_seconds)

    async def _call(
        self, attempt: Callable[[], Awaitable[T]], may_retry: Callable[[RollplaneError], bool], give_up_seconds: float
    ) -> T:
        started = self._clock.monotonic()
        failures = 0
        while True:
            try:
                return await attempt()
            except RollplaneError as exc:
                delay = max(self._policy.backoff.seconds(failures, self._jitter), exc.retry_after_seconds or 0.0)
                end = self._clock.monotonic() + delay - started
                if end > give_up_seconds or not may_retry(exc):
                    raise
            failures += 1
            await self._clock.sleep(delay)

    async def write(
        self, attempt: Callable[[bool], Awaitable[T]], may_retry: Callable[[], bool], *, of_many: bool = False
    ) -> T:
        """Return what ``attempt`` returns, trying again until the write with its token is answered for certain.

        ``attempt`` is told whether an earlier one may have been carried out. Raises what refused the write; once the
        policy gives up, what says truly whether any of the attempts may have been carried out.

        With ``of_many`` it is a batch, each write of which has an answer of its own: what refuses the whole of a repeat
        says nothing of an earlier sending.
        """
        sending = _Sending(of_many)
        return await self._call(
            lambda: sending.judge(attempt),
            lambda error: may_retry() and error.outcome is not None,
            min(self._policy.give_up_seconds, REPEAT_SECONDS),
        )


class _Sending:
    """One write, or a batch ``of_many``, on its way; ``unclear`` once an attempt may have been carried out."""

    def __init__(self, of_many: bool) -> None:
        self.unclear = False
        self._of_many = of_many

    async def judge(self, attempt: Callable[[bool], Awaitable[T]]) -> T:
        try:
            return await attempt(self.unclear)
        except RollplaneError as exc:
            outcome = exc.outcome
            if self.unclear and (outcome is Outcome.NOT_SENT or (outcome is None and self._of_many)):
                raise UnavailableError(
                    exc.message, outcome=Outcome.OUTCOME_UNKNOWN, retry_after_seconds=exc.retry_after_seconds
                ) from exc
            self.unclear = self.unclear or outcome is Outcome.OUTCOME_UNKNOWN
            raise
