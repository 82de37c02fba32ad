from __future__ import annotations

import network

if network.IS_OURS:
    # Before the emulator of the folder above is started.
    network.set_up()
