"""Fetches what is not there yet, and says which programs there are."""

from __future__ import annotations

from tests.clients.tools.catalogue import CATALOGUE, find


def main() -> None:
    for program, release in CATALOGUE:
        print(find(program, release))


if __name__ == "__main__":
    main()
