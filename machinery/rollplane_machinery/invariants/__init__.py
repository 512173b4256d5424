"""Promises that hold at every moment of every rollout, checked from the watch stream alone.

This package knows nothing of controllers or planners: it sees what any watcher sees, and says what should not be.
"""

from rollplane_machinery.invariants.checker import WATCHED as WATCHED
from rollplane_machinery.invariants.checker import InvariantChecker as InvariantChecker
from rollplane_machinery.invariants.checker import Violation as Violation
