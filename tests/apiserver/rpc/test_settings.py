"""What a start is told: variables, flags on top, and addresses that are refused."""

from __future__ import annotations

import pytest

from rollplane_apiserver.settings import Settings, read_arguments
from rollplane_service.listen import check_address, is_loopback
from rollplane_service.settings import read_settings


def test_defaults_stay_on_this_machine() -> None:
    settings = read_settings(Settings, {}, {})
    assert (settings.listen, settings.metrics_listen) == ("127.0.0.1:7070", "127.0.0.1:7071")
    assert not settings.insecure_bind


def test_flags_go_before_variables() -> None:
    environ = {
        "ROLLPLANE_LISTEN": "127.0.0.1:1",
        "ROLLPLANE_CELL": "green",
        "ROLLPLANE_GRACE_SECONDS": "2.5",
        "ROLLPLANE_MAX_CALLS": "7",
        "ROLLPLANE_INSECURE_BIND": "true",
        "ROLLPLANE_SOMETHING_ELSE": "is not ours",
    }
    settings = read_arguments(["--listen", "127.0.0.1:2", "--redis", "memory://"], environ)
    assert (settings.listen, settings.redis, settings.cell) == ("127.0.0.1:2", "memory://", "green")
    assert (settings.grace_seconds, settings.max_calls, settings.insecure_bind) == (2.5, 7, True)


def test_where_services_get_their_addresses() -> None:
    told = {"ROLLPLANE_SERVICE_CIDR": "10.9.0.0/24", "ROLLPLANE_NODE_PORTS": "31000-31009"}
    ranges = read_settings(Settings, told, {}).ranges()
    assert (str(ranges.api_address), len(ranges.ports)) == ("10.9.0.1", 10)


BAD_VALUES = {
    "no number": ({"ROLLPLANE_GRACE_SECONDS": "soon"}, "ROLLPLANE_GRACE_SECONDS is 'soon', want a float"),
    "no truth": ({"ROLLPLANE_INSECURE_BIND": "maybe"}, "ROLLPLANE_INSECURE_BIND is 'maybe', want a bool"),
    "nothing": ({"ROLLPLANE_MAX_CALLS": "0"}, "max_calls is 0, want at least 1"),
    "negative": ({"ROLLPLANE_GRACE_SECONDS": "-1"}, "grace_seconds"),
    "tokens forgotten before their writes": ({"ROLLPLANE_TOKEN_SECONDS": "60"}, "token_seconds is 60.0, want 600.0"),
    "no range of addresses": ({"ROLLPLANE_SERVICE_CIDR": "10.0.0.0/31"}, "service_cidr .*10.0.0.0/31 is too small"),
    "no range of ports": ({"ROLLPLANE_NODE_PORTS": "30000"}, "node_ports"),
    "public": ({"ROLLPLANE_LISTEN": "0.0.0.0:7070"}, "refusing to listen on 0.0.0.0:7070"),
    "public metrics": ({"ROLLPLANE_METRICS_LISTEN": "[::]:1"}, r"refusing to listen on \[::\]:1"),
    "metrics on a socket file": ({"ROLLPLANE_METRICS_LISTEN": "unix:/x"}, "not on a socket file"),
}


@pytest.mark.parametrize(("environ", "sentence"), BAD_VALUES.values(), ids=BAD_VALUES)
def test_a_bad_value_stops_the_start_by_name(
    environ: dict[str, str], sentence: str, capsys: pytest.CaptureFixture[str]
) -> None:
    with pytest.raises(ValueError, match=sentence):
        read_settings(Settings, environ, {})
    with pytest.raises(SystemExit) as caught:
        read_arguments([], environ)
    assert caught.value.code == 2
    assert "error: " in capsys.readouterr().err


REACHABLE = ["0.0.0.0:1", "[::]:1", "192.0.2.7:1", "example.org:1", "localhost.example.org:1", "[2001:db8::1]:1"]


@pytest.mark.parametrize("address", REACHABLE)
def test_an_address_others_can_reach_needs_the_word(address: str) -> None:
    with pytest.raises(ValueError, match="--insecure-bind"):
        check_address(address, insecure_bind=False)
    check_address(address, insecure_bind=True)


@pytest.mark.parametrize("address", ["127.0.0.1:0", "127.8.8.8:65535", "[::1]:7070", "localhost:1", "unix:/run/x"])
def test_this_machine_needs_no_word(address: str) -> None:
    check_address(address, insecure_bind=False)


@pytest.mark.parametrize("address", ["", "7070", ":7070", "localhost", "localhost:", "localhost:x", "127.0.0.1:65536"])
def test_what_is_no_address_is_refused_even_with_the_word(address: str) -> None:
    with pytest.raises(ValueError, match="no address"):
        check_address(address, insecure_bind=True)


def test_a_name_may_mean_anything() -> None:
    assert is_loopback("localhost")
    assert not is_loopback("my-laptop")
