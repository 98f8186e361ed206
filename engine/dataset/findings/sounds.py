"""How the recordings sound: levels, noise, clipping, and what their formats are."""

from __future__ import annotations

import statistics
from collections import Counter
from collections.abc import Iterator

from engine.audio.faults import Fault, faults
from engine.dataset.accounting import Recording
from engine.dataset.clips import Reason
from engine.dataset.findings.facts import Facts, seconds_of, sources_of
from engine.dataset.findings.finding import Finding, found, too_little, too_much

_LEAST_SNR, _GOOD_SNR = 15.0, 25.0
_MOST_NOISY = 0.05
_MOST_SPREAD = 6.0
# Recordings with a fault that hold more of the speech than this are a concern.
_MUCH = 0.25
# Faults of recordings that the clips tell more closely, and what they tell it with.
_TOLD_BY_CLIPS = {"low_snr": "snr", "clipping": "clipping"}
# What is said of all recordings together.
_TOLD_ELSEWHERE = ("mostly_silence",)
# Of the samples of a clip, and of the time of all clips.
CLIPPED = 0.001
_MOST_CLIPPED = (0.05, 0.25)


def look(facts: Facts) -> Iterator[Finding]:
    """The findings of a dataset that has clips."""
    if facts.values("level"):
        yield _levels(facts)
    if facts.values("snr"):
        yield _noise(facts)
    if facts.values("clipping") or any(c.reason == Reason.CLIPPING for c in facts.dropped):
        yield _clipping(facts)
    if any(each.rate for each in facts.heard):
        yield _formats(facts)
    yield from _faults(facts)


def _levels(facts: Facts) -> Finding:
    levels = facts.values("level")
    spread = statistics.pstdev(levels)
    return found(
        "levels",
        too_much(spread, _MOST_SPREAD, 2 * _MOST_SPREAD),
        f"{statistics.median(levels):.0f} LUFS; levels differ by {spread:.1f} LU (standard "
        "deviation)",
        means="Clips are brought to one loudness, and the noise of the quiet ones is raised with "
        "their voice.",
        advice="Keep the same distance to the microphone, or leave the quietest recordings out.",
        share=spread / (3 * _MOST_SPREAD),
    )


def _noise(facts: Facts) -> Finding:
    usual = statistics.median(facts.values("snr"))
    noisy = facts.where("snr", under=_GOOD_SNR)
    level = too_little(usual, _GOOD_SNR, _LEAST_SNR)
    if level == "good" and facts.share(facts.where("snr", under=_LEAST_SNR)) > _MOST_NOISY:
        level = "watch"
    return found(
        "noise",
        level,
        f"{usual:.0f} dB between voice and noise; {facts.share(noisy):.0%} of the time has less "
        f"than {_GOOD_SNR:.0f} dB",
        means="The voice learns the noise and speaks it.",
        advice="Clean the recordings first, or drop the noisiest clips: sort the review by SNR.",
        share=facts.share(noisy),
        recordings=sources_of(noisy),
    )


def _clipping(facts: Facts) -> Finding:
    lost = [clip for clip in facts.dropped if clip.reason == Reason.CLIPPING]
    clipped = [*facts.where("clipping", over=CLIPPED), *lost]
    share = seconds_of(clipped) / max(0.001, facts.seconds + seconds_of(facts.dropped))
    dropped = f" ({len(lost):,} clips were dropped for it)" if lost else ""
    return found(
        "clipping",
        too_much(share, *_MOST_CLIPPED),
        f"{share:.0%} of the speech is cut off at full scale{dropped}",
        means="It crackles, and the voice learns the crackle.",
        advice="Record at a lower level, or take the original before it was made louder.",
        share=share,
        recordings=sources_of(clipped),
    )


def _formats(facts: Facts) -> Finding:
    kinds = Counter((each.rate, each.format) for each in facts.heard)
    listed = ", ".join(
        f"{count} x {rate:,} Hz {form}".rstrip() for (rate, form), count in kinds.most_common(4)
    )
    return found(
        "formats",
        "watch" if len(kinds) > 1 else "good",
        f"{len(kinds)} formats: {listed}" if len(kinds) > 1 else listed,
        means="Recordings of different rates and codecs sound different; the voice learns a "
        "mixture.",
        advice="Take all recordings from one source in one format where you can.",
        share=1.0 - kinds.most_common(1)[0][1] / len(facts.heard),
    )


def _faults(facts: Facts) -> Iterator[Finding]:
    """What is wrong with recordings, each fault once for all that have it."""
    with_it: dict[str, list[tuple[Recording, Fault]]] = {}
    for each in facts.heard:
        quality = each.measured
        for fault in faults(quality) if quality is not None else ():
            if fault.code not in _TOLD_ELSEWHERE and not facts.values(
                _TOLD_BY_CLIPS.get(fault.code, "")
            ):
                with_it.setdefault(fault.code, []).append((each, fault))
    speech = sum(each.kept_seconds for each in facts.heard)
    for code, cases in with_it.items():
        cases.sort(key=lambda case: -case[0].kept_seconds)
        share = sum(each.kept_seconds for each, _ in cases) / max(0.001, speech)
        worst = cases[0][1]
        yield found(
            code.replace("_", " "),
            "concern" if share > _MUCH else "watch",
            f"{len(cases)} of {len(facts.heard)} recordings, {share:.0%} of the speech. "
            f"{worst.seen.rstrip('.')}",
            means=worst.means,
            advice=worst.remedy,
            share=share,
            recordings=[each.path for each, _ in cases],
        )
