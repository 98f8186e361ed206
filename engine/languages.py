"""The languages that XTTS v2 speaks, and what they are called elsewhere."""

from __future__ import annotations

import json
from pathlib import Path

from engine.errors import BaseModelError, InputError
from engine.text import clean, did_you_mean

# The codes of the XTTS v2 config.
LANGUAGES: dict[str, str] = {
    "en": "English",
    "es": "Spanish",
    "fr": "French",
    "de": "German",
    "it": "Italian",
    "pt": "Portuguese",
    "pl": "Polish",
    "tr": "Turkish",
    "ru": "Russian",
    "nl": "Dutch",
    "cs": "Czech",
    "ar": "Arabic",
    "zh-cn": "Chinese",
    "hu": "Hungarian",
    "ko": "Korean",
    "ja": "Japanese",
    "hi": "Hindi",
}
_ALIASES = {"zh": "zh-cn", "jp": "ja"}


def normal(code: str) -> str:
    """The code as XTTS writes it, from a code or an English name."""
    lowered = code.strip().lower().replace("_", "-")
    by_name = {name.lower(): language for language, name in LANGUAGES.items()}
    return (_ALIASES | by_name).get(lowered, lowered)


def whisper_code(code: str) -> str:
    """The code as Whisper writes it."""
    return code.partition("-")[0]


def check(code: str, vocab: Path | None) -> str:
    """The language as XTTS writes it.

    A language that is not one of the 17 needs a vocabulary file that holds its `[xx]` tag. Raises
    InputError.
    """
    language = normal(code)
    if language in LANGUAGES or (vocab is not None and has_tag(vocab, language)):
        return language
    hint = did_you_mean(language, [*LANGUAGES, *LANGUAGES.values()], 0.5)
    raise InputError(
        f"XTTS does not know the language {clean(code)!r}.{hint} "
        f"Languages: {', '.join(LANGUAGES)}; another one needs a base whose vocab.json holds "
        f"the tag [{clean(language)}]."
    )


def has_tag(vocab: Path, language: str) -> bool:
    """Whether a vocab.json holds the tag of a language. Raises BaseModelError."""
    try:
        document = json.loads(vocab.read_bytes())
        return f"[{language}]" in document["model"]["vocab"]
    except (ValueError, KeyError, TypeError) as error:
        raise BaseModelError(
            f"{clean(str(vocab))} is not a tokenizer file; fetch it again with the base."
        ) from error
