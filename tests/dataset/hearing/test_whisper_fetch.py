from __future__ import annotations

import json
from collections.abc import Iterator

import hub_server
import pytest
from hub_server import Hub

from engine import places
from engine.dataset.hearing import whisper_fetch
from engine.errors import DownloadError, InputError

REPO = "Systran/faster-whisper-tiny"
FILES = {
    "model.bin": bytes(range(256)) * 400,
    "config.json": b"{}",
    "tokenizer.json": b'{"a": 1}',
    "vocabulary.txt": b"a\nb\n",
    "README.md": b"# read me",
    "sub/model.bin": b"another",
}


@pytest.fixture
def hub(monkeypatch: pytest.MonkeyPatch) -> Iterator[Hub]:
    with hub_server.running(monkeypatch) as server:
        server.put(REPO, FILES)
        yield server


def test_a_model_is_fetched_by_its_name_and_its_commit_recorded(hub: Hub) -> None:
    folder = whisper_fetch.fetch("tiny")
    assert folder == places.models_dir("whisper") / "tiny"
    wanted = ["config.json", "model.bin", "tokenizer.json", "vocabulary.txt"]
    assert sorted(path.name for path in folder.iterdir()) == sorted([*wanted, "fetched.json"])
    assert all((folder / name).read_bytes() == FILES[name] for name in wanted)
    record = json.loads((folder / "fetched.json").read_text())
    assert {entry["commit"] for entry in record["files"].values()} == {hub.commit(REPO, "main")}


def test_files_that_only_newer_models_have_come_along(hub: Hub) -> None:
    extra = {"preprocessor_config.json": b"{ }", "vocabulary.json": b"[]"}
    kept = {name: data for name, data in FILES.items() if name != "vocabulary.txt"}
    hub.put(REPO, kept | extra)
    folder = whisper_fetch.fetch("tiny")
    assert all((folder / name).read_bytes() == data for name, data in extra.items())


def test_a_model_that_is_there_needs_no_network(hub: Hub, monkeypatch: pytest.MonkeyPatch) -> None:
    folder = whisper_fetch.fetch("tiny")
    monkeypatch.setenv("HF_HUB_OFFLINE", "1")
    assert whisper_fetch.fetch("tiny") == folder


def test_a_repository_that_is_no_model_is_named(hub: Hub) -> None:
    hub.put(REPO, {"config.json": b"{}"})
    with pytest.raises(DownloadError, match=r"model\.bin"):
        whisper_fetch.fetch("tiny")
    assert not places.models_dir("whisper").exists()


def test_unknown_names_get_the_nearest_one() -> None:
    with pytest.raises(InputError, match="Did you mean small"):
        whisper_fetch.fetch("smal")


def test_the_names_are_those_of_faster_whisper() -> None:
    from faster_whisper.utils import _MODELS

    assert whisper_fetch.REPOSITORIES == _MODELS
