"""What all tests share: properties have no deadline, since a loaded machine proves nothing about them.

And Ctrl-C: who starts the tests in the background of a shell lets them ignore it, and their processes would, too.
"""

from __future__ import annotations

import signal

from hypothesis import HealthCheck, settings

settings.register_profile("rollplane", deadline=None, suppress_health_check=[HealthCheck.too_slow])
settings.load_profile("rollplane")

if signal.getsignal(signal.SIGINT) is signal.SIG_IGN:
    signal.signal(signal.SIGINT, signal.default_int_handler)
