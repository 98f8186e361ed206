"""Which language is spoken in a recording, where the recogniser can tell."""

from __future__ import annotations

from dataclasses import dataclass

from engine import languages
from engine.dataset.hearing.transcripts import Transcript
from engine.events import Warned
from engine.text import clean

# From here on another language is believed, and with the second pair believed enough to drop clips:
# so likely is the other one at least, so likely the project's at most.
_LIKELY = 0.7
_CERTAIN, _EXCLUDED = 0.9, 0.05
# In less than this too little is said to tell.
_ENOUGH_SECONDS = 3.0


@dataclass(frozen=True)
class Mismatch:
    """A recording in another language: Whisper's code for it, and how likely it is, 0 to 1."""

    language: str
    probability: float
    is_certain: bool


def mismatch(transcript: Transcript, language: str) -> Mismatch | None:
    """Whether something else is spoken than the project's language; None where nobody can tell."""
    likely = transcript.languages
    heard = sum(chunk.seconds for chunk in transcript.chunks)
    if not likely or heard < _ENOUGH_SECONDS:
        return None
    wanted = languages.whisper_code(language)
    other, probability = max(likely.items(), key=lambda item: item[1])
    if other == wanted or probability < _LIKELY:
        return None
    certain = probability >= _CERTAIN and likely.get(wanted, 0.0) < _EXCLUDED
    return Mismatch(other, probability, certain)


def warning(found: Mismatch, item: str, language: str) -> Warned:
    """What is said about a recording in another language."""
    names = {languages.whisper_code(code): name for code, name in languages.LANGUAGES.items()}
    spoken = clean(names.get(found.language, found.language))
    wanted = languages.LANGUAGES.get(language, clean(language))
    return Warned(
        "language_mismatch",
        f"{item} sounds like {spoken} ({found.probability:.0%} sure), and the project's language "
        f"is {wanted}.",
        "Its clips are left out." if found.is_certain else "Its clips are marked as suspect.",
        "Take the recording out, or make a project of its own for it; if the project's language "
        "is wrong, set language in project.toml and run 'voicetui prepare' again.",
    )
