"""``python -m rollplane_controller``."""

import sys

from rollplane_controller.main import run

if __name__ == "__main__":
    sys.exit(run(sys.argv[1:]))
