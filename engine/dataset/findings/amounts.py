"""How much speech there is, how it was cut and divided, and what was left out."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator

from engine.dataset.clips import Reason
from engine.dataset.findings.facts import Facts, seconds_of, sources_of
from engine.dataset.findings.finding import Finding, files, found, too_little, too_much
from engine.text import clean

# The guide: three minutes are the least, five and more are better. Its software calls fewer clips
# than these very small sets.
LEAST_MINUTES, GOOD_MINUTES = 3.0, 5.0
FEWEST_TRAIN, FEWEST_EVAL = 100, 10
# 10 to 20 % of the time are held out; as percent, as they are told.
EVAL_PERCENT = (10, 20)
_SHORT_SECONDS, _MOST_SHORT = 2.0, 0.3
_LOW_AVERAGE = 3.0
# Shares of the pieces that were cut, and of the speech.
_MOST_EXTENDED, _MOST_MISSED = 0.2, 0.1
_MOST_DROPPED = (0.3, 0.5)
_MOST_SILENCE = 0.6


def look(facts: Facts) -> Iterator[Finding]:
    """The findings of a dataset that has clips."""
    yield _minutes(facts)
    yield _train(facts)
    yield _eval(facts)
    yield _split(facts)
    yield _short(facts)
    yield _average(facts)
    yield _dropped(facts)
    if facts.unknown:
        yield _unknown(facts)
    if facts.heard:
        yield _cutting(facts)
        yield _silence(facts)
        yield from _files(facts)


def _minutes(facts: Facts) -> Finding:
    minutes = facts.seconds / 60
    level = too_little(minutes, GOOD_MINUTES, LEAST_MINUTES)
    return found(
        "minutes",
        level,
        f"{minutes:.1f} min of speech",
        means="Three minutes are the least for a voice, five and more are better.",
        advice="Add recordings of the same person and run 'voicetui prepare' again.",
        share=1.0 - minutes / (2 * GOOD_MINUTES),
    )


def _train(facts: Facts) -> Finding:
    clips = len(facts.on("train"))
    return found(
        "clips",
        too_little(clips, FEWEST_TRAIN, FEWEST_TRAIN),
        f"{clips:,} clips to train on",
        means=f"A training set under {FEWEST_TRAIN} clips is very small: it is soon learned by "
        "heart.",
        advice="Add recordings; until then take few epochs and watch the held-out loss.",
        share=1.0 - clips / FEWEST_TRAIN,
    )


def _eval(facts: Facts) -> Finding:
    clips = len(facts.on("eval"))
    return found(
        "held out",
        too_little(clips, FEWEST_EVAL, FEWEST_EVAL),
        f"{clips:,} clips to judge the training with",
        means=f"An eval set under {FEWEST_EVAL} clips is very small: its loss jumps about by "
        "chance.",
        advice="Add recordings, or move clips of one recording to eval in the review.",
        share=1.0 - clips / FEWEST_EVAL,
    )


def _split(facts: Facts) -> Finding:
    train, held = facts.on("train"), facts.on("eval")
    percent = round(100 * facts.share(held))
    seen = f"{percent}% of the time is held out ({len(held):,} clips)"
    low, high = EVAL_PERCENT
    if not train or not held:
        missing = "train" if held else "eval"
        return found(
            "split",
            "concern",
            seen,
            means="Training needs clips to learn from and others to be judged with.",
            advice=f"Move some clips to {missing} in the review, or add recordings.",
        )
    return found(
        "split",
        "good" if low <= percent <= high else "watch",
        seen,
        means=f"{low}-{high} % is usual: less judges badly, more is missing in the training.",
        advice="Move clips of one recording to eval in the review."
        if percent < low
        else "Move clips back to train in the review, or add recordings.",
        share=abs(percent - sum(EVAL_PERCENT) / 2) / 100,
    )


def _short(facts: Facts) -> Finding:
    short = [clip for clip in facts.used if clip.seconds < _SHORT_SECONDS]
    share = len(short) / len(facts.used)
    return found(
        "short clips",
        too_much(share, _MOST_SHORT, 2 * _MOST_SHORT),
        f"{share:.0%} of the clips are shorter than {_SHORT_SECONDS:.0f} s",
        means="Short clips teach little melody, and the voice may break off long sentences.",
        advice="Merge short ones with the clip beside them, or record whole sentences.",
        share=share,
        recordings=sources_of(short),
    )


def _average(facts: Facts) -> Finding:
    average = facts.seconds / len(facts.used)
    return found(
        "average length",
        too_little(average, _LOW_AVERAGE, 0.0),
        f"{average:.1f} s on average",
        means="Clips of 3 to 9 s teach best.",
        advice="Merge neighbours in the review, or add whole sentences.",
        share=1.0 - average / _LOW_AVERAGE,
    )


def _dropped(facts: Facts) -> Finding:
    lost = seconds_of(facts.dropped)
    share = lost / (lost + facts.seconds)
    times: Counter[str] = Counter()
    for clip in facts.dropped:
        times[clip.reason] += round(clip.seconds * 1000)
    most = ", ".join(reason.replace("_", " ") for reason, _ in times.most_common(2))
    return found(
        "dropped",
        too_much(share, *_MOST_DROPPED),
        f"{share:.0%} of the speech was dropped{f' (most: {most})' if share > 0.005 else ''}",
        means="It is lost for the training.",
        advice="See the drop ledger: each reason has a remedy.",
        share=share,
    )


def _cutting(facts: Facts) -> Finding:
    counts = [each.pieces for each in facts.heard]
    spans, pieces = sum(each.spans for each in counts), sum(each.pieces for each in counts)
    extended = sum(len(each.extended) for each in counts)
    short, long = sum(each.too_short for each in counts), sum(each.too_long for each in counts)
    seen = (
        f"{spans:,} stretches of speech became {pieces:,} pieces: "
        f"{sum(each.merged for each in counts):,} sentences merged, {extended:,} pieces extended, "
        f"{short:,} too short, {long:,} too long"
    )
    missed = (short + long) / max(1, pieces)
    much = missed > _MOST_MISSED or extended / max(1, pieces) > _MOST_EXTENDED
    return found(
        "cutting",
        "watch" if much else "good",
        seen,
        means="Many pieces that are too short or had to grow come from single words; those that "
        "are too long from speech without a pause.",
        advice="Record whole sentences with a pause between them; "
        f"{Reason.TOO_LONG.remedy[:1].lower()}{Reason.TOO_LONG.remedy[1:]}",
        share=missed,
    )


def _silence(facts: Facts) -> Finding:
    whole = sum(each.seconds for each in facts.heard)
    silent = sum(each.non_speech_seconds for each in facts.heard)
    share = silent / max(0.001, whole)
    quiet = sorted(facts.heard, key=lambda each: -each.non_speech_seconds)
    return found(
        "silence",
        too_much(share, _MOST_SILENCE, 1.0),
        f"{share:.0%} of the recordings is not speech",
        means="Nothing is lost, but nobody speaks there, or too quietly to be found.",
        advice="Listen to one of these stretches if you expected speech.",
        share=share,
        recordings=[each.path for each in quiet],
    )


def _files(facts: Facts) -> Iterator[Finding]:
    failed = [each for each in facts.recordings if each.state == "failed"]
    if failed:
        yield found(
            "recordings",
            "concern",
            f"{len(failed)} of {len(facts.recordings)} files cannot be used",
            means="What is said in them is missing.",
            advice="Read why in the preparation, mend or replace them, and prepare again.",
            share=len(failed) / len(facts.recordings),
            recordings=[each.path for each in failed],
        )
    empty = [each for each in facts.heard if not each.kept_seconds]
    if empty:
        whole = sum(each.seconds for each in facts.heard)
        yield found(
            "without clips",
            "watch",
            f"nothing of {files(len(empty))} is used",
            means="Nobody speaks there, or too quietly to be found, or all of it was dropped.",
            advice="Listen to them: take out what is no speech, make louder what is.",
            share=sum(each.seconds for each in empty) / max(0.001, whole),
            recordings=[each.path for each in empty],
        )
    doubles = [each for each in facts.recordings if each.state == "duplicate"]
    if doubles:
        yield found(
            "duplicates",
            "watch",
            f"{files(len(doubles))} with the same audio as another",
            means="It is used once: twice would be learned by heart, or be in both sets.",
            advice="Remove them from the sources if you wonder about the count.",
            share=len(doubles) / len(facts.recordings),
            recordings=[each.path for each in doubles],
        )


def _unknown(facts: Facts) -> Finding:
    listed = " ".join(clean(character) for character in facts.unknown)
    return found(
        "unknown characters",
        "concern",
        f"the base's vocabulary does not know: {listed}",
        means="Clips whose text holds one of them are dropped, since it could not be learned.",
        advice="Take a base that knows the language, or correct these texts in the review.",
        share=_share_dropped(facts, Reason.UNKNOWN_CHARACTERS),
    )


def _share_dropped(facts: Facts, reason: Reason) -> float:
    """The share of all speech that was dropped for a reason."""
    lost = seconds_of(clip for clip in facts.dropped if clip.reason == reason)
    return lost / max(0.001, facts.seconds + seconds_of(facts.dropped))
