"""A small hub with a base under its real name."""

from __future__ import annotations

import random
import threading
from collections.abc import Iterator

import hub_server
import pytest
from hub_server import Hub

from engine.xtts import base as bases
from engine.xtts.base import KnownBase, KnownFile

_NAME, _REPO = "xtts-v2.0.3", "coqui/XTTS-v2"
_FILES = {name: random.Random(name).randbytes(20_000) for name in bases.FILES}


@pytest.fixture
def own_hub(monkeypatch: pytest.MonkeyPatch) -> Iterator[Hub]:
    with hub_server.running(monkeypatch) as server:
        yield server


@pytest.fixture
def published(own_hub: Hub, monkeypatch: pytest.MonkeyPatch) -> KnownBase:
    own_hub.put(_REPO, _FILES, "v2.0.3")
    files = tuple(KnownFile(name, "v2.0.3", 0, "") for name in _FILES)
    base = KnownBase(_NAME, _REPO, "Some Licence 1.0", "https://l.example", files)
    monkeypatch.setattr(bases, "known", lambda: {_NAME: base})
    return base


@pytest.fixture
def slow_hub(own_hub: Hub) -> Iterator[None]:
    """The hub sends its first file byte by byte until the test is over."""
    release = threading.Event()
    slowly = hub_server.drip(_FILES["config.json"], 1, release)
    own_hub.fail("hub", "GET", "config.json", slowly)
    own_hub.fail("cdn", "GET", "config.json", slowly)
    yield
    release.set()
