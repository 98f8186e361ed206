"""Whether the texts belong to the speech, and what they cover."""

from __future__ import annotations

import statistics
from collections.abc import Iterator

from engine.dataset.clips import Reason
from engine.dataset.findings.coverage import OFTEN
from engine.dataset.findings.facts import Facts, Judged, sources_of
from engine.dataset.findings.finding import Finding, found, too_little, too_much

# Half or twice the usual rate is hardly the same way of speaking.
_MOST_ODD_RATES = 0.1
_MOST_DOUBTED = 0.1
_LEAST_WORDS = 200
# Fewer sentences than these say nothing about the kinds.
_ENOUGH_SENTENCES = 20
_MOST_UNMARKED = 0.3
_MOST_MISSING_SOUNDS = (0.15, 0.4)
_TOLD = 12


def look(facts: Facts) -> Iterator[Finding]:
    """The findings of a dataset that has clips."""
    yield from _texts(facts)
    yield from _voices(facts)
    yield _rates(facts)
    yield _variety(facts)
    yield _sentences(facts)
    yield _names_and_numbers(facts)
    if facts.coverage.letters:
        yield _letters(facts)
    if facts.coverage.sounds:
        yield _sounds(facts)


def _texts(facts: Facts) -> Iterator[Finding]:
    """Clips that were heard twice, and those in another language."""
    again = [clip for clip in (*facts.used, *facts.dropped) if clip.agreement is not None]
    if again:
        doubted = _suspects(facts, Reason.DISAGREEMENT)
        failed = sum(clip.state == "dropped" for clip in again)
        share = facts.share(doubted)
        yield found(
            "texts",
            too_much(share, 0.0, _MOST_DOUBTED),
            f"{len(again):,} doubtful clips were heard twice: the texts of {len(doubted):,} differ, "
            f"{failed:,} have none that can be used",
            means="What is written may not be what is said, and is learned all the same.",
            advice="Go through the suspect clips in the review, or take a larger asr_model.",
            share=share,
            recordings=sources_of(doubted),
        )
    given = _suspects(facts, Reason.GIVEN_TEXT)
    if given:
        yield found(
            "given texts",
            too_much(facts.share(given), 0.0, _MOST_DOUBTED),
            f"{len(given):,} clips may not say what the given transcript says",
            means="What is written is learned, whatever is said.",
            advice=Reason.GIVEN_TEXT.remedy,
            share=facts.share(given),
            recordings=sources_of(given),
        )
    listed = (*facts.used, *facts.dropped)
    foreign = [clip for clip in listed if clip.reason == Reason.LANGUAGE]
    if foreign:
        yield found(
            "language",
            "concern",
            f"{len(foreign):,} clips seem to be in another language",
            means="Their texts would be read with the wrong sounds.",
            advice=Reason.LANGUAGE.remedy,
            share=facts.share(foreign),
            recordings=sources_of(foreign),
        )


def _voices(facts: Facts) -> Iterator[Finding]:
    others = _suspects(facts, Reason.OTHER_SPEAKER)
    if not others and "speaker" not in facts.measured:
        return
    share = facts.share(others)
    yield found(
        "voices",
        too_much(share, 0.0, _MOST_DOUBTED),
        f"{len(others):,} clips may be spoken by somebody else"
        if others
        else "one voice speaks in all clips",
        means="The voice becomes a mixture of all that it hears.",
        advice="Listen to the suspect clips in the review, and drop those of another voice.",
        share=share,
        recordings=sources_of(others),
    )


def _suspects(facts: Facts, reason: Reason) -> list[Judged]:
    return [clip for clip in facts.used if clip.state == "suspect" and clip.reason == reason]


def _rates(facts: Facts) -> Finding:
    spoken = [clip for clip in facts.used if clip.text]
    rates = [len(clip.text) / max(clip.seconds, 0.001) for clip in spoken]
    usual = statistics.median(rates) if rates else 0.0
    odd = [
        clip for clip, rate in zip(spoken, rates, strict=True) if not usual / 2 <= rate <= usual * 2
    ]
    share = len(odd) / max(1, len(spoken))
    words = facts.coverage.all_words / max(0.001, facts.seconds)
    return found(
        "speaking rate",
        too_much(share, _MOST_ODD_RATES, 1.0),
        f"{words:.1f} words, {usual:.1f} characters a second; {share:.0%} of the clips are twice or "
        "half as fast",
        means="Such texts often lack words or have too many.",
        advice="Sort the review by rate and listen to both ends.",
        share=facts.share(odd),
        recordings=sources_of(odd),
    )


def _variety(facts: Facts) -> Finding:
    coverage = facts.coverage
    return found(
        "variety",
        too_little(coverage.words, _LEAST_WORDS, 0),
        f"{coverage.words:,} different words of {coverage.all_words:,}",
        means="What is never said cannot be learned.",
        advice="Add other texts: questions, names, numbers, long and short sentences.",
        share=1.0 - coverage.words / _LEAST_WORDS,
    )


def _sentences(facts: Facts) -> Finding:
    coverage = facts.coverage
    seen = (
        f"{coverage.statements:,} statements, {coverage.questions:,} questions, "
        f"{coverage.exclamations:,} exclamations; {coverage.short:.0%} short clips, "
        f"{coverage.long:.0%} long ones"
    )
    unmarked = coverage.unmarked / len(facts.used)
    if unmarked > _MOST_UNMARKED:
        return found(
            "sentences",
            "watch",
            f"{unmarked:.0%} of the clips end without a full stop or another mark",
            means="The voice learns from the marks where its melody falls and where it rises.",
            advice="Take a larger asr_model, or write the marks in the review.",
            share=unmarked,
        )
    missing = [
        name
        for name, count in (
            ("questions", coverage.questions),
            ("exclamations", coverage.exclamations),
        )
        if not count
    ]
    lacks = bool(missing) and coverage.sentences >= _ENOUGH_SENTENCES
    return found(
        "sentences",
        "watch" if lacks else "good",
        seen,
        means=f"Without {' and '.join(missing)} the voice speaks everything as a statement.",
        advice=f"Record some {' and '.join(missing)}.",
        share=len(missing) / 2,
    )


def _names_and_numbers(facts: Facts) -> Finding:
    coverage = facts.coverage
    counts = [("names", coverage.names), ("numbers", coverage.numbers), ("dates", coverage.dates)]
    known = [(name, count) for name, count in counts if count is not None]
    missing = [name for name, count in known if not count]
    enough = coverage.sentences >= _ENOUGH_SENTENCES
    return found(
        "names and numbers",
        "watch" if missing and enough else "good",
        ", ".join(f"{count:,} {name}" for name, count in known),
        means="They are spoken in their own way, which the voice has to hear.",
        advice=f"Record sentences with {' and '.join(missing)}.",
        share=len(missing) / len(known),
    )


def _letters(facts: Facts) -> Finding:
    missing, all_of_them = facts.coverage.missing_letters, facts.coverage.letters
    return found(
        "letters",
        "watch" if missing else "good",
        f"{all_of_them - len(missing)} of {all_of_them} letters of the alphabet occur"
        + (f"; never: {_some(missing)}" if missing else ""),
        means="Words with the others are guessed from what the base knows.",
        advice="Add sentences with these letters.",
        share=len(missing) / all_of_them,
    )


def _sounds(facts: Facts) -> Finding:
    missing, looked_for = facts.coverage.missing_sounds, facts.coverage.sounds
    share = len(missing) / looked_for
    return found(
        "sounds",
        too_much(share, *_MOST_MISSING_SOUNDS),
        f"{looked_for - len(missing)} of the {looked_for} most common letter pairs are spoken "
        f"{OFTEN} times or more" + (f"; not: {_some(missing)}" if missing else ""),
        means="Sounds that are hardly heard come out as the base speaks them, not as this voice.",
        advice="Add other texts; most minutes of ordinary speech hold nearly all of them.",
        share=share,
    )


def _some(items: tuple[str, ...]) -> str:
    return " ".join(items[:_TOLD]) + (" …" if len(items) > _TOLD else "")
