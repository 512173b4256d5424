"""Who holds a lease: one life of one process.

A configured name says who that is to people; two processes may bear it by mistake, and one after the other
does by intention. A life is one process from its start to its end, so that leases never take two for one.

Whoever starts a process only when the one before has ended may number its lives, ``<who>.<number>``: then a life
knows that those with a lower number are over, and need not wait until their leases run out.
"""

from __future__ import annotations


def identity_of(name: str, life: str) -> str:
    """Return the identity under which that life of the holder of that name holds leases."""
    return f"{name}_{life}"


def name_in(identity: str) -> str:
    """Return the configured name that is part of an identity, "" where there is none."""
    return identity.rpartition("_")[0]


def has_ended(holder: str, identity: str) -> bool:
    """Tell whether ``holder`` is an earlier one of the numbered lives that ``identity`` is one of."""
    line, _, number = identity.rpartition(".")
    former_line, _, former = holder.rpartition(".")
    return line == former_line != "" and number.isdecimal() and former.isdecimal() and int(former) < int(number)
