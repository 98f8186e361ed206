"""The tokenizer of a base, as training uses it: how long a text is, and what it cannot say."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from engine.errors import BaseModelError, DatasetError, InputError
from engine.languages import LANGUAGES
from engine.text import clean

UNKNOWN = "[UNK]"
STOP = "[STOP]"


class Vocabulary:
    """Counts the tokens of texts in one language with coqui's tokenizer and a base's vocabulary.

    Making one takes seconds, since it imports coqui and torch. Raises BaseModelError when the file
    is no tokenizer, InputError when it lacks the language's tag.

    With `pending`, the tag may lack: 'voicetui vocab' is still to add the language, and what the
    old vocabulary does not know is no fault of the text. The counts are then guesses, too high.
    """

    def __init__(self, base: Path, language: str, *, pending: bool = False) -> None:
        path = base / "vocab.json"
        self._language = language
        self._tokenizer = _tokenizer(path)
        bpe = self._tokenizer.tokenizer
        self.unknown_id: int = bpe.token_to_id(UNKNOWN)
        self.stop_id: int = bpe.token_to_id(STOP)
        self._pending = bpe.token_to_id(f"[{language}]") is None
        if self._pending and not pending:
            raise InputError(
                f"{clean(str(path))} does not hold the tag [{clean(language)}]. Extend the "
                "vocabulary with 'voicetui vocab', or take a base that knows the language."
            )

    def encode(self, text: str) -> list[int]:
        """The token ids of a text, the language's tag first. Raises DatasetError."""
        return list(self._encode(text).ids)

    def count(self, text: str) -> int:
        """The number of tokens, the language's tag included. Raises DatasetError."""
        return len(self._encode(text).ids)

    def unknown(self, text: str) -> set[str]:
        """The characters that the vocabulary does not hold. Raises DatasetError."""
        if self._pending:
            return set()
        encoding = self._encode(text)
        prepared = self._prepare(text)
        return {
            character
            for token, (start, end) in zip(encoding.ids, encoding.offsets, strict=True)
            if token == self.unknown_id
            for character in prepared[start:end]
        }

    def _encode(self, text: str) -> Any:
        return self._tokenizer.tokenizer.encode(self._prepare(text))

    def _prepare(self, text: str) -> str:
        """The text as coqui hands it to the tokenizer (`VoiceBpeTokenizer.encode`)."""
        tagged = f"[{self._language}]{cleaned(self._tokenizer, text, self._language)}"
        return tagged.replace(" ", "[SPACE]")


class SpeechTokenizer:
    """Stands in for coqui's tokenizer while a model speaks a language that coqui has no rules for."""

    def __init__(self, base: Path, language: str) -> None:
        """Raises BaseModelError and InputError as `Vocabulary` does."""
        self._vocabulary = Vocabulary(base, language)

    def encode(self, text: str, lang: str) -> list[int]:  # noqa: ARG002 - coqui's signature
        """The token ids of a text; `lang` is not read, since coqui takes its region off."""
        return self._vocabulary.encode(text)


def cleaned(tokenizer: Any, text: str, language: str) -> str:
    """A text after coqui's rules for its language, by coqui's `tokenizer`. Raises DatasetError."""
    if language not in LANGUAGES:
        # coqui has no rules for other languages; these are the steps that all of its share.
        return " ".join(text.replace('"', "").lower().split())
    stem = language.partition("-")[0]
    try:
        return str(tokenizer.preprocess_text(text, stem))
    except ImportError as error:
        raise DatasetError(
            f"Texts in {LANGUAGES[language]} need a package that is not installed: "
            f"{clean(str(error))}. Install voicetui with its extra [{stem}]."
        ) from error


def _tokenizer(path: Path) -> Any:
    from engine.xtts.load import tokenizer_of

    try:
        return tokenizer_of(path.parent)
    except Exception as error:  # the tokenizers library raises nothing narrower
        raise BaseModelError(
            f"{clean(str(path))} is not a tokenizer file ({clean(str(error))}). "
            "Fetch it again with the base."
        ) from error
