"""What tests of the plugin share."""

from __future__ import annotations

import pytest

from tests.testing.sub_runs import SubRuns


@pytest.fixture
def sub_run(pytester: pytest.Pytester, monkeypatch: pytest.MonkeyPatch) -> SubRuns:
    return SubRuns(pytester, monkeypatch)
