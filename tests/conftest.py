"""What all tests stand on."""

from __future__ import annotations

import signal

# A suite in the background of a shell is made to ignore Ctrl-C, and so would be every program that it starts.
if signal.getsignal(signal.SIGINT) is signal.SIG_IGN:
    signal.signal(signal.SIGINT, signal.default_int_handler)
