"""The console as a person has it: in a real tmux at 80x24, keyboard alone."""

from __future__ import annotations

import shutil
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
from helpers_jobs import make_project
from helpers_terminal import HELPER
from helpers_tmux import Tmux

from engine.status import read_state

pytestmark = pytest.mark.skipif(shutil.which("tmux") is None, reason="tmux is not installed")


@pytest.fixture
def tmux(home: Path) -> Iterator[Tmux]:
    window = Tmux({"HOME": str(home)})
    yield window
    window.close()


def test_a_run_outlives_its_terminal_and_is_shown_again(tmux: Tmux, tmp_path: Path) -> None:
    project = make_project(tmp_path / "voice")
    console = [sys.executable, str(HELPER), "steps"]
    run = project / "runs" / "0001"

    tmux.type(*console, "train", str(project))
    tmux.wait_for("running")
    tmux.press("?")
    tmux.wait_for("help")
    tmux.press("q")
    tmux.wait_for("run 0001")

    # The connection is lost; in a new shell the same run is shown again, with working keys.
    tmux.new_window()
    tmux.close_window(0)
    tmux.type(*console, "attach", str(project))
    tmux.wait_for("run 0001")
    tmux.press("p")
    tmux.wait_for("paused")
    assert read_state(run).state == "paused"
    tmux.press("p")
    tmux.wait_without("paused")

    tmux.press("x")
    tmux.wait_for("stop it safely")
    tmux.press("x")
    tmux.wait_for("stopped")
    assert read_state(run).reason == "request"

    # One key goes on, in this console now; Ctrl-C stops it and gives the terminal back.
    tmux.press("c")
    tmux.wait_for("running")
    tmux.resize(120, 40)
    tmux.wait_for("step ")
    tmux.press("C-c")
    # The shell as it was before the console.
    tmux.wait_for("steps attach")
    tmux.type("echo", "alive")
    tmux.wait_for("\nalive")
