"""``python -m rollplane_cli`` is the ``rollplane`` command."""

import sys

from rollplane_cli.main import run

sys.exit(run())
