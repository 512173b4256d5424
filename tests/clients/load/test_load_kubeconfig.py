"""Kubeconfigs: which cluster, whom to trust, who one is; and what is wrong with those that say none of it."""

from __future__ import annotations

import base64
from pathlib import Path
from typing import Any

import pytest
import yaml

from rollplane_load.rest.kubeconfig import Access, files_of, read_access
from rollplane_machinery.errors import SetupError


def _config(user: dict[str, Any] | None = None, cluster: dict[str, Any] | None = None, **more: Any) -> dict[str, Any]:
    return {
        "apiVersion": "v1",
        "kind": "Config",
        "current-context": "here",
        "contexts": [{"name": "here", "context": {"cluster": "c", "user": "u", "namespace": "ignored"}}],
        "clusters": [{"name": "c", "cluster": {"server": "https://10.0.0.1:6443/", **(cluster or {})}}],
        "users": [{"name": "u", "user": user or {}}],
        **more,
    }


def _written(folder: Path, config: Any, name: str = "config") -> Path:
    (folder / name).write_text(config if isinstance(config, str) else yaml.safe_dump(config))
    return folder / name


def _b64(text: str) -> str:
    return base64.b64encode(text.encode()).decode()


USERS: dict[str, tuple[dict[str, Any], dict[str, Any], Access]] = {
    "nobody": ({}, {}, Access("here", "https://10.0.0.1:6443")),
    "a token": ({"token": "t"}, {}, Access("here", "https://10.0.0.1:6443", authorization="Bearer t")),
    "a password": (
        {"username": "a", "password": "b"},
        {},
        Access("here", "https://10.0.0.1:6443", authorization=f"Basic {_b64('a:b')}"),
    ),
    "certificates within": (
        {"client-certificate-data": _b64("CERT"), "client-key-data": _b64("KEY")},
        {"certificate-authority-data": _b64("CA")},
        Access("here", "https://10.0.0.1:6443", authority="CA", certificate="CERT", key="KEY"),
    ),
    "no verification": (
        {},
        {"insecure-skip-tls-verify": True, "tls-server-name": "k8s", "proxy-url": "http://p:1"},
        Access("here", "https://10.0.0.1:6443", verify=False, server_name="k8s", proxy="http://p:1"),
    ),
}


@pytest.mark.parametrize(("user", "cluster", "expected"), USERS.values(), ids=USERS)
def test_who_one_is(user: dict[str, Any], cluster: dict[str, Any], expected: Access, tmp_path: Path) -> None:
    assert read_access([_written(tmp_path, _config(user, cluster))]) == expected


def test_files_are_found_beside_the_one_that_names_them(tmp_path: Path) -> None:
    (tmp_path / "ca.pem").write_text("CA")
    (tmp_path / "token").write_text("t\n")
    config = _config({"tokenFile": "token"}, {"certificate-authority": "ca.pem"})
    found = read_access([_written(tmp_path, config)])
    assert (found.authority, found.authorization) == ("CA", "Bearer t")


def test_of_several_files_the_first_that_says_something_counts(tmp_path: Path) -> None:
    first = _written(tmp_path, {"clusters": [{"name": "c", "cluster": {"server": "http://first"}}]}, "first")
    second = _written(tmp_path, _config(), "second")
    assert read_access([first, tmp_path / "missing", second]).server == "http://first"


def test_a_context_can_be_named(tmp_path: Path) -> None:
    config = _config(contexts=[{"name": n, "context": {"cluster": "c", "user": "u"}} for n in ("here", "there")])
    assert read_access([_written(tmp_path, config)], "there").context == "there"


REFUSED: dict[str, tuple[Any, str, str]] = {
    "no YAML": ("a: [", "", "is no kubeconfig"),
    "a list": ([1], "", "is no kubeconfig"),
    "no context": ({**_config(), "current-context": ""}, "", "has no current context; --context names one of here"),
    "another context": (_config(), "there", 'has no context "there"; there are here'),
    "another cluster": (_config(clusters=[]), "", 'has no cluster "c"; there are none'),
    "another user": (_config(users=[]), "", 'has no user "u"'),
    "no server": (_config(clusters=[{"name": "c", "cluster": {}}]), "", "the cluster of context here has no server"),
    "a program": (_config({"exec": {"command": "aws"}}), "", "says who it is by exec, which the load tester does not"),
    "a plugin": (_config({"auth-provider": {"name": "gcp"}}), "", "by auth-provider"),
    "no base64": (_config({"client-key-data": "?"}), "", "client-key-data of the kubeconfig is no PEM in base64"),
    "no such file": (
        _config({"client-key": "gone.pem"}),
        "",
        "client-key of the kubeconfig, .*gone.pem, cannot be read",
    ),
}


@pytest.mark.parametrize(("config", "context", "told"), REFUSED.values(), ids=REFUSED)
def test_what_is_wrong_is_told(config: Any, context: str, told: str, tmp_path: Path) -> None:
    with pytest.raises(SetupError, match=told):
        read_access([_written(tmp_path, config)], context)


def test_a_file_that_is_not_there_is_told(tmp_path: Path) -> None:
    with pytest.raises(SetupError, match=r"there is no kubeconfig: .*gone"):
        read_access([tmp_path / "gone"])


FILES: dict[str, tuple[str, dict[str, str], list[str]]] = {
    "the one that is named": ("mine", {"KUBECONFIG": "a:b"}, ["mine"]),
    "those of the variable": ("", {"KUBECONFIG": "a::b"}, ["a", "b"]),
    "the usual one": ("", {"HOME": "/home/me"}, ["/home/me/.kube/config"]),
}


@pytest.mark.parametrize(("given", "environ", "expected"), FILES.values(), ids=FILES)
def test_which_files_are_read(given: str, environ: dict[str, str], expected: list[str]) -> None:
    assert list(map(str, files_of(given, environ))) == expected
