"""``rollplane edit``."""

from __future__ import annotations

import asyncio
import json
import shlex
import tempfile
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from rollplane_cli.choosing import Found, choose
from rollplane_cli.command import ChoosingFlags, Command, RecordFlags, WriteFlags
from rollplane_cli.failures import NOTHING_NAMED, CommandError
from rollplane_cli.output.answers import answer, write_options
from rollplane_cli.output.documents import document
from rollplane_cli.recording import note
from rollplane_cli.session import Session
from rollplane_machinery.api import Patch, PatchType
from rollplane_machinery.codec import ManifestError, dump_yaml, load_manifests, to_json
from rollplane_machinery.errors import BadRequestError, ConflictError, InvalidError, RollplaneError
from rollplane_machinery.kinds import kind_of
from rollplane_machinery.patch import three_way_merge
from rollplane_printing.sentences import error_lines

NO_CHANGES = "Edit cancelled, no changes made."

_EDITORS = ("ROLLPLANE_EDITOR", "KUBE_EDITOR", "EDITOR")
_DEFAULT_EDITOR = "vi"
_HEADER = (
    "Please edit the object below. Lines beginning with a '#' will be ignored,",
    "and an empty file will abort the edit. If an error occurs while saving this file will be",
    "reopened with the relevant failures.",
)
_IDENTITY = ("apiVersion", "kind")


class EditFlags(ChoosingFlags, WriteFlags, RecordFlags):
    """Flags of ``edit``."""


async def run(flags: EditFlags, session: Session) -> int:
    """Let a person edit the objects named, one after the other."""
    chosen = await choose(flags, session, nothing_named=NOTHING_NAMED, type_is_enough=True)
    for found in chosen.found:
        await _Editing(flags, session, found).run()
    return chosen.exit_code


class _Editing:
    """One object in an editor, as often as it takes."""

    def __init__(self, flags: EditFlags, session: Session, found: Found) -> None:
        self._flags = flags
        self._session = session
        self._found = found
        self._before = document(found.parse())

    async def run(self) -> None:
        """Edit until the server accepts, or the person gives up; a failure keeps the file if anything was changed."""
        text = _with_comments(_HEADER, dump_yaml(self._before))
        path = _new_file(text)
        try:
            await self._edit(path, text)
        except (CommandError, RollplaneError):
            if _text_in(path) == text:
                path.unlink()
            else:
                self._session.console.warn(f'A copy of your changes has been stored to "{path}"')
            raise
        path.unlink()

    async def _edit(self, path: Path, shown: str) -> None:
        refused: list[str] = []
        while True:
            await _open_editor(self._session, path)
            edited = _text_in(path)
            if edited == shown:
                self._give_up(refused)
                return
            if not _without_comments(edited).strip():
                self._session.console.warn("Edit cancelled, saved file was empty.")
                return
            refused = await self._attempt(edited)
            if not refused:
                return
            shown = _with_comments([*_HEADER, "", *refused], _without_comments(edited))
            _put(path, shown)

    def _give_up(self, refused: Sequence[str]) -> None:
        """The file was left as it was shown: nothing to do, or nothing that is accepted."""
        if not refused:
            self._session.console.warn(NO_CHANGES)
            return
        for line in refused:
            self._session.console.warn(line)
        raise CommandError("Edit cancelled, no valid changes were saved.")

    async def _attempt(self, edited: str) -> list[str]:
        """Send what changed; returns why it was refused, nothing when it was not."""
        try:
            after = self._read(edited)
            if not three_way_merge(self._before, after, self._before):
                self._session.console.warn(NO_CHANGES)
                return []
            note(after["metadata"].setdefault("annotations", {}), "edit", self._flags)
            await self._send(three_way_merge(self._before, after, self._before))
        except ManifestError as exc:
            return [str(problem) for problem in exc.problems]
        except CommandError as exc:
            return [exc.line]
        except (InvalidError, BadRequestError, ConflictError) as exc:
            return error_lines(exc)
        return []

    def _read(self, edited: str) -> dict[str, Any]:
        kind = kind_of(self._found.encoded.parse())
        customs = {(kind.api_version, kind.name): kind} if kind.is_custom else {}
        manifests = load_manifests(edited, self._found.key.name, customs=customs)
        if len(manifests) != 1:
            raise CommandError(f"the file holds {len(manifests)} objects, want the one that was opened")
        after = to_json(manifests[0].object)
        same_name = after["metadata"].get("name") == self._before["metadata"]["name"]
        if not same_name or any(after[each] != self._before[each] for each in _IDENTITY):
            raise CommandError("At least one of apiVersion, kind and name was changed")
        return after

    async def _send(self, patch: dict[str, Any]) -> None:
        options = write_options(self._flags, "edit")
        key = self._found.key
        type_ = PatchType.MERGE if key.kind.is_custom else PatchType.STRATEGIC_MERGE
        write = Patch(key, type_, json.dumps(patch).encode(), options=options)
        result = await (await self._session.api()).write(write)
        message = result.object.parse() if result.object else self._found.parse()
        answer(self._flags, self._session, self._found.key, "edited", message)


def _new_file(text: str) -> Path:
    with tempfile.NamedTemporaryFile(
        "w", prefix="rollplane-edit-", suffix=".yaml", delete=False, encoding="utf-8"
    ) as file:
        file.write(text)
    return Path(file.name)


def _text_in(path: Path) -> str:
    return path.read_text(encoding="utf-8")


def _put(path: Path, text: str) -> None:
    path.write_text(text, encoding="utf-8")


async def _open_editor(session: Session, path: Path) -> None:
    """Run the editor on ``path`` until it ends; raises CommandError when it cannot, or fails."""
    editor = next((session.environ[name] for name in _EDITORS if session.environ.get(name)), _DEFAULT_EDITOR)
    try:
        process = await asyncio.create_subprocess_exec(*shlex.split(editor), str(path))
        code = await process.wait()
    except OSError as exc:
        raise CommandError(f'unable to launch the editor "{editor}": {exc}') from exc
    if code:
        raise CommandError(f'there was a problem with the editor "{editor}": exit code {code}')


def _with_comments(lines: Sequence[str], text: str) -> str:
    comments = [f"# {each}".rstrip() for line in lines for each in line.split("\n")]
    return "\n".join([*comments, "#", text])


def _without_comments(text: str) -> str:
    return "".join(line for line in text.splitlines(keepends=True) if not line.startswith("#"))


EDIT = Command("(TYPE NAME | TYPE/NAME)", "Edit an object in $EDITOR and send what changed.", EditFlags, run)
