"""The doctor as a whole: lazy, and stopped by nothing."""

from __future__ import annotations

import itertools
from collections.abc import Iterator
from pathlib import Path

import pytest

from engine import doctor
from engine.checks.finding import Finding, Surroundings
from engine.doctor import Check, TerminalFacts, checks
from engine.errors import StopRequested

NO_TERMINAL = TerminalFacts(is_tty=False)


def fine(_at: Surroundings) -> Iterator[Finding]:
    yield Finding("ok", "all is well")
    yield Finding("warning", "nearly", "do this", name="another name")


def broken(_at: Surroundings) -> Iterator[Finding]:
    yield Finding("ok", "so far")
    raise OSError("\x1b]0;title\x07")


def stopped(_at: Surroundings) -> Iterator[Finding]:
    raise StopRequested("request")
    yield Finding("ok", "never")


def test_checks_come_one_after_the_other() -> None:
    looked: list[str] = []

    def noted(_at: Surroundings) -> Iterator[Finding]:
        looked.append("second")
        yield Finding("ok", "")

    found = checks(None, NO_TERMINAL, looks=[("A", "first", fine), ("B", "second", noted)])
    assert next(found) == Check("first", "A", "ok", "all is well", "")
    assert next(found) == Check("another name", "A", "warning", "nearly", "do this")
    assert looked == []
    assert next(found).group == "B"


def test_a_check_that_breaks_is_a_failure_and_the_next_one_runs() -> None:
    found = list(checks(None, NO_TERMINAL, looks=[("A", "first", broken), ("A", "next", fine)]))
    assert [(check.name, check.level) for check in found] == [
        ("first", "ok"),
        ("first", "failure"),
        ("next", "ok"),
        ("another name", "warning"),
    ]
    assert "OSError" in found[1].seen
    assert "\x1b" not in found[1].seen
    assert found[1].remedy


def test_a_stop_ends_the_looking() -> None:
    with pytest.raises(StopRequested):
        list(checks(None, NO_TERMINAL, looks=[("A", "first", stopped)]))

    def stop() -> None:
        raise StopRequested("request")

    with pytest.raises(StopRequested):
        next(checks(None, NO_TERMINAL, check=stop, looks=[("A", "first", fine)]))


def test_groups_stand_together() -> None:
    groups = [group for group, _ in itertools.groupby(group for group, _, _ in doctor.LOOKS)]
    assert len(groups) == len(set(groups))


def test_all_but_the_try_outs_on_this_machine(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("HF_HUB_OFFLINE", "1")
    facts = TerminalFacts(True, 100, 30, "utf-8", 256, "xterm-256color")
    quick = [look for look in doctor.LOOKS if look[0] != "Try-outs"]
    found = list(checks(tmp_path, facts, looks=quick))
    assert {check.group for check in found} == {group for group, _, _ in quick}
    assert not [check for check in found if "itself failed" in check.seen]
    assert all(check.remedy for check in found if check.level != "ok")
    assert all(check.seen for check in found)
    assert capfd.readouterr() == ("", "")
