"""The small hub that the tests of `engine.hub` fetch from."""

from __future__ import annotations

import threading
from collections.abc import Iterator

import hub_server
import pytest
from helpers_hub import LARGE, REPO, SMALL
from hub_server import Hub


@pytest.fixture
def hub(monkeypatch: pytest.MonkeyPatch) -> Iterator[Hub]:
    with hub_server.running(monkeypatch) as server:
        server.put(REPO, {"model.pth": LARGE, "config.json": SMALL})
        yield server


@pytest.fixture
def release() -> Iterator[threading.Event]:
    """Lets servers go that were told to be silent."""
    event = threading.Event()
    yield event
    event.set()
