"""``python -m rollplane_cli`` is the ``rollplane`` command."""

import sys

from rollplane_cli.failures import INTERRUPTED


def run() -> int:
    """Load the program and run it: who interrupts the one is answered as who interrupts the other."""
    try:
        from rollplane_cli import main

        return main.run()
    except KeyboardInterrupt:
        return INTERRUPTED


if __name__ == "__main__":
    sys.exit(run())
