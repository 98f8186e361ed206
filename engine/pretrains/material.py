"""What a prepared dataset is as the material of a pretrain: hours, speakers, quality, faults."""

from __future__ import annotations

import statistics
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from engine.audio.faults import LEAST_SNR, NARROW_HERTZ, PHONE_HERTZ
from engine.dataset import accounting, clips
from engine.dataset.clips import Clip, Reason
from engine.files import safe_join
from engine.project import Project

if TYPE_CHECKING:
    from engine.audio.artefacts import Artefact
    from engine.dataset.accounting import Recording

# High quality: dB between voice and noise, and no part of the samples clipped that is worth a word.
HIGH_SNR = 30.0
_MOST_CLIPPING = 0.001
_HEARD_CLIPS = 12
# Clips that are shorter say little about mirrored harmonics.
_LEAST_SECONDS = 3.0


@dataclass(frozen=True)
class Material:
    """The clips in use. Times are seconds, `snr` dB (the median; None: never measured).

    `unclean` is the time that is not of high quality in noise, bandwidth and clipping, `noisy` that
    under `least_snr` dB, `narrow` that which ends below `wide_hertz` Hz. `qualities` has the time of
    "low", "mid" and "high". `others` counts clips in which somebody else seems to speak, `rates` are
    those of the recordings in Hz. `faults` has by code what was heard in each of some clips.
    """

    seconds: float
    speakers: int
    recordings: int
    others: int
    snr: float | None
    noisy: float
    narrow: float
    unclean: float
    qualities: dict[str, float]
    rates: tuple[int, ...]
    faults: dict[str, tuple[Artefact, ...]]
    least_snr: float = LEAST_SNR
    wide_hertz: float = NARROW_HERTZ


def of_project(project: Project, check: Callable[[], None]) -> Material:
    """Read the dataset and listen to some clips. Raises DatasetError and SourceError."""
    from engine.audio import artefacts

    folder = project.dataset_dir
    used = clips.usable(folder, project.language)
    faults: dict[str, list[Artefact]] = {}
    for clip in chosen(used):
        check()
        for each in artefacts.of_clip(safe_join(folder, clip.wav)):
            faults.setdefault(each.code, []).append(each)
    return of_clips(
        used,
        accounting.read(folder),
        {code: tuple(results) for code, results in faults.items()},
    )


def chosen(used: Sequence[Clip]) -> list[Clip]:
    """The clips to listen to: spread evenly, the same each time, long ones where there are any."""
    listed = sorted(used, key=lambda clip: clip.id)
    long = [clip for clip in listed if clip.seconds >= _LEAST_SECONDS]
    pool = long if len(long) >= _HEARD_CLIPS else listed
    count = min(len(pool), _HEARD_CLIPS)
    return [pool[(2 * place + 1) * len(pool) // (2 * count)] for place in range(count)]


def of_clips(
    used: Sequence[Clip],
    recordings: Sequence[Recording],
    faults: dict[str, tuple[Artefact, ...]],
) -> Material:
    """Count clips that are in use."""
    qualities = {"low": 0.0, "mid": 0.0, "high": 0.0}
    unclean = 0.0
    for clip in used:
        quality = quality_of(clip)
        if quality:
            qualities[quality] += clip.seconds
        if quality != "high":
            unclean += clip.seconds
    noise = [clip.scores["snr"] for clip in used if "snr" in clip.scores]
    return Material(
        seconds=_seconds(used),
        speakers=len({clip.speaker for clip in used}),
        recordings=len({clip.source.sha256 for clip in used}),
        others=sum(clip.reason == Reason.OTHER_SPEAKER for clip in used),
        snr=statistics.median(noise) if noise else None,
        noisy=_seconds([c for c in used if c.scores.get("snr", LEAST_SNR) < LEAST_SNR]),
        narrow=_seconds(
            [c for c in used if c.scores.get("bandwidth", NARROW_HERTZ) < NARROW_HERTZ]
        ),
        unclean=unclean,
        qualities=qualities,
        rates=tuple(
            sorted({each.rate for each in recordings if each.state == "used" and each.rate})
        ),
        faults=faults,
    )


def quality_of(clip: Clip) -> str:
    """ "low", "mid" or "high" by noise, bandwidth and clipping; "" where it was never measured."""
    scores = clip.scores
    if "snr" not in scores or "bandwidth" not in scores:
        return ""
    snr, bandwidth = scores["snr"], scores["bandwidth"]
    if snr < LEAST_SNR or bandwidth < PHONE_HERTZ:
        return "low"
    clear = snr >= HIGH_SNR and bandwidth >= NARROW_HERTZ
    return "high" if clear and scores.get("clipping", 0.0) <= _MOST_CLIPPING else "mid"


def _seconds(used: Sequence[Clip]) -> float:
    return sum(clip.seconds for clip in used)
