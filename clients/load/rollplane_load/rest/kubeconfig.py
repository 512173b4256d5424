"""What a kubeconfig says of one cluster: where it is, whom to trust, who one is. Pure but for the files it names.

Source: kubernetes.io "Organizing Cluster Access Using kubeconfig Files": of several files the first that says something
counts, and paths are relative to the file that they stand in.
"""

from __future__ import annotations

import base64
import binascii
import os
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import yaml

from rollplane_machinery.errors import SetupError
from rollplane_machinery.yaml_faults import yaml_fault

VARIABLE = "KUBECONFIG"
_FOLDER = "\0folder"
"""Where an entry remembers the folder of its file."""
_LISTS = {"clusters": "cluster", "contexts": "context", "users": "user"}


@dataclass(frozen=True, slots=True)
class Access:
    """How a cluster is reached. ``authority``, ``certificate`` and ``key`` are PEM; empty where none is given.

    ``authorization`` is the header to send. ``server_name`` is the name in the server's certificate, where it is not
    that of the address.
    """

    context: str
    server: str
    authority: str = ""
    verify: bool = True
    server_name: str = ""
    proxy: str = ""
    certificate: str = ""
    key: str = ""
    authorization: str = ""


def files_of(given: str, environ: Mapping[str, str]) -> list[Path]:
    """Return the files to read: the one that is ``given``, else those of $KUBECONFIG, else ``~/.kube/config``."""
    if given:
        return [Path(given)]
    named = [Path(part) for part in environ.get(VARIABLE, "").split(os.pathsep) if part]
    return named or [Path(environ.get("HOME", "~")).expanduser() / ".kube" / "config"]


def read_access(files: Sequence[Path], context: str = "") -> Access:
    """Return the access that ``context`` stands for, or the current one; raises SetupError that says what is wrong."""
    config = _merged(files)
    name = context or config["current-context"]
    if not name:
        raise SetupError(f"{_told(files)} has no current context; --context names one of {_names(config['contexts'])}")
    chosen = _entry(config, "contexts", name, files)
    cluster = _entry(config, "clusters", str(chosen.get("cluster", "")), files)
    user = _entry(config, "users", str(chosen["user"]), files) if chosen.get("user") else {}
    server = str(cluster.get("server", "")).rstrip("/")
    if not server.startswith(("http://", "https://")):
        raise SetupError(f"{_told(files)}: the cluster of context {name} has no server")
    return Access(
        name,
        server,
        _pem(cluster, "certificate-authority"),
        verify=not cluster.get("insecure-skip-tls-verify"),
        server_name=str(cluster.get("tls-server-name", "")),
        proxy=str(cluster.get("proxy-url", "")),
        certificate=_pem(user, "client-certificate"),
        key=_pem(user, "client-key"),
        authorization=_authorization(user, name),
    )


def _merged(files: Sequence[Path]) -> dict[str, Any]:
    """Return the contexts, clusters and users of all files by name, and the current context."""
    merged: dict[str, Any] = {"current-context": "", **{name: {} for name in _LISTS}}
    found = [config for file in files if (config := _read(file, may_be_missing=len(files) > 1)) is not None]
    if not found:
        raise SetupError(f"there is no kubeconfig: {_told(files)}")
    for said, folder in found:
        merged["current-context"] = merged["current-context"] or str(said.get("current-context") or "")
        for name, inner in _LISTS.items():
            for entry in said.get(name) or []:
                if isinstance(entry, dict) and isinstance(entry.get(inner) or {}, dict):
                    merged[name].setdefault(str(entry.get("name")), {**(entry.get(inner) or {}), _FOLDER: folder})
    return merged


def _read(file: Path, *, may_be_missing: bool) -> tuple[dict[str, Any], Path] | None:
    try:
        config = yaml.safe_load(file.read_text(encoding="utf-8"))
    except FileNotFoundError:
        if may_be_missing:
            return None
        raise SetupError(f"there is no kubeconfig: {file}") from None
    except OSError as exc:
        raise SetupError(f"{file} cannot be read: {exc.strerror}") from exc
    except (yaml.YAMLError, UnicodeDecodeError) as exc:
        raise SetupError(f"{file} is no kubeconfig: {yaml_fault(exc)}") from exc
    if not isinstance(config, dict):
        raise SetupError(f"{file} is no kubeconfig")
    return config, file.absolute().parent


def _entry(config: Mapping[str, Any], of: str, name: str, files: Sequence[Path]) -> Mapping[str, Any]:
    entry: Mapping[str, Any] | None = config[of].get(name)
    if entry is None:
        raise SetupError(f'{_told(files)} has no {_LISTS[of]} "{name}"; there are {_names(config[of])}')
    return entry


def _pem(entry: Mapping[str, Any], name: str) -> str:
    """Return what stands in the entry itself, or in the file that it names."""
    if data := entry.get(f"{name}-data"):
        try:
            return base64.b64decode(str(data), validate=True).decode()
        except (binascii.Error, UnicodeDecodeError) as exc:
            raise SetupError(f"{name}-data of the kubeconfig is no PEM in base64") from exc
    return _content(entry, name) if entry.get(name) else ""


def _content(entry: Mapping[str, Any], name: str) -> str:
    path = Path(entry[_FOLDER]) / str(entry[name])
    try:
        return path.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as exc:
        raise SetupError(f"{name} of the kubeconfig, {path}, cannot be read: {exc}") from exc


def _authorization(user: Mapping[str, Any], context: str) -> str:
    for unknown in ("exec", "auth-provider", "as", "as-groups"):
        if user.get(unknown):
            raise SetupError(
                f"the user of context {context} says who it is by {unknown}, which the load tester does not carry out: "
                "give it a context with a token (kubectl create token) or a client certificate"
            )
    token = str(user.get("token") or "") or (_content(user, "tokenFile").strip() if user.get("tokenFile") else "")
    if token:
        return f"Bearer {token}"
    if user.get("username"):
        pair = f"{user['username']}:{user.get('password', '')}"
        return f"Basic {base64.b64encode(pair.encode()).decode()}"
    return ""


def _told(files: Sequence[Path]) -> str:
    return ", ".join(map(str, files))


def _names(entries: Mapping[str, Any]) -> str:
    return ", ".join(sorted(entries)) or "none"
