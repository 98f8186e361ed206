"""The doctor's command: what it prints, its exit code, and what it must not load."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest

from engine.doctor import Check
from voicetui import cli, exit_codes
from voicetui.terminal_facts import terminal_facts

MAIN = "from voicetui.cli import main; main()"


def test_everything_as_json(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HF_HUB_OFFLINE", "1")
    done = subprocess.run(
        [sys.executable, "-c", MAIN, "doctor", str(tmp_path), "--json"],
        capture_output=True,
        text=True,
        check=False,
    )
    answer = json.loads(done.stdout)
    found = {check["name"]: check for check in answer["checks"]}
    assert not [check for check in answer["checks"] if "itself failed" in check["seen"]]
    assert found["torch"]["level"] == "ok", found["torch"]
    assert "computes" in found["torch"]["seen"]
    assert found["project"]["group"] == "Machine"
    assert set(found["python"]) == {"name", "group", "level", "seen", "remedy"}
    assert sum(answer["levels"].values()) == len(answer["checks"])
    failed = answer["levels"].get("failure", 0) > 0
    assert done.returncode == (exit_codes.FAILED if failed else exit_codes.DONE)
    assert done.stderr == ""


def run(
    found: list[Check], monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> tuple[int, str]:
    monkeypatch.setattr("engine.doctor.checks", lambda *_: iter(found))
    code = cli.run(["doctor"])
    return code, capsys.readouterr().out


FINE = Check("driver", "GPU", "ok", "570.86.15", "")
POOR = Check("disk", "Machine", "warning", "10 GB \x1b[2J free " * 9, "Free some, " * 12)
BAD = Check("torch", "Try-outs", "failure", "it does not load", "Install it.")


def test_lines_are_grouped_and_fit_80_columns(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    code, out = run([FINE, FINE, POOR, BAD], monkeypatch, capsys)
    assert code == exit_codes.FAILED
    assert "\x1b" not in out
    lines = out.splitlines()
    assert max(map(len, lines)) <= 80
    assert [line for line in lines if line in ("GPU", "Machine", "Try-outs")] == [
        *("GPU", "Machine", "Try-outs")
    ]
    assert lines[1] == f"{'ok':<8} {'driver':<21}  570.86.15"
    assert "> Install it." in out
    assert lines[-1] == "2 ok, 1 warning, 1 failure."


def test_without_a_failure_all_is_done(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    code, out = run([FINE, POOR], monkeypatch, capsys)
    assert (code, out.splitlines()[-1]) == (0, "1 ok, 1 warning, 0 failures.")
    code, out = run([FINE], monkeypatch, capsys)
    assert out.splitlines()[-1] == "All 1 checks are ok."


def test_ctrl_c_leaves(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    def interrupted(*_: object) -> object:
        yield FINE
        raise KeyboardInterrupt

    monkeypatch.setattr("engine.doctor.checks", interrupted)
    assert cli.run(["doctor"]) == exit_codes.INTERRUPTED


def test_a_file_is_no_folder(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (tmp_path / "file").touch()
    assert cli.run(["doctor", str(tmp_path / "file")]) == exit_codes.WRONG_USE
    assert "is a file" in capsys.readouterr().err


def test_its_help_loads_nothing_heavy() -> None:
    code = (
        "import sys; from voicetui import cli; cli.run(['doctor', '--help']);"
        "print(*{name.partition('.')[0] for name in sys.modules}, file=sys.stderr)"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    heavy = {"torch", "transformers", "TTS", "faster_whisper", "textual", "psutil", "numpy"}
    assert not heavy & set(done.stderr.split())


def test_looking_loads_no_torch_into_this_process() -> None:
    code = (
        "import sys, engine.doctor;"
        "from voicetui.terminal_facts import terminal_facts;"
        "list(engine.doctor.checks(None, terminal_facts(),"
        " looks=[look for look in engine.doctor.LOOKS if look[0] != 'Try-outs']));"
        "print(*{name.partition('.')[0] for name in sys.modules})"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert not {"torch", "transformers", "TTS", "faster_whisper"} & set(done.stdout.split())


@pytest.mark.parametrize(
    ("environment", "colours", "multiplexer"),
    [
        ({"TERM": "xterm-256color"}, 256, ""),
        ({"TERM": "tmux-256color", "TMUX": "/tmp/t,1,0"}, 256, "tmux"),
        ({"TERM": "screen", "STY": "1.pts"}, 256, "screen"),
        ({"TERM": "xterm", "COLORTERM": "truecolor"}, 1 << 24, ""),
        ({"TERM": "xterm"}, 16, ""),
        ({"TERM": "dumb"}, 0, ""),
        ({}, 0, ""),
    ],
)
def test_terminal_facts(environment: dict[str, str], colours: int, multiplexer: str) -> None:
    facts = terminal_facts((100, 30), environment)
    assert (facts.colours, facts.multiplexer) == (colours, multiplexer)
    assert (facts.is_tty, facts.columns, facts.rows) == (True, 100, 30)
    assert facts.no_color is False
    assert terminal_facts(environment={"NO_COLOR": "1"}).no_color is True
