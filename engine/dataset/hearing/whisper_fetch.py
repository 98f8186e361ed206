"""Fetching a Whisper model for faster-whisper by its name."""

from __future__ import annotations

from fnmatch import fnmatch
from pathlib import Path

from engine import hub, places
from engine.errors import DownloadError, InputError
from engine.fetching import assembly
from engine.hub import Check, Progress
from engine.text import clean, did_you_mean

FAMILY = "whisper"
# The names of faster-whisper 1.2.1 and the repositories that it takes them from.
REPOSITORIES = {
    "tiny.en": "Systran/faster-whisper-tiny.en",
    "tiny": "Systran/faster-whisper-tiny",
    "base.en": "Systran/faster-whisper-base.en",
    "base": "Systran/faster-whisper-base",
    "small.en": "Systran/faster-whisper-small.en",
    "small": "Systran/faster-whisper-small",
    "medium.en": "Systran/faster-whisper-medium.en",
    "medium": "Systran/faster-whisper-medium",
    "large-v1": "Systran/faster-whisper-large-v1",
    "large-v2": "Systran/faster-whisper-large-v2",
    "large-v3": "Systran/faster-whisper-large-v3",
    "large": "Systran/faster-whisper-large-v3",
    "distil-large-v2": "Systran/faster-distil-whisper-large-v2",
    "distil-medium.en": "Systran/faster-distil-whisper-medium.en",
    "distil-small.en": "Systran/faster-distil-whisper-small.en",
    "distil-large-v3": "Systran/faster-distil-whisper-large-v3",
    "distil-large-v3.5": "distil-whisper/distil-large-v3.5-ct2",
    "large-v3-turbo": "mobiuslabsgmbh/faster-whisper-large-v3-turbo",
    "turbo": "mobiuslabsgmbh/faster-whisper-large-v3-turbo",
}
_NEEDED = ("model.bin", "config.json", "tokenizer.json", "vocabulary.*")
_OPTIONAL = ("preprocessor_config.json",)


def fetch(
    name: str,
    *,
    progress: Progress = hub.ignore_progress,
    check: Check = hub.never_stop,
) -> Path:
    """The folder of a Whisper model, fetched unless it is there already; see `hub.fetch_folder`.

    The commit that its repository stands at is resolved once and recorded. Raises InputError for an
    unknown name, DownloadError, DiskFullError, BusyError and RefusedError.
    """
    if name not in REPOSITORIES:
        hint = did_you_mean(name, REPOSITORIES)
        raise InputError(
            f"There is no Whisper model called {clean(name)!r}.{hint} "
            f"Models: {', '.join(REPOSITORIES)}."
        )
    folder = places.models_dir(FAMILY) / name
    if assembly.whole(folder):
        return folder
    repository = REPOSITORIES[name]
    listed = hub.list_files(repository, check=check)
    for pattern in _NEEDED:
        if not any(fnmatch(file.path, pattern) for file in listed):
            raise DownloadError(f"{repository} holds no {pattern}; it was not fetched.")
    files = [
        file
        for file in listed
        if any(fnmatch(file.path, pattern) for pattern in (*_NEEDED, *_OPTIONAL))
    ]
    return hub.fetch_folder(files, folder, progress=progress, check=check)
