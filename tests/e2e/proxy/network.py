"""A network of loopback alone, in which the address of metadata servers leads to the emulator.

xtask starts the suite in a network namespace of its own where the machine lets it, and says so by
`OWN_NETWORK`.
"""

from __future__ import annotations

import fcntl
import os
import socket
import struct
import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress

METADATA_ADDRESS = "169.254.169.254"
IS_OURS = "OWN_NETWORK" in os.environ

# Linux, netdevice(7).
_SIOCSIFFLAGS, _SIOCSIFADDR, _IFF_UP = 0x8914, 0x8916, 0x1


def set_up() -> None:
    """Brings the loopback interface up, with the address of metadata servers beside its own."""
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as control:
        fcntl.ioctl(control, _SIOCSIFFLAGS, struct.pack("16sH22x", b"lo", _IFF_UP))
        address = struct.pack("16sHH4s16x", b"lo:1", socket.AF_INET, 0, socket.inet_aton(METADATA_ADDRESS))
        fcntl.ioctl(control, _SIOCSIFADDR, address)


@contextmanager
def leading_to(port: int) -> Iterator[str]:
    """Passes what comes to that address on to this port."""
    listener = socket.create_server((METADATA_ADDRESS, 80))

    def accept() -> None:
        with suppress(OSError):
            while True:
                here, _ = listener.accept()
                there = socket.create_connection(("127.0.0.1", port))
                for pair in ((here, there), (there, here)):
                    threading.Thread(target=_pass_on, args=pair, daemon=True).start()

    accepting = threading.Thread(target=accept, daemon=True)
    accepting.start()
    yield METADATA_ADDRESS
    listener.shutdown(socket.SHUT_RDWR)
    accepting.join()
    listener.close()


def _pass_on(source: socket.socket, target: socket.socket) -> None:
    with suppress(OSError):
        while data := source.recv(65536):
            target.sendall(data)
        target.shutdown(socket.SHUT_WR)
