"""``edit``: what the editor is given, what becomes of what it leaves."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest

from rollplane.apps.v1 import Deployment
from rollplane.core.v1 import ConfigMap
from tests.clients.cli.commands import Cli, Ran
from tests.clients.cli.manifests import CONFIG, WEB
from tests.clients.cli.stand_in import StandIn

SCRIPT = """\
import pathlib, sys
folder, file = pathlib.Path(sys.argv[1]), pathlib.Path(sys.argv[2])
turn = len(list(folder.glob("seen-*")))
text = file.read_text()
(folder / f"seen-{turn}").write_text(text)
for line in (folder / "changes").read_text().splitlines()[turn:turn + 1]:
    old, _, new = line.partition(" => ")
    text = "" if old == "EMPTY" else text.replace(old, new)
file.write_text(text)
"""


class Editor:
    """An editor that makes one replacement (``old => new``) each time it is opened, and keeps what it was shown."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        (folder / "editor.py").write_text(SCRIPT)

    async def run(self, cli: Cli, *changes: str) -> Ran:
        (self._folder / "changes").write_text("\n".join(changes))
        editor = f"{sys.executable} {self._folder / 'editor.py'} {self._folder}"
        return await cli.run("edit", "deploy/web", EDITOR=editor)

    @property
    def seen(self) -> list[str]:
        return [path.read_text() for path in sorted(self._folder.glob("seen-*"))]


@pytest.fixture
async def editor(cli: Cli, tmp_path: Path) -> Editor:
    await cli.ok("create", "-f", "-", input=WEB)
    return Editor(tmp_path)


async def test_what_was_changed_is_sent(cli: Cli, stand_in: StandIn, editor: Editor) -> None:
    ran = await editor.run(cli, "nginx:1.7.9 => nginx:1.9.1")
    assert (ran.code, ran.out, ran.err) == (0, "deployment.apps/web edited\n", "")
    web = await stand_in.get(Deployment, "web")
    assert web.spec.template.spec.containers[0].image == "nginx:1.9.1"
    assert editor.seen[0].startswith("# Please edit the object below")


async def test_what_was_taken_out_goes(cli: Cli, stand_in: StandIn, editor: Editor) -> None:
    await editor.run(cli, "    tier: front => ")
    assert dict((await stand_in.get(Deployment, "web")).metadata.labels) == {}


async def test_no_change(cli: Cli, editor: Editor) -> None:
    ran = await editor.run(cli)
    assert (ran.code, ran.out, ran.err) == (0, "", "Edit cancelled, no changes made.\n")


async def test_a_change_without_meaning(cli: Cli, editor: Editor) -> None:
    ran = await editor.run(cli, "replicas: 3 => replicas:   3")
    assert (ran.code, ran.out, ran.err) == (0, "", "Edit cancelled, no changes made.\n")


async def test_an_empty_file_cancels(cli: Cli, stand_in: StandIn, editor: Editor) -> None:
    before = await stand_in.get(Deployment, "web")
    ran = await editor.run(cli, "EMPTY => ")
    assert (ran.code, ran.out, ran.err) == (0, "", "Edit cancelled, saved file was empty.\n")
    assert await stand_in.get(Deployment, "web") == before


REFUSED: dict[str, tuple[str, str, str]] = {
    "no YAML": ("replicas: 3 => replicas: [", "replicas: [ => replicas: 4", "is no YAML"),
    "unknown field": ("replicas: 3 => replicaz: 3", "replicaz: 3 => replicas: 4", "spec.replicaz: unknown field"),
    "wrong type": (
        "replicas: 3 => replicas: many",
        "replicas: many => replicas: 4",
        'spec.replicas: expected 32-bit integer, got string "many"',
    ),
    "against the rules": (
        "replicas: 3 => replicas: -3",
        "replicas: -3 => replicas: 4",
        'The Deployment "web" is invalid: spec.replicas: ',
    ),
    "another name": ("name: web => name: other", "name: other => name: web", "apiVersion, kind and name was changed"),
}


@pytest.mark.parametrize(("mistake", "repair", "told"), REFUSED.values(), ids=REFUSED)
async def test_what_is_refused_is_shown_again_with_the_reason(
    cli: Cli, editor: Editor, mistake: str, repair: str, told: str
) -> None:
    ran = await editor.run(cli, mistake, repair)
    assert ran.code == 0
    first, second = editor.seen
    assert told not in first
    comments = [line for line in second.splitlines() if line.startswith("#")]
    assert any(told in line for line in comments)
    assert mistake.partition(" => ")[2] in second


def taken(file: Path) -> str:
    text = file.read_text()
    file.unlink()
    return text


async def test_giving_up_keeps_the_file(cli: Cli, stand_in: StandIn, editor: Editor) -> None:
    before = await stand_in.get(Deployment, "web")
    ran = await editor.run(cli, "replicas: 3 => replicas: many")
    assert (ran.code, ran.out) == (1, "")
    *_, kept, last = ran.err.splitlines()
    assert last == "error: Edit cancelled, no valid changes were saved."
    assert kept.startswith('A copy of your changes has been stored to "')
    assert "replicas: many" in taken(Path(kept.split('"')[1]))
    assert await stand_in.get(Deployment, "web") == before


async def test_an_editor_that_fails_and_one_that_is_not_there(cli: Cli) -> None:
    await cli.ok("create", "-f", "-", input=WEB)
    failing = await cli.run("edit", "deploy", "web", EDITOR="false")
    assert failing.err == 'error: there was a problem with the editor "false": exit code 1\n'
    absent = await cli.run("edit", "deploy", "web", EDITOR="/no/such/editor")
    assert absent.err.startswith('error: unable to launch the editor "/no/such/editor": ')
    assert (failing.code, absent.code) == (1, 1)


async def test_several_objects_are_edited_one_after_the_other(cli: Cli, stand_in: StandIn, tmp_path: Path) -> None:
    await cli.ok("create", "-f", "-", input=CONFIG + "---\n" + CONFIG.replace("settings", "more"))
    (tmp_path / "editor.py").write_text("import sys\nopen(sys.argv[1], 'a').write('\\n# seen\\nimmutable: true\\n')")
    ran = await cli.run("edit", "cm", "settings", "more", EDITOR=f"{sys.executable} {tmp_path / 'editor.py'}")
    assert (ran.code, ran.out) == (0, "configmap/settings edited\nconfigmap/more edited\n")
    assert all(config.immutable for config in await stand_in.list(ConfigMap))
