"""The examples for GitHub Actions and GitLab: their steps in a repository of two commits, and a server of comments."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator, Mapping
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any
from xml.etree import ElementTree

import pytest
import yaml

from tests.end_to_end.pages import ROOT

CI = ROOT / "examples" / "ci"
WEB = (ROOT / "examples" / "deployment" / "rolling-update.yaml").read_text()
MARK = "<!-- rollplane rehearse -->\n"


class Comments(ThreadingHTTPServer):
    """A GitHub and a GitLab in one: ``said`` are their comments, in pages of one."""

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), _Handler)
        self.said: list[dict[str, Any]] = [{"id": 1, "body": "looks good"}]
        self.asked: list[str] = []

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.server_port}"


class _Handler(BaseHTTPRequestHandler):
    server: Comments

    def _answer(self, value: Any) -> None:
        content = json.dumps(value).encode()
        self.send_response(200)
        self.send_header("Content-Length", str(len(content)))
        self.end_headers()
        self.wfile.write(content)

    def _body(self) -> str:
        self.server.asked.append(f"{self.command} {self.path}")
        return str(json.loads(self.rfile.read(int(self.headers["Content-Length"])))["body"])

    def do_GET(self) -> None:
        page = int(self.path.rpartition("=")[2])
        self._answer(self.server.said[page - 1 : page])

    def do_POST(self) -> None:
        self.server.said.append({"id": len(self.server.said) + 1, "body": self._body()})
        self._answer({})

    def do_PUT(self) -> None:
        self.do_PATCH()

    def do_PATCH(self) -> None:
        number = int(self.path.rpartition("/")[2])
        self.server.said[number - 1]["body"] = self._body()
        self._answer({})

    def log_message(self, format: str, *args: Any) -> None:  # noqa: A002 - as its base has it
        return


@pytest.fixture
def server() -> Iterator[Comments]:
    with Comments() as started:
        thread = threading.Thread(target=started.serve_forever)
        thread.start()
        yield started
        started.shutdown()
        thread.join()


class Repository:
    """A clone as CI has it: ``deploy`` before and after, and the files of the example in ``ci``."""

    def __init__(self, folder: Path, before: Mapping[str, str], after: Mapping[str, str]) -> None:
        self.folder = folder
        shutil.copytree(CI, folder / "ci")
        self._git("init", "-q")
        self._git("commit", "-q", "--allow-empty", "-m", "nothing")
        for files in (before, after):
            for name, text in files.items():
                (folder / "deploy" / name).parent.mkdir(parents=True, exist_ok=True)
                (folder / "deploy" / name).write_text(text)
            self._git("add", "-A")
            self._git("commit", "-q", "--allow-empty", "-m", "a commit")

    def _git(self, *arguments: str) -> None:
        who = ("-c", "user.name=x", "-c", "user.email=x@example.com")
        subprocess.run(["git", *who, *arguments], cwd=self.folder, check=True)

    def run(self, script: str, environ: Mapping[str, str]) -> int:
        """Run a step as a runner does, with the programs of this environment; return its exit code."""
        path = f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}"
        quick = script.replace("--runs 20", "--runs 2 --profile instant")
        ran = subprocess.run(["bash", "-e", "-c", quick], cwd=self.folder, env={"PATH": path, **environ}, check=False)
        return ran.returncode


def _github(repository: Repository, server: Comments) -> int:
    """Take the steps of the workflow's job; return the code of the verdict."""
    workflow = yaml.safe_load((CI / "github.yml").read_text())
    steps = {
        step.get("name") or step.get("id"): step for step in workflow["jobs"]["rehearse"]["steps"] if "run" in step
    }
    output, summary = repository.folder / "output", repository.folder / "summary"
    environ = {**workflow["env"], "GITHUB_OUTPUT": str(output), "GITHUB_STEP_SUMMARY": str(summary)}
    assert repository.run(steps["rehearse"]["run"], environ) == 0
    environ |= {"GITHUB_API_URL": server.url, "GITHUB_REPOSITORY": "a/b", "GITHUB_TOKEN": "t", "PULL_REQUEST": "7"}
    assert set(steps["comment"]["env"]) <= set(environ)
    assert repository.run(steps["comment"]["run"], environ) == 0
    assert summary.read_text() == (repository.folder / "rehearsal" / "report.md").read_text()
    summary.unlink()
    code = output.read_text().split()[-1].removeprefix("code=")
    return repository.run(steps["verdict"]["run"], {"CODE": code})


def _gitlab(repository: Repository, server: Comments) -> int:
    """Run the job's script; return its code."""
    job = yaml.safe_load((CI / "gitlab.yml").read_text())["rehearse"]
    environ = {
        **job["variables"],
        "CI_MERGE_REQUEST_DIFF_BASE_SHA": "HEAD^1",
        "CI_API_V4_URL": server.url,
        "CI_PROJECT_ID": "3",
        "CI_MERGE_REQUEST_IID": "7",
        "GITLAB_TOKEN": "t",
    }
    return repository.run(job["script"][-1], environ)


HOSTS: dict[str, Callable[[Repository, Comments], int]] = {"github": _github, "gitlab": _gitlab}
ASKED = {
    "github": ["POST /repos/a/b/issues/7/comments", "PATCH /repos/a/b/issues/comments/2"],
    "gitlab": ["POST /projects/3/merge_requests/7/notes", "PUT /projects/3/merge_requests/7/notes/2"],
}
BROKEN = WEB.replace("web:1.0", "web:404")


@pytest.mark.parametrize("host", HOSTS)
def test_a_broken_change_is_said_once_and_fails_the_job(host: str, server: Comments, tmp_path: Path) -> None:
    repository = Repository(tmp_path, {"web.yaml": WEB}, {"web.yaml": BROKEN})
    assert [HOSTS[host](repository, server) for _ in range(2)] == [1, 1]
    assert [each["body"].startswith(MARK) for each in server.said] == [False, True]
    assert '❌ deploy breaks "finishes" in all 2 runs.' in server.said[1]["body"]
    assert server.asked == ASKED[host]
    suite = ElementTree.parse(tmp_path / "rehearsal" / "junit.xml").getroot()  # noqa: S314 - our own
    assert suite.get("failures") == "1"
    assert (tmp_path / "rehearsal" / "report.html").stat().st_size > 10_000


@pytest.mark.parametrize("host", HOSTS)
def test_what_cannot_be_rehearsed_is_said_with_the_reason(host: str, server: Comments, tmp_path: Path) -> None:
    repository = Repository(tmp_path, {"web.yaml": WEB}, {"web.yaml": "kind: Deployment\nspec: ["})
    assert HOSTS[host](repository, server) == 2
    assert "`deploy` could not be rehearsed" in server.said[1]["body"]
    assert "after.yaml" in server.said[1]["body"]
    suite = ElementTree.parse(tmp_path / "rehearsal" / "junit.xml").getroot()  # noqa: S314 - our own
    assert suite.get("errors") == "1"
    assert "after.yaml" in "".join(suite.itertext())


def test_a_program_that_ends_without_a_report_rehearsed_nothing(tmp_path: Path) -> None:
    repository = Repository(tmp_path, {"web.yaml": WEB}, {"web.yaml": BROKEN})
    broken = tmp_path / "bin" / "rollplane"
    broken.parent.mkdir()
    broken.write_text("#!/bin/sh\necho 'x < y & z' >&2\nexit 1\n")
    broken.chmod(0o755)
    assert repository.run('PATH="$PWD/bin:$PATH" ci/rehearse.sh HEAD^1 deploy rehearsal', {}) == 2
    suite = ElementTree.parse(tmp_path / "rehearsal" / "junit.xml").getroot()  # noqa: S314 - our own
    assert "x < y & z" in "".join(suite.itertext())
    assert "could not be rehearsed" in (tmp_path / "rehearsal" / "report.md").read_text()


KUSTOMIZATION = "resources: [web.yaml]\nimages: [{name: web, newTag: '%s'}]\n"
GOOD: dict[str, tuple[Mapping[str, str], Mapping[str, str]]] = {
    "manifests": ({"web.yaml": WEB}, {"web.yaml": WEB.replace("web:1.0", "web:1.1")}),
    "what was not there before": ({}, {"web.yaml": WEB}),
    "a kustomization": (
        {"web.yaml": WEB, "kustomization.yaml": KUSTOMIZATION % "1.0"},
        {"kustomization.yaml": KUSTOMIZATION % "1.1"},
    ),
}


@pytest.mark.parametrize(("before", "after"), GOOD.values(), ids=GOOD)
def test_a_good_change_passes(
    before: Mapping[str, str], after: Mapping[str, str], server: Comments, tmp_path: Path
) -> None:
    if "kustomization.yaml" in after and not (shutil.which("kustomize") or shutil.which("kubectl")):
        pytest.skip("neither kustomize nor kubectl is here")
    assert _github(Repository(tmp_path, before, after), server) == 0
    assert "✅ deploy finishes" in server.said[1]["body"]


def test_who_may_not_comment_is_told(tmp_path: Path) -> None:
    (tmp_path / "report.md").write_text("x")
    command = [sys.executable, str(CI / "comment.py"), "report.md"]
    ran = subprocess.run(command, cwd=tmp_path, env={}, capture_output=True, text=True, check=False)
    assert (ran.returncode, ran.stderr) == (1, "cannot comment: GITHUB_API_URL is not set\n")
