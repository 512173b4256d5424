"""What needs another project that not every installation has says what to install."""

from __future__ import annotations

from importlib.util import find_spec

from rollplane_machinery.errors import SetupError


def require(*names: str, what: str = "a whole plane", extra: str = "all") -> None:
    """Raise SetupError, with the extra that ``what`` needs, unless every module is there; none is imported."""
    if missing := [name for name in names if find_spec(name) is None]:
        raise SetupError(
            f"not installed: {', '.join(missing)}; {what} needs the extra {extra}, "
            f'such as pip install "$PWD[{extra}]" in the clone'
        )
