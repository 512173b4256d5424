"""How many files and connections a process may have open."""

from __future__ import annotations

import resource

WANTED = 65_536


def raise_limit(wanted: int = WANTED) -> int:
    """Raise the soft limit as far as the hard one allows, at most to ``wanted``; return what it is then."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    target = wanted if hard == resource.RLIM_INFINITY else min(wanted, hard)
    if soft != resource.RLIM_INFINITY and soft < target:
        resource.setrlimit(resource.RLIMIT_NOFILE, (target, hard))
        return target
    return wanted if soft == resource.RLIM_INFINITY else soft
