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
    """

    def __init__(self, base: Path, language: str) -> None:
        path = base / "vocab.json"
        self._language = language
        self._tokenizer = _tokenizer(path)
        bpe = self._tokenizer.tokenizer
        self.unknown_id: int = bpe.token_to_id(UNKNOWN)
        self.stop_id: int = bpe.token_to_id(STOP)
        if bpe.token_to_id(f"[{language}]") is None:
            raise InputError(
                f"{clean(str(path))} does not hold the tag [{clean(language)}]. Take a base that "
                "knows the language, or extend its vocabulary."
            )

    def encode(self, text: str) -> list[int]:
        """The token ids of a text, the language's tag first. Raises DatasetError."""
        return list(self._encode(text).ids)

    def count(self, text: str) -> int:
        """The number of tokens, the language's tag included. Raises DatasetError."""
        return len(self._encode(text).ids)

    def unknown(self, text: str) -> set[str]:
        """The characters that the vocabulary does not hold. Raises DatasetError."""
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
        if self._language in LANGUAGES:
            try:
                cleaned = self._tokenizer.preprocess_text(text, self._language.partition("-")[0])
            except ImportError as error:
                extra = self._language.partition("-")[0]
                raise DatasetError(
                    f"Texts in {LANGUAGES[self._language]} need a package that is not installed: "
                    f"{clean(str(error))}. Install voicetui with its extra [{extra}]."
                ) from error
        else:
            # coqui has no cleaner for other languages; these are the steps that all of its share.
            cleaned = " ".join(text.replace('"', "").lower().split())
        return f"[{self._language}]{cleaned}".replace(" ", "[SPACE]")


def _tokenizer(path: Path) -> Any:
    from engine.xtts.load import tokenizer_of

    try:
        return tokenizer_of(path.parent)
    except Exception as error:  # the tokenizers library raises nothing narrower
        raise BaseModelError(
            f"{clean(str(path))} is not a tokenizer file ({clean(str(error))}). "
            "Fetch it again with the base."
        ) from error
