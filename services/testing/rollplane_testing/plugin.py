"""The pytest plugin: fixtures ``rollplane`` and ``rollplane_server``, the marker that says what they are to be.

pytest loads this in everybody's runs: whatever weighs anything is imported when a fixture is asked for.
"""

from __future__ import annotations

import inspect
from collections.abc import Callable, Generator, Iterator, Mapping
from functools import wraps
from typing import TYPE_CHECKING, Any

import pytest

from rollplane_testing.options import NAMES, Options, from_texts

if TYPE_CHECKING:
    from rollplane_testing.living import TestPlane
    from rollplane_testing.place import Place
    from rollplane_testing.server import Servers

_MARKER = (
    "rollplane(nodes=3, profile='instant', seed=0, release='', speed=1, own=False): "
    "what the planes of the fixtures rollplane and rollplane_server are to be"
)
_INI = {
    "nodes": "how many nodes a plane has, or a file of them (default 3)",
    "profile": "how its pods live: a shipped profile or a file (default instant)",
    "seed": "the source of all chance in it (default 0)",
    "release": "the Kubernetes release it behaves as (default the newest)",
    "speed": "seconds that pass on a server in a real one (default 1)",
}
_TELL = pytest.StashKey[Callable[[], str]]()
_ALONE = pytest.StashKey["TestPlane"]()
_LOOPS = pytest.StashKey[object]()


def pytest_addoption(parser: pytest.Parser) -> None:
    """Say what can be configured."""
    parser.getgroup("rollplane").addoption(
        "--rollplane-seed", type=int, metavar="N", help="the seed of all planes, whatever configuration and markers say"
    )
    for name, what in _INI.items():
        parser.addini(f"rollplane_{name}", what, default="")


def pytest_configure(config: pytest.Config) -> None:
    """Name the marker, and get on with pytest-asyncio where it is."""
    config.addinivalue_line("markers", _MARKER)
    if hasattr(config.hook, "pytest_asyncio_loop_factories"):
        from rollplane_testing import pytest_asyncio_plane

        config.pluginmanager.register(pytest_asyncio_plane)
        config.stash[_LOOPS] = pytest_asyncio_plane.InVirtualTime()


def pytest_report_header(config: pytest.Config) -> str:
    """Tell what planes are unless a marker says something else."""
    return f"rollplane: {_configured(config).words()}"


# What the planes are to be, and what they need.


@pytest.fixture(scope="session")
def _rollplane_needs() -> None:
    from rollplane_machinery.needs import require
    from rollplane_plane.needs import NEEDED_IN_TESTS

    require(*NEEDED_IN_TESTS, extra="test")


def _configured(config: pytest.Config) -> Options:
    try:
        return Options().having(
            from_texts((name, str(config.getini(f"rollplane_{name}"))) for name in _INI), _demanded(config)
        )
    except ValueError as exc:
        raise pytest.UsageError(f"rollplane: {exc}") from exc


def _demanded(config: pytest.Config) -> dict[str, Any]:
    seed = config.getoption("--rollplane-seed")
    return {} if seed is None else {"seed": seed}


@pytest.fixture
def _rollplane_options(request: pytest.FixtureRequest, _rollplane_needs: None) -> Options:
    markers = list(request.node.iter_markers("rollplane"))[::-1]  # the closest last
    if any(marker.args for marker in markers):
        pytest.fail(f"the marker rollplane takes names: {', '.join(NAMES)}", pytrace=False)
    configured = _possible(_configured(request.config), "configuration")
    said = [marker.kwargs for marker in markers]
    return _possible(configured, "marker", *said, _demanded(request.config))


def _possible(options: Options, where: str, *changes: Mapping[str, Any]) -> Options:
    """Return the options with ``changes``; fails the test, saying ``where`` it is told, when no plane can be so."""
    from rollplane_testing.checking import check

    try:
        changed = options.having(*changes)
        check(changed)
    except ValueError as exc:
        wrong = str(exc)
    else:
        return changed
    pytest.fail(f"the {where} rollplane: {wrong}", pytrace=False)  # here, or pytest would show the ValueError, too


# A plane in virtual time.


@pytest.fixture
def rollplane(request: pytest.FixtureRequest, _rollplane_options: Options) -> Iterator[TestPlane]:
    """A plane in virtual time, in this process: ``await rollplane.apply(…)``; in plain tests ``rollplane.run(…)``."""
    from rollplane_testing.living import living_alone

    if _is_of_pytest_asyncio(request.node):
        plane: TestPlane = request.getfixturevalue("_rollplane_in_running_loop")
        request.node.stash[_TELL] = plane.told
        yield plane
        return
    with living_alone(_rollplane_options) as plane:
        request.node.stash[_TELL] = plane.told
        request.node.stash[_ALONE] = plane
        yield plane


def _is_of_pytest_asyncio(item: pytest.Function) -> bool:
    """Tell whether pytest-asyncio runs the test; fails it where that cannot be in virtual time."""
    marker = item.get_closest_marker("asyncio")
    if marker is None or not inspect.iscoroutinefunction(item.obj):
        return False
    if _LOOPS not in item.config.stash:
        pytest.fail("planes need pytest-asyncio 1.4 or newer, or tests without its marker", pytrace=False)
    scope = marker.kwargs.get("loop_scope") or item.config.getini("asyncio_default_test_loop_scope")
    if scope != "function":
        pytest.fail(
            f"a plane has a loop of its own, and the loop of this test is one for each {scope}: "
            'mark it @pytest.mark.asyncio(loop_scope="function")',
            pytrace=False,
        )
    return True


@pytest.hookimpl(wrapper=True)
def pytest_generate_tests(metafunc: pytest.Metafunc) -> Generator[None, None, None]:
    """Tell pytest-asyncio of loops in virtual time while a test that wants one is made, and at no other time."""
    loops = metafunc.config.stash.get(_LOOPS, None)
    if loops is None or "rollplane" not in metafunc.fixturenames:
        return (yield)
    metafunc.config.pluginmanager.register(loops)
    try:
        return (yield)
    finally:
        metafunc.config.pluginmanager.unregister(loops)


@pytest.hookimpl(wrapper=True, tryfirst=True)
def pytest_pyfunc_call(pyfuncitem: pytest.Function) -> Generator[None, Any, Any]:
    """Make a plain function of a coroutine function that has a plane in a loop of ours, before others run it."""
    plane = pyfuncitem.stash.get(_ALONE, None)
    test = pyfuncitem.obj
    if plane is None or not inspect.iscoroutinefunction(test):
        return (yield)

    @wraps(test)
    def plain(*arguments: Any, **named: Any) -> Any:
        return plane.run(test(*arguments, **named))

    pyfuncitem.obj = plain
    try:
        return (yield)
    finally:
        pyfuncitem.obj = test


# A plane that serves.


@pytest.fixture(scope="session")
def _rollplane_servers(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Servers]:
    from rollplane_testing.server import Servers

    with Servers(tmp_path_factory.mktemp("rollplane")) as servers:
        yield servers


@pytest.fixture
def rollplane_server(
    request: pytest.FixtureRequest, _rollplane_options: Options, _rollplane_servers: Servers
) -> Iterator[Place]:
    """A namespace of its own on a plane in a process of its own, with REST, gRPC, and time that tests may step."""
    if not isinstance(_rollplane_options.nodes, int | str):
        pytest.fail("the marker rollplane: nodes: of a server must be a number, or the path of a file", pytrace=False)
    with _rollplane_servers.place(_rollplane_options) as place:
        request.node.stash[_TELL] = place.told
        yield place


# What is told of a test that failed.


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(
    item: pytest.Item, call: pytest.CallInfo[None]
) -> Generator[None, pytest.TestReport, pytest.TestReport]:
    """Tell of its plane where a test failed."""
    report = yield
    if report.failed and call.when != "teardown" and _TELL in item.stash:
        report.sections.append(("rollplane", _what_is_told(item.stash[_TELL])))
    return report


def _what_is_told(tell: Callable[[], str]) -> str:
    try:
        return tell()
    except Exception as exc:
        return f"nothing can be told of the plane: {exc!r}"
