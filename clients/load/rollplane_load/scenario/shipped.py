"""The scenarios that come with the load tester."""

from __future__ import annotations

from importlib import resources
from pathlib import Path

from rollplane_load.scenario.model import Scenario
from rollplane_load.scenario.reading import read_scenario
from rollplane_machinery.errors import BadRequestError

_FOLDER = resources.files(__package__).joinpath("shipped")
SUFFIX = ".yaml"


def names() -> list[str]:
    """Return what they are called, in the order of the alphabet."""
    return sorted(each.name.removesuffix(SUFFIX) for each in _FOLDER.iterdir() if each.name.endswith(SUFFIX))


def scenario_of(name_or_file: str) -> Scenario:
    """Return the shipped scenario of that name, or the one in that file.

    Raises BadRequestError when there is neither, InvalidError for a file that is wrong.
    """
    if name_or_file in names():
        return read_scenario(_FOLDER.joinpath(name_or_file + SUFFIX).read_text(encoding="utf-8"), name_or_file)
    try:
        return read_scenario(Path(name_or_file).read_text(encoding="utf-8"), name_or_file)
    except UnicodeDecodeError:
        raise BadRequestError(f"{name_or_file}: is no text") from None
    except OSError as exc:
        raise BadRequestError(
            f'no scenario is called "{name_or_file}", and no file can be read there ({exc.strerror}); '
            f"there are {', '.join(names())}"
        ) from exc
