"""Say a file on the pull request (GitHub) or merge request (GitLab) of this job: ``python comment.py report.md``.

There is one comment of ours, which every run writes anew. Needs nothing but Python.

GitHub: GITHUB_API_URL, GITHUB_REPOSITORY, GITHUB_TOKEN, PULL_REQUEST. GitLab: CI_API_V4_URL, CI_PROJECT_ID,
CI_MERGE_REQUEST_IID, and GITLAB_TOKEN, a project access token with the scope ``api``.
"""

from __future__ import annotations

import json
import os
import sys
import urllib.error
import urllib.request
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

MARK = "<!-- rollplane rehearse -->"
MOST_CHARACTERS = 60_000
PAGE = 100


@dataclass(frozen=True)
class Place:
    """Where comments are: their list, one of them, how one is replaced, and who asks."""

    comments: str
    comment: str
    replace: str
    headers: Mapping[str, str]


def place(environ: Mapping[str, str]) -> Place:
    """Return where this job's comments are."""
    if "CI_API_V4_URL" in environ:
        notes = "{CI_API_V4_URL}/projects/{CI_PROJECT_ID}/merge_requests/{CI_MERGE_REQUEST_IID}/notes"
        url = notes.format_map(environ)
        return Place(url, url, "PUT", {"PRIVATE-TOKEN": environ["GITLAB_TOKEN"]})
    issues = "{GITHUB_API_URL}/repos/{GITHUB_REPOSITORY}/issues".format_map(environ)
    headers = {"Authorization": f"Bearer {environ['GITHUB_TOKEN']}", "Accept": "application/vnd.github+json"}
    return Place(f"{issues}/{environ['PULL_REQUEST']}/comments", f"{issues}/comments", "PATCH", headers)


def ask(where: Place, method: str, url: str, body: str | None = None) -> Any:
    """Return what a server answers; raises HTTPError."""
    data = None if body is None else json.dumps({"body": body}).encode()
    headers = {**where.headers, "Content-Type": "application/json", "User-Agent": "rollplane-rehearse"}
    request = urllib.request.Request(url, data, headers, method=method)
    with urllib.request.urlopen(request, timeout=30) as answer:
        return json.load(answer)


def comments(where: Place) -> Iterator[dict[str, Any]]:
    """Yield all comments, page by page."""
    number = 1
    while page := ask(where, "GET", f"{where.comments}?per_page={PAGE}&page={number}"):
        yield from page
        number += 1


def say(where: Place, text: str) -> None:
    """Write our comment, or write it anew."""
    if len(text) > MOST_CHARACTERS:
        text = f"{text[:MOST_CHARACTERS]}\n\n… the rest is in the job's report."
    body = f"{MARK}\n{text}"
    ours = next((each["id"] for each in comments(where) if each["body"].startswith(MARK)), None)
    if ours is None:
        ask(where, "POST", where.comments, body)
    else:
        ask(where, where.replace, f"{where.comment}/{ours}", body)


if __name__ == "__main__":
    try:
        say(place(os.environ), Path(sys.argv[1]).read_text(encoding="utf-8"))
    except KeyError as exc:
        sys.exit(f"cannot comment: {exc.args[0]} is not set")
    except (urllib.error.URLError, TimeoutError) as exc:
        sys.exit(f"cannot comment: {exc}")
