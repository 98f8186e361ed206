"""The command line: what it imports, its exit codes, and what it says about errors."""

from __future__ import annotations

import json
import re
import subprocess
import sys
from pathlib import Path

import pytest
from helpers_jobs import HOSTILE, make_project
from helpers_terminal import OnPipes, OnTerminal, unsafe

from engine import project as projects
from engine import recent
from engine.settings import SETTINGS
from voicetui import cli

HEAVY = {"torch", "transformers", "TTS", "faster_whisper", "textual", "rich", "numpy", "psutil"}
COMMANDS = [cli._name(function) for function, _, _ in cli._COMMANDS]


def run(*arguments: str) -> int:
    return cli.run(arguments)


def test_help_imports_nothing_heavy() -> None:
    code = (
        "import sys; from voicetui import cli; code = cli.run(['--help']);"
        "print(*{name.partition('.')[0] for name in sys.modules}, file=sys.stderr);"
        "sys.exit(code)"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert "Usage: voicetui" in done.stdout
    assert not HEAVY & set(done.stderr.split())


def test_watching_imports_no_torch(tmp_path: Path) -> None:
    make_project(tmp_path / "voice")
    code = (
        "import sys; from voicetui import cli; code = cli.run(['status', sys.argv[1]]);"
        "print(*{name.partition('.')[0] for name in sys.modules}, file=sys.stderr);"
        "sys.exit(code)"
    )
    done = subprocess.run(
        [sys.executable, "-c", code, str(tmp_path / "voice")],
        capture_output=True,
        text=True,
        check=True,
    )
    assert not (HEAVY - {"psutil", "rich"}) & set(done.stderr.split())


@pytest.mark.parametrize("arguments", [[], ["--help"], ["-h"]])
def test_help_lists_every_command(arguments: list[str], capsys: pytest.CaptureFixture[str]) -> None:
    assert run(*arguments) == 0
    out = capsys.readouterr().out
    for name in COMMANDS:
        assert re.search(rf"^  {name}  +\S", out, re.MULTILINE), name
    assert "Exit codes: 0 done" in out


@pytest.mark.parametrize("name", COMMANDS)
def test_every_option_is_documented_within_80_columns(
    name: str, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("COLUMNS", "80")
    assert run(name, "--help") == 0
    out = capsys.readouterr().out
    body = out.partition("Examples:")[0].splitlines()
    entries = [i for i, line in enumerate(body) if re.match(r"  (-|[A-Z]+ <)", line)]
    assert entries
    for index in entries:
        described = re.search(r"\S  +\S", body[index].strip()) or body[index + 1][:4].isspace()
        assert described, body[index]
    assert f"  voicetui {name}" in out.partition("Examples:")[2]
    assert all(len(line) <= 80 for line in out.splitlines() if "voicetui new" not in line)


def test_the_help_names_the_real_defaults(capsys: pytest.CaptureFixture[str]) -> None:
    run("new", "--help")
    out = " ".join(capsys.readouterr().out.split())
    assert f"{projects.DEFAULT_BASE} unless given" in out
    assert f"{projects.profile.DEFAULT} unless given" in out


def test_version(capsys: pytest.CaptureFixture[str]) -> None:
    assert run("--version") == 0
    assert capsys.readouterr().out.startswith("voicetui ")


@pytest.mark.parametrize(
    ("arguments", "hint"),
    [
        (["trian"], "Did you mean 'train'"),
        (["train"], "Missing argument 'DIR'"),
        (["train", "x", "--epochs", "3"], "No such option"),
        (["say", "x", "y", "-o", "z", "--seed", "many"], "--seed"),
        (["train", "nowhere"], "not a voice project"),
        (["train", "x", "--resume", "--fresh"], "exclude each other"),
    ],
)
def test_wrong_use_is_2_and_says_what_to_do(
    arguments: list[str], hint: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert run(*arguments) == 2
    out, err = capsys.readouterr()
    assert out == ""
    assert hint in err


@pytest.mark.parametrize(
    ("error", "code"),
    [
        ("InputError", 2),
        ("SettingError", 2),
        ("SourceError", 2),
        ("BaseModelError", 2),
        ("DatasetError", 2),
        ("RefusedError", 3),
        ("BusyError", 3),
        ("NotExactError", 3),
        ("LicenceError", 3),
        ("FailedError", 1),
        ("DiskFullError", 1),
        ("TranscriptionError", 1),
    ],
)
def test_the_exit_code_of_each_error_at_work(error: str, code: int, tmp_path: Path) -> None:
    child = OnPipes(error, "train", str(make_project(tmp_path / "voice")))
    out, err = child.communicate()
    assert child.returncode == code
    assert err.count(b"what went wrong") == 1
    assert b"FAILED" in err
    assert b"what went wrong" not in out


def test_an_error_nobody_foresaw_leaves_a_report(tmp_path: Path, home: Path) -> None:
    child = OnPipes("ZeroDivisionError", "train", str(make_project(tmp_path / "voice")))
    out, err = child.communicate()
    assert child.returncode == 1
    assert b"Traceback" not in out + err
    [report] = (home / "state" / "voicetui" / "crashes").iterdir()
    assert str(report).encode() in err
    text = report.read_text()
    assert "Traceback" in text
    assert "ZeroDivisionError: what went wrong" in text
    assert "\x1b" not in text


def test_what_the_file_system_refuses_is_one_line(
    tmp_path: Path, home: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    folder = make_project(tmp_path / "voice")
    (folder / "runs" / "0001" / "events.jsonl").mkdir(parents=True)
    assert run("status", str(folder)) == 1
    _, err = capsys.readouterr()
    assert "events.jsonl cannot be used: Is a directory" in err
    assert not (home / "state").exists(), "no report of what needs none"


def _break(monkeypatch: pytest.MonkeyPatch) -> None:
    """Plant a bug: a table of commands cannot be read."""
    monkeypatch.setattr("engine.settings.SETTINGS", None)


def test_an_error_nobody_foresaw_outside_of_a_job(
    home: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    _break(monkeypatch)
    assert run("settings") == 1
    _, err = capsys.readouterr()
    assert err.startswith("error: unexpected ")
    assert "Traceback" not in err
    [report] = (home / "state" / "voicetui" / "crashes").iterdir()
    assert str(report) in err


def test_a_report_that_cannot_be_written_is_told(
    home: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    (home / "state").write_text("a file where a folder should be")
    _break(monkeypatch)
    assert run("settings") == 1
    assert "could not be written" in capsys.readouterr().err


def test_new_makes_a_project(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    for name in ("a.wav", "b.wav", "c.wav"):
        (tmp_path / name).touch()
    sources = [str(tmp_path / name) for name in ("a.wav", "b.wav", "c.wav")]
    folder = tmp_path / "my voice"
    code = run(
        *("new", str(folder), "--language", "en", "--set", "epochs=7", "--profile", "accent"),
        *("--source", sources[0], sources[1], "--source", sources[2]),
    )
    assert code == 0
    made = projects.load(folder)
    assert (made.name, made.language, made.profile) == ("my voice", "en", "accent")
    assert sorted(made.sources) == sources
    assert made.settings.training.epochs == 7
    assert f"next: voicetui prepare '{folder}'" in capsys.readouterr().out
    assert recent.folders()[0] == folder
    assert run("new", str(folder), "--language", "en") == 3


def test_new_refuses_a_file_as_its_folder(tmp_path: Path) -> None:
    (tmp_path / "b.wav").touch()
    assert run("new", str(tmp_path / "b.wav"), "--language", "en") == 2


@pytest.mark.parametrize(
    ("pair", "hint"), [("epoch=3", "epochs"), ("epochs=0", "from 1"), ("epochs", "key=value")]
)
def test_a_wrong_setting_is_told(
    tmp_path: Path, pair: str, hint: str, capsys: pytest.CaptureFixture[str]
) -> None:
    folder = make_project(tmp_path / "voice")
    assert run("train", str(folder), "--set", pair) == 2
    assert hint in capsys.readouterr().err


def test_settings_given_to_train_hold_for_that_time_only(tmp_path: Path) -> None:
    folder = make_project(tmp_path / "voice")
    before = (folder / "project.toml").read_bytes()
    OnPipes("quick", "train", str(folder), "--set", "epochs=77").communicate()
    assert '"epochs":77' in (folder / "runs" / "0001" / "events.jsonl").read_text()
    assert (folder / "project.toml").read_bytes() == before


def test_settings_as_a_table_and_as_json(capsys: pytest.CaptureFixture[str]) -> None:
    assert run("settings") == 0
    out = capsys.readouterr().out
    assert all(f"{key} = " in out for key in SETTINGS)
    assert all(len(line) <= 80 for line in out.splitlines())
    assert run("settings", "--json") == 0
    rows = json.loads(capsys.readouterr().out)
    assert [row["key"] for row in rows] == list(SETTINGS)
    assert {"default", "minimum", "maximum", "choices", "help", "type"} < set(rows[0])


@pytest.mark.parametrize("name", ["profiles", "bases"])
def test_lists(name: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert run(name) == 0
    plain = capsys.readouterr().out
    assert run(name, "--json") == 0
    rows = json.loads(capsys.readouterr().out)
    assert rows
    assert all(row["name"] in plain for row in rows)


def test_a_reader_that_goes_away_ends_a_list_quietly() -> None:
    process = subprocess.Popen(
        [sys.executable, "-c", "from voicetui.cli import main; main()", "settings"],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
    )
    assert process.stdout is not None
    process.stdout.close()
    assert process.wait() == 0
    assert process.stderr is not None
    assert process.stderr.read() == b""


def test_fetch_knows_what_can_be_fetched(capsys: pytest.CaptureFixture[str]) -> None:
    assert run("fetch", "smal") == 2
    assert "Did you mean small?" in capsys.readouterr().err
    assert run("fetch", "xtts-v2.0.3") == 3
    assert "--accept-licence" in capsys.readouterr().err


HOSTILE_NAME = HOSTILE.replace("\x00", "").replace("/", "|")


@pytest.mark.parametrize(
    "arguments",
    [
        [HOSTILE_NAME],
        ["train", HOSTILE_NAME],
        ["status", HOSTILE_NAME],
        ["train", "--" + HOSTILE_NAME],
        ["new", "made", "--language", HOSTILE_NAME],
        ["new", "made", "--language", "en", "--name", HOSTILE_NAME],
        ["new", "made", "--language", "en", "--source", HOSTILE_NAME],
        ["new", "made", "--language", "en", "--base", HOSTILE_NAME],
        ["new", "made", "--language", "en", "--profile", HOSTILE_NAME],
        ["new", "made", "--language", "en", "--set", HOSTILE_NAME],
        ["fetch", HOSTILE_NAME],
        ["say", HOSTILE_NAME, HOSTILE_NAME, "-o", HOSTILE_NAME],
        ["say", "x", "y", "-o", "z", "--seed", HOSTILE_NAME],
    ],
)
def test_hostile_arguments_are_shown_safely(
    arguments: list[str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    child = OnPipes("quick", *arguments)
    out, err = child.communicate()
    assert child.returncode == 2
    assert out == b""
    assert err.startswith(b"error: ")
    assert not unsafe(err)


def test_a_project_in_a_hostile_folder(tmp_path: Path) -> None:
    folder = tmp_path / HOSTILE_NAME
    folder.mkdir()
    child = OnTerminal.forked("quick", "train", str(make_project(folder)), "--plain")
    assert child.end() == 0
    child.close()
    assert b"BEST MODEL" in child.seen
    assert b"aGk=" in child.seen
    assert not unsafe(child.seen)
