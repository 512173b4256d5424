"""``python -m rollplane_kubelet_sim``."""

import sys

from rollplane_kubelet_sim.main import run

if __name__ == "__main__":
    sys.exit(run(sys.argv[1:]))
