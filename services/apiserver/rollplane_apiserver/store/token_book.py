"""The tokens of recent commits, in the plainest form: what the commit script keeps in a cell's ``tokens`` keys."""

from __future__ import annotations

from rollplane_apiserver.store.interface import Committed, Outcome, Refusal, Refused, TokenLimits


class TokenBook:
    """What became of tokens, in two generations; as bounded as ``limits`` say."""

    def __init__(self, limits: TokenLimits) -> None:
        self._limits = limits
        self._young: dict[str, int] = {}
        self._old: dict[str, int] = {}
        self._bytes = 0
        self._since = 0.0

    def __len__(self) -> int:
        return len(self._young) + len(self._old)

    def outcome(self, token: str) -> Outcome | None:
        """Return the outcome of ``token`` to tell again; None when nothing became of it."""
        revision = self._young.get(token, self._old.get(token))
        if revision is None:
            return None
        return Committed(revision, repeated=True) if revision else Refused(Refusal.WITHDRAWN, repeated=True)

    def note(self, token: str, revision: int) -> None:
        """Remember that ``token`` was committed at ``revision``; 0: that it never will be."""
        if token:
            self._young[token] = revision
            self._bytes += len(token)

    def age(self, now: float) -> None:
        """Begin a new generation if it is time to; ``now`` is in seconds of a clock that does not go back."""
        limits = self._limits
        full = len(self._young) >= limits.entries or self._bytes >= limits.bytes
        if full or now - self._since >= limits.seconds:
            self._young, self._old = {}, self._young
            self._bytes, self._since = 0, now
