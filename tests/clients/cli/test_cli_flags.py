"""Command lines are read the way kubectl reads them."""

from __future__ import annotations

from typing import Any

import pytest

from rollplane_cli.command import output
from rollplane_cli.failures import UsageError
from rollplane_cli.flags import Flags, flags_of, optional_number, own_flags_of, seconds, switch, text, texts
from rollplane_cli.main import Topic, find, split_command
from rollplane_cli.parsing import parse_line


class _Base(Flags):
    watch = switch("", "w")
    output = output("table")


class _Flags(_Base):
    all_namespaces = switch("", "A")
    wait = switch("", default=True)
    output = output("yaml", "wide")
    filename = texts("", "f")
    replicas = optional_number("")
    timeout = seconds("")
    cascade = text("", default="none", bare="background")
    for_ = text("")


LINES: dict[str, tuple[str, tuple[str, ...], dict[str, Any]]] = {
    "words only": ("pods web", ("pods", "web"), {}),
    "a flag between words": ("pods -o wide web", ("pods", "web"), {"output": "wide"}),
    "short value joined": ("-oyaml", (), {"output": "yaml"}),
    "short value behind equals": ("-o=yaml", (), {"output": "yaml"}),
    "long value behind equals": ("--output=yaml", (), {"output": "yaml"}),
    "long value behind a space": ("--output yaml pods", ("pods",), {"output": "yaml"}),
    "short switches joined": ("-Aw pods", ("pods",), {"all_namespaces": True, "watch": True}),
    "switches joined with a value": ("-Awn kube-system", (), {"all_namespaces": True, "namespace": "kube-system"}),
    "a switch takes no word": ("--watch pods", ("pods",), {"watch": True}),
    "a switch off": ("--wait=false", (), {"wait": False}),
    "a short switch off": ("-w=false", (), {"watch": False}),
    "a negative number": ("--replicas=-1", (), {"replicas": -1}),
    "a negative number behind a space": ("--replicas -1", (), {"replicas": -1}),
    "several values": ("-f a -f b,c", (), {"filename": ("a", "b", "c")}),
    "standard input": ("-f - pods", ("pods",), {"filename": ("-",)}),
    "the last value counts": ("-n a -n b", (), {"namespace": "b"}),
    "a text flag alone": ("--cascade pods", ("pods",), {"cascade": "background"}),
    "a text flag with a value": ("--cascade=orphan", (), {"cascade": "orphan"}),
    "seconds": ("--timeout=3s", (), {"timeout": 3.0}),
    "a longer duration": ("--timeout 1m30s", (), {"timeout": 90.0}),
    "bare seconds": ("--timeout=7", (), {"timeout": 7.0}),
    "nothing is a flag behind two dashes": ("-- -w --x", ("-w", "--x"), {"watch": False}),
}


@pytest.mark.parametrize(("line", "words", "values"), LINES.values(), ids=LINES)
def test_parse_line(line: str, words: tuple[str, ...], values: dict[str, Any]) -> None:
    flags = parse_line(line.split(), _Flags)
    assert flags.words == words
    assert {name: getattr(flags, name) for name in values} == values


MISTAKES = {
    "--nope": "unknown flag: --nope",
    "-z": "unknown shorthand flag: 'z' in -z",
    "-wz": "unknown shorthand flag: 'z' in -wz",
    "--namespace": "flag needs an argument: --namespace",
    "-n": "flag needs an argument: 'n' in -n",
    "-o xml": 'invalid argument "xml" for "--output" flag: must be one of yaml, wide',
    "--replicas=three": 'invalid argument "three" for "--replicas" flag: not a whole number',
    "--watch=maybe": 'invalid argument "maybe" for "--watch" flag: want true or false',
    "--timeout=soon": 'invalid argument "soon" for "--timeout" flag: not a duration',
}


@pytest.mark.parametrize(("line", "message"), MISTAKES.items(), ids=MISTAKES)
def test_mistakes_are_named(line: str, message: str) -> None:
    with pytest.raises(UsageError) as caught:
        parse_line(line.split(), _Flags)
    assert caught.value.message == message


def test_what_was_given_is_kept_in_order() -> None:
    flags = parse_line(["-n", "a", "x", "--watch", "--wait=false"], _Flags)
    assert flags.given == (("namespace", "a"), ("watch", "true"), ("wait", "false"))


def test_flags_have_the_names_of_their_attributes_and_those_declared_anew_count() -> None:
    own = [flag.name for flag in own_flags_of(_Flags)]
    assert own == ["all-namespaces", "wait", "output", "filename", "replicas", "timeout", "cascade", "for", "watch"]
    assert [flag.name for flag in flags_of(_Flags)] == [*own, *(flag.name for flag in flags_of(Flags))]
    assert _Flags.output.choices == ("yaml", "wide")


def test_what_is_not_given_has_its_default() -> None:
    flags = _Flags()
    assert (flags.wait, flags.watch, flags.replicas, flags.timeout, flags.cascade) == (True, False, None, 0.0, "none")


COMMANDS = {
    "get pods": ("get", ["pods"]),
    "rollout status deploy/web": ("rollout status", ["deploy/web"]),
    "-n a get pods": ("get", ["-n", "a", "pods"]),
    "rollout -n a undo deploy/web": ("rollout undo", ["-n", "a", "deploy/web"]),
    "--namespace=a set image x y=z": ("set image", ["--namespace=a", "x", "y=z"]),
    "rollout": ("rollout", []),
    "rehearse": ("rehearse", []),
    "rehearse --before compare": ("rehearse", ["--before", "compare"]),
    "-n a rehearse compare --vary a=1": ("rehearse compare", ["-n", "a", "--vary", "a=1"]),
    "": ("", []),
}


@pytest.mark.parametrize(("line", "expected"), COMMANDS.items(), ids=COMMANDS)
def test_split_command(line: str, expected: tuple[str, list[str]]) -> None:
    assert split_command(line.split()) == expected


TOPICS = {
    "": "",
    "help": "",
    "-h": "",
    "--help": "",
    "help get": "get",
    "get --help": "get",
    "get pods -h": "get",
    "help rollout": "rollout",
    "rollout": "rollout",
    "rollout --help": "rollout",
    "help rollout status": "rollout status",
    "rollout status -h": "rollout status",
}


@pytest.mark.parametrize(("line", "topic"), TOPICS.items(), ids=TOPICS)
def test_help_is_about_what_was_asked(line: str, topic: str) -> None:
    assert find(line.split()) == Topic(topic)


UNKNOWN = {
    "fetch pods": 'unknown command "fetch" for "rollplane"',
    "fetch --help": 'unknown command "fetch" for "rollplane"',
    "rollout stop": 'unknown command "stop"',
    "help fetch": "Unknown help topic [`fetch`]",
    "-n a": "no command in -n a",
}


@pytest.mark.parametrize(("line", "message"), UNKNOWN.items(), ids=UNKNOWN)
def test_unknown_commands(line: str, message: str) -> None:
    with pytest.raises(UsageError) as caught:
        find(line.split())
    assert caught.value.message == message


HANDED_ON: dict[str, tuple[str, tuple[str, ...], dict[str, Any]]] = {
    "all behind the first word": ("get -o wide --watch", ("get", "-o", "wide", "--watch"), {}),
    "own flags before it": ("-n x --output=yaml get -n y", ("get", "-n", "y"), {"namespace": "x", "output": "yaml"}),
    "an unknown flag ends our own": ("-w --context x get", ("--context", "x", "get"), {"watch": True}),
    "two dashes too": ("-w -- -w get", ("-w", "get"), {"watch": True}),
    "nothing": ("", (), {}),
    "own flags only": ("-w", (), {"watch": True}),
}


@pytest.mark.parametrize(("line", "words", "values"), HANDED_ON.values(), ids=HANDED_ON)
def test_a_line_for_another_program_is_handed_on_unread(
    line: str, words: tuple[str, ...], values: dict[str, Any]
) -> None:
    flags = parse_line(line.split(), _Flags, hands_on=True)
    assert flags.words == words
    assert {flag.name.replace("-", "_"): value for flag, value in flags.values.items()} == values
