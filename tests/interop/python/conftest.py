from __future__ import annotations

import os
from collections.abc import Iterator

import pytest

from support import Emulator


@pytest.fixture(scope="session")
def emulator() -> Iterator[Emulator]:
    """The emulator, as what both libraries find. google-auth reads the environment when it is imported, so
    tests import it only after they have asked for this fixture."""
    emulator = Emulator()
    for name in ("GOOGLE_APPLICATION_CREDENTIALS", "CLOUDSDK_CONFIG", "NO_GCE_CHECK", "K_SERVICE"):
        os.environ.pop(name, None)
    os.environ["HOME"] = os.devnull
    os.environ.update(emulator.environment)
    yield emulator
    emulator.stop()
