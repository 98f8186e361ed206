"""Try-outs in processes of their own: real ones, and what becomes of those that fail."""

from __future__ import annotations

from pathlib import Path

import psutil
import pytest

from engine.checks import software
from engine.checks.attempt import attempt
from engine.checks.finding import Surroundings, TerminalFacts, TrialError, within
from engine.dataset.hearing import asr_models
from engine.errors import StopRequested
from engine.hub import never_stop


def test_recordings_can_be_read_here() -> None:
    at = Surroundings(None, TerminalFacts(is_tty=False), {}, never_stop)
    [found] = software.audio(at)
    assert found.level == "ok"
    assert "FFmpeg" in found.seen


def test_speech_recognition_computes_with_a_real_model() -> None:
    [folder] = asr_models.on_this_machine().values()
    found = attempt("recognition", "cpu", str(folder), seconds=60, check=never_stop)
    assert found["computed"] is True
    assert "int8" in found["types"]


def test_a_trial_that_fails_tells_its_error(tmp_path: Path) -> None:
    with pytest.raises(TrialError, match=r"model\.bin"):
        attempt("recognition", "cpu", str(tmp_path), seconds=60, check=never_stop)


def children() -> list[psutil.Process]:
    return [child for child in psutil.Process().children() if "engine.checks.trial" in line(child)]


def line(process: psutil.Process) -> list[str]:
    try:
        return list(process.cmdline())
    except psutil.Error:
        return []


def test_a_trial_that_takes_too_long_is_ended() -> None:
    with pytest.raises(TrialError, match=r"no answer within 0\.01 s"):
        attempt("audio", seconds=0.01, check=never_stop)
    assert children() == []


def test_a_trial_that_dies_is_told() -> None:
    def kill() -> None:
        for child in children():
            child.kill()

    with pytest.raises(TrialError, match="died of SIGKILL"):
        attempt("audio", seconds=60, check=kill)


def test_waiting_can_be_ended() -> None:
    def stop() -> None:
        raise StopRequested("request")

    with pytest.raises(StopRequested):
        attempt("audio", seconds=60, check=stop)
    assert children() == []


def test_within_gives_results_and_errors() -> None:
    assert within(5, lambda: 7) == 7
    with pytest.raises(ZeroDivisionError):
        within(5, lambda: 1 // 0)
