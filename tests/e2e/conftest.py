from __future__ import annotations

from collections.abc import Iterator

import pytest
from emulator import Emulator


@pytest.fixture(scope="session")
def emulator() -> Iterator[Emulator]:
    emulator = Emulator()
    yield emulator
    emulator.close()
