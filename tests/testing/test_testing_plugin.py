"""The fixture ``rollplane`` in real runs of pytest: without another plugin for coroutines, and with those there are."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from fnmatch import fnmatchcase

import pytest

from tests.testing.sub_runs import ROOM, SubRuns

pytest_plugins = ["pytester"]

ASYNCIO = "pytest_asyncio.plugin"
ANYIO = "anyio.pytest_plugin"
UNSET = "asyncio_default_fixture_loop_scope = function\n"

ROLLS_OUT = """
async def test_rolls_out(rollplane):
    await rollplane.apply(WEB)
    assert await rollplane.until_rolled_out() < 60
    await rollplane.advance(60)
    assert rollplane.seconds >= 60
"""
MARKED, REFUSED = (ROLLS_OUT.replace("rolls_out", name, 1) for name in ("is_marked", "is_refused"))
SHARED = """
import asyncio
import pytest
import pytest_asyncio

@pytest_asyncio.fixture
async def web(rollplane):
    await rollplane.apply(WEB)
    await rollplane.until_rolled_out()
    yield rollplane
    await rollplane.advance(60)

async def rolls_on(web, rollplane):
    assert web is rollplane
    await rollplane.apply(WEB.replace("web:", "web:2"))
    await rollplane.until_rolled_out()

async def knows_no_plane():
    assert type(asyncio.get_running_loop()).__module__.startswith("asyncio")
"""


def test_a_coroutine_has_its_plane_beside_anyio(sub_run: SubRuns) -> None:
    text = f"{ROLLS_OUT}\nimport pytest\n@pytest.mark.anyio{MARKED}"
    sub_run(text, plugins=(ANYIO,)).assert_outcomes(passed=2)


@pytest.mark.parametrize("mode", ["auto", "strict"])
def test_fixtures_of_pytest_asyncio_live_in_the_plane_s_loop_and_others_in_theirs(sub_run: SubRuns, mode: str) -> None:
    """A plane in a loop of many tests is refused."""
    mark = "@pytest.mark.asyncio\n" if mode == "strict" else ""
    text = SHARED.replace("async def rolls_on", f"{mark}async def test_rolls_on")
    text = text.replace("async def knows_no_plane", f"{mark}async def test_knows_no_plane")
    text += f'{ROLLS_OUT}\n@pytest.mark.asyncio{MARKED}\n@pytest.mark.asyncio(loop_scope="module"){REFUSED}'
    result = sub_run(text, plugins=(ASYNCIO,), ini=f"{UNSET}asyncio_mode = {mode}\n")
    result.assert_outcomes(passed=4, errors=1)
    result.stdout.fnmatch_lines(["*one for each module: mark it @pytest.mark.asyncio(loop_scope=*"])


def test_plain_tests_run_coroutines_where_no_plugin_does(sub_run: SubRuns) -> None:
    text = (
        ROLLS_OUT
        + """
import pytest

@pytest.fixture
def web(rollplane):
    rollplane.run(rollplane.apply(WEB))

class TestPlain:
    def test_rolls_out(self, web, rollplane):
        assert rollplane.run(rollplane.until_rolled_out()) < 60

    async def test_in_a_class(self, rollplane):
        with pytest.raises(RuntimeError, match="await this instead"):
            rollplane.run(rollplane.advance(1))
"""
    )
    sub_run(text).assert_outcomes(passed=3)


def test_configuration_and_marker_say_what_a_plane_is(sub_run: SubRuns) -> None:
    text = """
import pytest

def test_configured(rollplane):
    assert (rollplane.options.nodes, rollplane.seed, rollplane.release.name) == (5, 9, "1.30")

@pytest.mark.rollplane(nodes=2, profile="realistic")
class TestMarked:
    @pytest.mark.rollplane(nodes=1)
    def test_closest(self, rollplane):
        assert (rollplane.options.nodes, rollplane.options.profile) == (1, "realistic")

@pytest.mark.rollplane(node=2)
def test_mistaken(rollplane):
    pass
"""
    ini = "rollplane_nodes = 5\nrollplane_seed = 9\nrollplane_release = 1.30\n"
    result = sub_run(text, ini=ini)
    result.assert_outcomes(passed=2, errors=1)
    result.stdout.fnmatch_lines(
        [
            "rollplane: nodes=5 profile=instant seed=9 release=1.30",
            "*marker rollplane: node: no such option; there are *",
        ]
    )


IMPOSSIBLE: dict[str, str] = {
    "speed='fast'": "speed: must be a number from 0 on; is 'fast'",
    "speed=-1": "speed: must be a number from 0 on; is -1",
    "profile='relistic'": "profile: no profile 'relistic', did you mean realistic? there are instant, *",
    "profile=3": "profile: must be one of instant, *, or a file of a profile; is 3",
    "profile='./gone.yaml'": "profile: gone.yaml: No such file or directory",
    "release='2.0'": 'release: "2.0" is no release that can be behaved as: want 1.20 to *',
    "release=1.3": "release: must be text, such as *; is 1.3",
    "nodes=-1": "nodes: must be a number from 0 to 16384, or a file of pools or Nodes; is -1",
    "nodes='abc'": "nodes: must be a number *, or a file of pools or Nodes; abc: No such file or directory",
    "nodes=1.5": "nodes: must be a number *; is 1.5",
    "seed='x'": "seed: must be a whole number; is 'x'",
    "own='yes'": "own: must be True or False; is 'yes'",
    "nodes=-1, own=1": "nodes: *; own: must be True or False; is 1",
}


@pytest.mark.parametrize("fixture", ["rollplane", "rollplane_server"])
def test_a_plane_that_cannot_be_is_refused_in_a_line(sub_run: SubRuns, fixture: str) -> None:
    tests = "".join(
        f"\n@pytest.mark.rollplane({said})\ndef test_{number}({fixture}): pass\n"
        for number, said in enumerate(IMPOSSIBLE)
    )
    result = sub_run(f"import pytest\n{tests}")
    result.assert_outcomes(errors=len(IMPOSSIBLE))
    told = [line for line in result.outlines if line.startswith("the marker rollplane: ")]
    assert len(told) == len(IMPOSSIBLE)
    assert [
        (line, wanted)
        for line, wanted in zip(told, IMPOSSIBLE.values(), strict=True)
        if not fnmatchcase(line, f"the marker rollplane: {wanted}")
    ] == []
    assert len(result.outlines) < 5 * len(IMPOSSIBLE)


def test_a_configured_plane_that_cannot_be_is_no_fault_of_markers(sub_run: SubRuns) -> None:
    result = sub_run("def test_any(rollplane): pass\n", ini="rollplane_profile = relistic\n")
    result.stdout.fnmatch_lines(
        ["the configuration rollplane: profile: no profile 'relistic', did you mean realistic?*"]
    )


FAILS = """
import pytest

@pytest.mark.parametrize("seed", [pytest.param(seed, marks=pytest.mark.rollplane(seed=seed)) for seed in (0, 0, 7)])
@pytest.mark.rollplane(profile="realistic")
async def test_too_slow(rollplane, seed):
    await rollplane.apply(WEB)
    await rollplane.until_rolled_out(1)
"""


def test_a_failed_test_tells_of_its_plane(sub_run: SubRuns) -> None:
    result = sub_run(FAILS)
    result.assert_outcomes(failed=3)
    result.stdout.fnmatch_lines(
        [
            "-* rollplane -*",
            "nodes=3 profile=realistic seed=0, after 1.0 s *",
            "event log *",
            "rollouts:",
            '  deployment/default/web: deployment "web" waits for 3 new pods to become ready (ContainerCreating)',
            "last changes, of *",
            "*modified deployments.apps/default/web",
        ]
    )
    one, same, other = re.findall("^event log ([0-9a-f]{64})$", result.stdout.str(), re.MULTILINE)
    assert one == same != other


def test_what_ends_a_plane_before_its_time_is_told_and_so_is_what_a_fixture_came_to(sub_run: SubRuns) -> None:
    text = """
import pytest

@pytest.fixture
def web(rollplane):
    rollplane.run(rollplane.apply(WEB.replace("web:v1", "")))

async def test_never(web):
    pass

async def test_dies(rollplane):
    async def fail():
        raise ValueError("the plane is broken")
    rollplane.beside(fail())
    await rollplane.advance(1)
"""
    result = sub_run(text, "--rollplane-seed", "7")
    result.assert_outcomes(passed=1, errors=2)
    told = ["*spec.template.spec.containers[[]0].image*", "-* rollplane -*", "nodes=3 profile=instant seed=7,*"]
    result.stdout.fnmatch_lines([*told, "*ValueError: the plane is broken*"])


def test_a_configuration_that_makes_no_sense_is_refused(sub_run: SubRuns) -> None:
    result = sub_run("", ini="rollplane_seed = red\n")
    result.stderr.fnmatch_lines(["*rollplane: invalid literal for int() with base 10: 'red'"])


def test_the_plugin_weighs_nothing_where_it_is_not_used() -> None:
    text = "import sys, rollplane_testing.plugin; print([name for name in sys.modules if name.startswith('rollplane')])"
    environ = {**os.environ, "PYTHONPATH": ROOM}
    done = subprocess.run([sys.executable, "-c", text], env=environ, capture_output=True, text=True, check=True)
    assert done.stdout == "['rollplane_testing', 'rollplane_testing.options', 'rollplane_testing.plugin']\n"
