"""``python -m rollplane_apiserver``."""

import sys

from rollplane_apiserver.main import run

if __name__ == "__main__":
    sys.exit(run(sys.argv[1:]))
