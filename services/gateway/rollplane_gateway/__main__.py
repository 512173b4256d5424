"""``python -m rollplane_gateway``."""

import sys

from rollplane_gateway.main import run

if __name__ == "__main__":
    sys.exit(run(sys.argv[1:]))
