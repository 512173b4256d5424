"""An installation that cannot run a plane says what to install."""

from __future__ import annotations

import pytest

from rollplane_machinery.errors import SetupError
from rollplane_machinery.needs import require
from rollplane_plane.needs import NEEDED


def test_what_is_installed_passes() -> None:
    require(*NEEDED)


def test_what_is_missing_is_named_with_what_brings_it() -> None:
    with pytest.raises(SetupError, match=r"^not installed: no_such_module; .*\[all\]"):
        require("json", "no_such_module")
