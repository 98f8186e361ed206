"""`voicetui vocab` and `voicetui new --allow-new-language`, as people type them."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from helpers_vocab import GREEK, new_language_project

from engine.eventlog import decode
from engine.events import Finished
from voicetui import cli, exit_codes


def test_a_new_language_is_asked_for_by_name(
    tmp_path: Path, tiny_base: Path, capfdbinary: pytest.CaptureFixture[bytes]
) -> None:
    given = ["new", str(tmp_path / "elli"), "--language", "el", "--base", str(tiny_base)]
    assert cli.run(given) == exit_codes.WRONG_USE
    assert b"--allow-new-language" in capfdbinary.readouterr().err
    assert cli.run([*given, "--allow-new-language"]) == exit_codes.DONE
    assert b"voicetui vocab" in capfdbinary.readouterr().out
    assert cli.run(["vocab", str(tmp_path / "elli")]) == exit_codes.WRONG_USE
    assert b"voicetui prepare" in capfdbinary.readouterr().err


def test_lines_for_people_and_events_for_programs(
    tmp_path: Path, tiny_base: Path, capfdbinary: pytest.CaptureFixture[bytes]
) -> None:
    folder = tmp_path / "elli"
    new_language_project(folder, tiny_base, "el", GREEK)
    wish = ["--size", "60", "--min-count", "1", "--stop", "α το"]
    assert cli.run(["vocab", str(folder), *wish, "--dry-run", "--plain"]) == exit_codes.DONE
    out = capfdbinary.readouterr().out.decode()
    assert "unknown characters: 9" in out
    assert "nothing was written" in out
    assert "next:" not in out
    assert cli.run(["vocab", str(folder), *wish, "--json"]) == exit_codes.DONE
    captured = capfdbinary.readouterr()
    records = [decode(line) for line in captured.out.splitlines()]
    (finished,) = [r.event for r in records if r is not None and isinstance(r.event, Finished)]
    assert finished.summary["new_tokens"] == 61
    assert "α" not in finished.summary["new_characters"]
    assert b"next: voicetui prepare" in captured.err
    vocab = json.loads((folder / "base" / "vocab.json").read_bytes())
    assert "το" not in vocab["model"]["vocab"]
