"""``python -m rollplane_load``, the same as ``rollplane load``."""

import sys

from rollplane_load.main import run

if __name__ == "__main__":
    sys.exit(run(sys.argv[1:]))
