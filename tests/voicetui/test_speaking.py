"""The sentences that voices are tried with."""

from __future__ import annotations

from engine.languages import LANGUAGES
from voicetui.speaking import SENTENCES, sentence_for


def test_every_language_has_its_sentence() -> None:
    assert set(SENTENCES) == set(LANGUAGES)
    assert len(set(SENTENCES.values())) == len(SENTENCES)


def test_what_was_spoken_last_comes_first() -> None:
    assert sentence_for("de", "Guten Tag.") == "Guten Tag."
    assert sentence_for("de") == SENTENCES["de"]
    assert sentence_for("xx") == SENTENCES["en"]
