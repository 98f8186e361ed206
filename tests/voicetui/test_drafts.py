from __future__ import annotations

import json
import os
from pathlib import Path

import pytest

from engine import places
from voicetui import drafts
from voicetui.drafts import Draft

DRAFT = Draft(
    name="Zoë \x1b[31m",
    language="de",
    folder="~/zoë",
    own_folder=True,
    sources=("/rec", "/" + os.fsdecode(b"caf\xe9")),
    base="xtts-v2.0.3",
    profile="standard",
    values={"training.epochs": "22"},
    step=3,
)


def test_a_draft_comes_back_as_it_was(tmp_path: Path) -> None:
    drafts.save(None, DRAFT)
    drafts.save(tmp_path / "voice", Draft(name="Other"))
    assert drafts.load(None) == DRAFT
    assert drafts.load(tmp_path / "voice") == Draft(name="Other")
    assert drafts.load(tmp_path / "another") is None


def test_a_draft_is_found_by_any_way_to_its_folder(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    drafts.save(Path("voice"), DRAFT)
    assert drafts.load(tmp_path / "voice") == DRAFT


def test_a_draft_that_is_forgotten_is_gone_and_the_others_stay(tmp_path: Path) -> None:
    drafts.save(None, DRAFT)
    drafts.save(tmp_path, DRAFT)
    drafts.forget(None)
    assert drafts.load(None) is None
    assert drafts.load(tmp_path) == DRAFT


@pytest.mark.parametrize(
    "text",
    [
        "{",
        "[]",
        '{"new": 3}',
        '{"new": {"name": 3}}',
        '{"new": {"sources": [1]}}',
        '{"new": {"values": {"a": 1}}}',
        '{"new": {"step": true}}',
    ],
)
def test_a_broken_file_is_no_draft_and_is_written_over(text: str) -> None:
    path = places.state_dir() / drafts.FILE_NAME
    path.parent.mkdir(parents=True)
    path.write_text(text)
    assert drafts.load(None) is None
    drafts.save(None, DRAFT)
    assert drafts.load(None) == DRAFT
    assert isinstance(json.loads(path.read_bytes()), dict)


def test_a_state_folder_that_cannot_be_written_costs_only_the_memory() -> None:
    places.state_dir().parent.mkdir(parents=True, exist_ok=True)
    places.state_dir().write_text("a file where a folder should be")
    drafts.save(None, DRAFT)
    assert drafts.load(None) is None
