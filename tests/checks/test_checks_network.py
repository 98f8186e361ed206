"""What the doctor says of the model hub, with one on this machine."""

from __future__ import annotations

import os

import pytest
from helpers_hub import TOKEN
from hub_server import Hub, status

from engine.checks import network
from engine.checks.finding import Finding, Surroundings, TerminalFacts
from engine.hub import never_stop
from engine.xtts import base


def around() -> Surroundings:
    return Surroundings(None, TerminalFacts(is_tty=False), os.environ, never_stop)


def reach() -> Finding:
    [found] = network.reachable(around())
    return found


@pytest.fixture
def with_base(hub: Hub) -> Hub:
    """A hub that has the newest base's files at their pinned commit."""
    known = next(iter(base.known().values()))
    files = {file.path: b"x" for file in known.files}
    hub.put(known.repository, files)
    hub.commits[known.files[0].revision] = files
    return hub


def test_a_hub_that_answers_is_asked_once_and_sends_nothing(with_base: Hub) -> None:
    found = reach()
    assert found.level == "ok", found.seen
    assert "127.0.0.1 answers" in found.seen
    assert [asked.method for asked in with_base.asked] == ["HEAD"]


def test_a_hub_in_trouble(with_base: Hub) -> None:
    with_base.fail("hub", "HEAD", "config.json", status(503))
    found = reach()
    assert found.level == "warning"
    assert "status 503" in found.seen
    assert len(with_base.asked) == 1, "one quick try"


def test_a_token_is_never_shown(with_base: Hub, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HF_TOKEN", TOKEN)
    with_base.fail("hub", "HEAD", "config.json", status(401))
    [held] = network.token(around())
    for found in (reach(), held):
        assert TOKEN not in found.seen + found.remedy
    assert "HF_TOKEN is set" in held.seen


def test_nobody_answers(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HF_ENDPOINT", "http://127.0.0.1:9")
    monkeypatch.setenv("NO_PROXY", "127.0.0.1")
    found = reach()
    assert found.level == "warning"
    assert "127.0.0.1" in found.seen
    assert "HF_ENDPOINT" in found.remedy


def test_an_address_that_is_none(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HF_ENDPOINT", "ftp:nonsense")
    assert reach().level == "warning"


def test_offline_asks_nobody(with_base: Hub, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HF_HUB_OFFLINE", "1")
    found = reach()
    assert found.level == "warning"
    assert "HF_HUB_OFFLINE" in found.seen
    assert with_base.asked == []


def test_proxies_are_named_without_their_passwords(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("HTTP_PROXY", "http_proxy", "ALL_PROXY", "all_proxy", "HTTPS_PROXY", "no_proxy"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("NO_PROXY", "")
    monkeypatch.setenv("https_proxy", "http://me:secret@proxy:3128")
    [found] = network.proxies(around())
    assert found.seen == "set by HTTPS_PROXY"
    monkeypatch.delenv("https_proxy")
    [found] = network.proxies(around())
    assert found.seen == "none is set"
