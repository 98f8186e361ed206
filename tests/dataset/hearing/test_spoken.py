from __future__ import annotations

from pathlib import Path

import pytest

from engine.audio.speech import Span
from engine.dataset.hearing import transcripts
from engine.dataset.hearing.chunks import Chunk
from engine.dataset.hearing.spoken import Mismatch, mismatch, warning
from engine.dataset.hearing.transcripts import Heard, Transcript


def heard(folder: Path, languages: dict[str, float], seconds: float = 20.0) -> Transcript:
    span = Span(0.0, seconds)
    made = transcripts.start(folder / "t.jsonl", seconds, [span], [Chunk((span,))])
    made.add(0, Heard((), languages))
    return made


@pytest.mark.parametrize(
    ("languages", "project", "found"),
    [
        ({}, "en", None),
        ({"en": 0.99}, "en", None),
        ({"zh": 0.8, "en": 0.2}, "zh-cn", None),
        ({"pt": 0.55, "es": 0.45}, "es", None),
        ({"de": 0.97, "en": 0.02}, "en", Mismatch("de", 0.97, True)),
        ({"de": 0.9, "en": 0.08}, "en", Mismatch("de", 0.9, False)),
        ({"de": 0.75}, "en", Mismatch("de", 0.75, False)),
    ],
)
def test_another_language_is_told_when_it_is_likely(
    languages: dict[str, float], project: str, found: Mismatch | None, tmp_path: Path
) -> None:
    assert mismatch(heard(tmp_path, languages), project) == found


def test_a_word_or_two_do_not_tell_a_language(tmp_path: Path) -> None:
    assert mismatch(heard(tmp_path, {"de": 0.99}, 2.0), "en") is None


def test_the_warning_names_both_languages() -> None:
    certain = warning(Mismatch("de", 0.97, True), "rec/one.wav", "en")
    assert certain.code == "language_mismatch"
    assert certain.seen == (
        "rec/one.wav sounds like German (97% sure), and the project's language is English."
    )
    assert "left out" in certain.means
    unsure = warning(Mismatch("yue", 0.8, False), "rec/one.wav", "zh-cn")
    assert "sounds like yue (80% sure)" in unsure.seen
    assert "suspect" in unsure.means
