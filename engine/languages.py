"""The languages that XTTS v2 speaks, and what they are called elsewhere."""

from __future__ import annotations

import json
import re
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
_CODE = re.compile(r"[a-z]{2,3}(-[a-z0-9]{2,8})*")


def normal(code: str) -> str:
    """The code as XTTS writes it, from a code or an English name."""
    lowered = code.strip().lower().replace("_", "-")
    by_name = {name.lower(): language for language, name in LANGUAGES.items()}
    return (_ALIASES | by_name).get(lowered, lowered)


def whisper_code(code: str) -> str:
    """The code as Whisper writes it."""
    return code.partition("-")[0]


def is_known(language: str, vocab: Path | None) -> bool:
    """Whether a language is one of the 17, or a vocabulary file holds its `[xx]` tag."""
    return language in LANGUAGES or (vocab is not None and has_tag(vocab, language))


def check(code: str, vocab: Path | None, *, allow_new: bool = False) -> str:
    """The language as XTTS writes it.

    A language that is not one of the 17 needs a vocabulary file that holds its `[xx]` tag, unless
    `allow_new`: then `voicetui vocab` is to add it. Raises InputError.
    """
    language = normal(code)
    if is_known(language, vocab):
        return language
    if allow_new:
        if _CODE.fullmatch(language):
            return language
        raise InputError(
            f"A new language is named by its code of two or three letters, such as sv or el; "
            f"{clean(code)!r} is none."
        )
    hint = did_you_mean(language, [*LANGUAGES, *LANGUAGES.values()], 0.5)
    raise InputError(
        f"XTTS does not know the language {clean(code)!r}.{hint} "
        f"Languages: {', '.join(LANGUAGES)}; another one needs a base whose vocab.json holds "
        f"the tag [{clean(language)}]: make the project with "
        f"'voicetui new --allow-new-language', then run 'voicetui vocab'."
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
