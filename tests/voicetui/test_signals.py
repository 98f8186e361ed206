"""Signals as flags."""

from __future__ import annotations

import signal
from collections.abc import Iterator

import pytest

from engine.errors import StopRequested
from voicetui.signals import Signals

PRESS = (signal.SIGINT, signal.SIGTERM)


class Clock:
    now = 100.0

    def __call__(self) -> float:
        return self.now


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def signals(clock: Clock) -> Iterator[Signals]:
    """Signals that guard a session."""
    found = Signals(clock)
    with found.installed(), found.guarded():
        yield found


@pytest.mark.parametrize("number", PRESS)
def test_the_first_asks_for_a_stop(signals: Signals, number: signal.Signals) -> None:
    assert signals.reason is None
    signal.raise_signal(number)
    assert (signals.reason, signals.forced) == (number.name, None)
    with pytest.raises(StopRequested, match=number.name):
        signals.raise_if_stopped()


@pytest.mark.parametrize("number", PRESS)
def test_the_second_forces_the_end(signals: Signals, clock: Clock, number: signal.Signals) -> None:
    signal.raise_signal(number)
    clock.now += 0.021
    signal.raise_signal(number)
    assert signals.forced == number


def test_within_20_ms_it_is_the_same_key_press(signals: Signals, clock: Clock) -> None:
    for _ in range(5):
        signal.raise_signal(signal.SIGINT)
        clock.now += 0.004
    assert (signals.reason, signals.forced) == ("SIGINT", None)


def test_one_of_each_is_no_second(signals: Signals, clock: Clock) -> None:
    signal.raise_signal(signal.SIGTERM)
    clock.now += 5
    signal.raise_signal(signal.SIGINT)
    assert (signals.reason, signals.forced) == ("SIGTERM", None)


def test_a_hang_up_asks_for_nothing(signals: Signals) -> None:
    signal.raise_signal(signal.SIGHUP)
    assert signals.hung_up
    assert (signals.reason, signals.forced) == (None, None)
    signals.raise_if_stopped()


@pytest.mark.parametrize("number", PRESS)
def test_outside_of_a_session_a_stop_unwinds(number: signal.Signals) -> None:
    signals = Signals()
    went_on: list[str] = []

    def work_that_swallows_errors() -> None:
        with signals.installed():
            try:
                signal.raise_signal(number)
                went_on.append("behind the signal")
            except Exception:  # noqa: BLE001 - what a library on the way might do
                went_on.append("swallowed")

    with pytest.raises(StopRequested, match=number.name):
        work_that_swallows_errors()
    assert went_on == []


def test_the_handlers_are_put_back() -> None:
    before = [signal.getsignal(number) for number in (*PRESS, signal.SIGHUP)]
    with Signals().installed():
        assert signal.getsignal(signal.SIGINT) != before[0]
    assert [signal.getsignal(number) for number in (*PRESS, signal.SIGHUP)] == before
