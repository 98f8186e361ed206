"""The texts that a vocabulary is learned from, and those that show what it does to old text."""

from __future__ import annotations

import tomllib
from collections.abc import Mapping, Sequence
from importlib import resources
from pathlib import Path
from typing import Any

from engine.dataset import derive
from engine.dataset.clips import Reason
from engine.errors import DatasetError, InputError
from engine.project import Project
from engine.text import clean
from engine.xtts.vocab import cleaned

# What a larger vocabulary mends.
_MENDED = (Reason.UNKNOWN_CHARACTERS, Reason.TOO_MANY_TOKENS)


def of_project(project: Project, language: str) -> list[str]:
    """The texts of a project's clips in a language, with all of a person's edits.

    Those count too that were dropped for what the old vocabulary could not do.
    """
    return [
        clip.text
        for clip in derive.current(project.dataset_dir)
        if clip.language == language
        and clip.text.strip()
        and (clip.state != "dropped" or clip.reason in _MENDED)
    ]


def of_file(path: Path) -> list[str]:
    """The lines of a UTF-8 text file. Raises InputError when it cannot be read or is empty."""
    try:
        lines = path.read_bytes().decode("utf-8-sig").splitlines()
    except OSError as error:
        raise InputError(
            f"{clean(str(path))} cannot be read ({clean(error.strerror or str(error))})."
        ) from error
    except UnicodeDecodeError as error:
        raise InputError(
            f"{clean(str(path))} is not UTF-8 text (byte {error.start:,}). Save it as UTF-8."
        ) from error
    texts = [line for line in lines if line.strip()]
    if not texts:
        raise InputError(f"{clean(str(path))} holds no text.")
    return texts


def gathered(project: Project, language: str, files: Sequence[Path]) -> list[str]:
    """The texts of the clips and of more files. Raises InputError when there are none at all."""
    texts = of_project(project, language)
    for path in files:
        texts += of_file(path)
    if not texts:
        raise InputError(
            f"{clean(str(project.folder))} has no texts in {clean(language)}. "
            "Run 'voicetui prepare' first, or give texts with --text FILE."
        )
    return texts


def old_texts() -> Mapping[str, list[str]]:
    """A few sentences in each of the 17 languages, from `profiles/old_texts.toml`."""
    text = resources.files("profiles").joinpath("old_texts.toml").read_text(encoding="utf-8")
    return tomllib.loads(text)


def old_cleaned(tokenizer: Any) -> tuple[dict[str, list[str]], list[str]]:
    """The old sentences as training sees them, and the languages whose package is not installed."""
    found: dict[str, list[str]] = {}
    missing = []
    for language, texts in old_texts().items():
        try:
            found[language] = [cleaned(tokenizer, text, language) for text in texts]
        except DatasetError:
            missing.append(language)
    return found, missing
