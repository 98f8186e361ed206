"""Making a pretrain: its rules, as checks that a project and spoken samples are held against.

The rules are those of AI Hub's page on pretrains (December 2024): from scratch at least 50 hours of
low, mid and high quality speech, finetuned at least 10 hours of clean speech, of many speakers in
both cases; batches over 4 and under 16; a good card; no noise. Where the page names no number
("many", "clean") the number is ours. Numbers of a dataset are those that its preparation measured.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

from engine.gpu_tiers import tier_of
from engine.hub import never_stop
from engine.project import Project
from engine.text import clean

if TYPE_CHECKING:
    from engine.pretrains.material import Material

Kind = Literal["scratch", "finetune"]
Level = Literal["ok", "warning", "failure"]

HOURS: dict[Kind, float] = {"scratch": 50.0, "finetune": 10.0}
# Batches of so many or fewer miss variety; of so many or more smooth it.
SMALL_BATCH, LARGE_BATCH = 4, 16
# "Many" is not a number; this one is ours.
MANY_SPEAKERS = 10
# Shares of the speech that are worth no word.
MOST_UNCLEAN = 0.05
# The lowest rate of pretrains in Hz.
LEAST_RATE = 32_000
_FAST_TIERS = ("S", "A", "B")
_PLANS = {"scratch": "trained from scratch", "finetune": "finetuned from a pretrain"}


@dataclass(frozen=True)
class Check:
    """A rule and what was seen. `meaning` and `remedy` are "" where all is well."""

    group: str
    name: str
    level: Level
    seen: str
    meaning: str = ""
    remedy: str = ""

    def as_values(self) -> dict[str, Any]:
        """As plain JSON values."""
        return asdict(self)


# What to weigh, since there is no best pretrain.
WEIGH: tuple[tuple[str, str], ...] = (
    ("rate", "the one that you will train at: 32k, 40k or 48k. A pretrain has exactly one"),
    ("language", "yours among those it heard; an accent or singing, if that is what you need"),
    (
        "hours and kind",
        "scratch with many hours knows many voices, a finetune knows one thing well; merges are "
        "held to be the worst",
    ),
    ("noise", "listen to voices made from it: what hisses in it will hiss in yours"),
    ("licence", "whether it allows what you are going to do with the voice"),
    ("embedder", "the one that your tool extracts features with; most are for contentvec"),
    ("your tool", "whether Applio or RVC can load it: version, pitch, vocoder, speakers"),
)
NO_BEST = "There is no best pretrain: each gives something and takes something else for it."
# The honest limit.
NO_RVC = (
    "This console does not train RVC yet: it says what stands against making one, and Applio or RVC "
    "trains it."
)


def judge(
    project: Project | None,
    *,
    kind: Kind = "finetune",
    batch_size: int | None = None,
    samples: Sequence[Path] = (),
    cards: Sequence[str] = (),
    check: Callable[[], None] = never_stop,
) -> tuple[Check, ...]:
    """Hold a project, sound files and this machine's cards (by name) against the rules.

    The clips of the project that are listened to are the same each time. `check` is called often,
    and may raise to end it. Raises SourceError for a file that cannot be read, DatasetError for a
    dataset that is not whole or was never prepared.
    """
    found: list[Check] = []
    if project is not None:
        from engine.pretrains import material  # numpy, which the rest does without

        found += of_material(material.of_project(project, check), kind)
    for path in samples:
        found += _of_sample(path, check)
    return (*found, of_batch(batch_size), of_cards(cards))


# --- the dataset --------------------------------------------------------------------------------


def of_material(speech: Material, kind: Kind) -> tuple[Check, ...]:
    """What a dataset has against the rules of a kind."""
    return (
        _hours(speech, kind),
        _speakers(speech),
        _variety(speech) if kind == "scratch" else _cleanness(speech),
        _noise(speech),
        _bandwidth(speech),
        *_faults(speech),
    )


def _hours(speech: Material, kind: Kind) -> Check:
    least = HOURS[kind]
    counted = speech.seconds if kind == "scratch" else speech.seconds - speech.unclean
    what = "speech" if kind == "scratch" else "clean speech"
    seen = f"{_time(counted)} of {what}; a pretrain {_PLANS[kind]} takes at least {least:.0f} h"
    if counted >= least * 3600:
        return Check("Dataset", "hours", "ok", seen)
    return Check(
        "Dataset",
        "hours",
        "failure",
        seen,
        "With less it knows too few voices and sounds, and each voice made from it takes them over.",
        "Gather more recordings, or train a voice instead: minutes are enough for that."
        if kind == "finetune"
        else "Gather more recordings, or finetune a pretrain: 10 h of clean speech are enough.",
    )


def _speakers(speech: Material) -> Check:
    seen = (
        f"{speech.speakers} speaker{'s' * (speech.speakers != 1)} in {speech.recordings} recording"
    )
    seen += "s" * (speech.recordings != 1)
    if speech.others:
        seen += f"; another voice seems to speak in {speech.others} clips"
    if speech.speakers >= MANY_SPEAKERS:
        return Check("Dataset", "speakers", "ok", seen)
    return Check(
        "Dataset",
        "speakers",
        "warning",
        seen,
        "A pretrain needs many voices, of every age and pitch; one of few speakers makes others "
        "sound like these. A project here has one name for all who speak, so the rest is up to you.",
        f"Take recordings of {MANY_SPEAKERS} people and more (the number is ours).",
    )


def _variety(speech: Material) -> Check:
    missing = [name for name, seconds in speech.qualities.items() if not seconds]
    seen = ", ".join(
        f"{name} {seconds / max(speech.seconds, 0.001):.0%}"
        for name, seconds in speech.qualities.items()
    )
    seen = f"quality by noise and bandwidth: {seen}"
    if not missing:
        return Check("Dataset", "variety", "ok", seen)
    return Check(
        "Dataset",
        "variety",
        "warning",
        seen,
        "Trained from scratch, it must meet all that it shall later deal with: speech of low, mid "
        "and high quality.",
        f"Add speech of {' and '.join(missing)} quality: phones and cheap microphones for low, "
        "studios for high. Low does not mean steady noise, which it would learn to speak.",
    )


def _cleanness(speech: Material) -> Check:
    share = speech.unclean / max(speech.seconds, 0.001)
    seen = f"{share:.0%} of the speech is noisy, dull or clipped, or was never measured"
    if share <= MOST_UNCLEAN:
        return Check("Dataset", "clean speech", "ok", seen)
    return Check(
        "Dataset",
        "clean speech",
        "warning",
        seen,
        "A finetune is as good as what it hears last; only clean speech counts towards its hours.",
        "Leave the worst recordings out; 'voicetui prepare' lists what is wrong with them.",
    )


def _noise(speech: Material) -> Check:
    if speech.snr is None:
        return Check("Dataset", "noise", "warning", "never measured", "", _PREPARE)
    share = speech.noisy / max(speech.seconds, 0.001)
    seen = (
        f"{speech.snr:.0f} dB between voice and noise; {share:.0%} of the speech has less than "
        f"{speech.least_snr:.0f} dB"
    )
    if share <= MOST_UNCLEAN:
        return Check("Dataset", "noise", "ok", seen)
    return Check(
        "Dataset",
        "noise",
        "warning",
        seen,
        "A pretrain that was trained with noise adds it to every voice that is trained on it.",
        "Leave noisy recordings out, or reduce their noise gently before.",
    )


def _bandwidth(speech: Material) -> Check:
    share = speech.narrow / max(speech.seconds, 0.001)
    rates = ", ".join(f"{rate:,} Hz" for rate in speech.rates) or "unknown rates"
    seen = f"recorded at {rates}; {share:.0%} of the speech ends below {speech.wide_hertz:,.0f} Hz"
    slow = [rate for rate in speech.rates if rate < LEAST_RATE]
    if share <= MOST_UNCLEAN and speech.rates and not slow:
        return Check("Dataset", "bandwidth", "ok", seen)
    return Check(
        "Dataset",
        "bandwidth",
        "warning",
        seen,
        "Pretrains are for 32, 40 or 48 kHz. What was not recorded up there cannot be learned, and "
        "the clips here are kept at 22,050 Hz for XTTS.",
        "Train in Applio or RVC from the original recordings, and take those of 32,000 Hz and more.",
    )


def _faults(speech: Material) -> Iterable[Check]:
    """The faults that were looked for in some clips."""
    for results in speech.faults.values():
        name = results[0].name
        bad = [each for each in results if each.found]
        known = [each for each in results if each.found is not None]
        if not known:
            yield Check("Dataset", name, "warning", results[0].seen, "", _BETTER_SAMPLE)
            continue
        if not bad:
            seen = f"not in {len(known)} clips, of {len(results)} listened to"
            yield Check("Dataset", name, "ok", seen)
            continue
        worst = bad[0]
        yield Check(
            "Dataset",
            name,
            "warning",
            f"in {len(bad)} of {len(known)} clips: {worst.seen}",
            worst.means,
            worst.remedy,
        )


# --- samples and the machine --------------------------------------------------------------------


def _of_sample(path: Path, check: Callable[[], None]) -> Iterable[Check]:
    from engine.audio import artefacts

    group = clean(path.name)
    for each in artefacts.of_file(path, check):
        if each.found:
            yield Check(group, each.name, "warning", each.seen, each.means, each.remedy)
        elif each.found is None:
            yield Check(group, each.name, "warning", each.seen, "", _BETTER_SAMPLE)
        else:
            yield Check(group, each.name, "ok", each.seen)


def of_batch(size: int | None) -> Check:
    """What a batch size does in the training of RVC."""
    if size is None:
        return Check(
            "Training",
            "batch size",
            "ok",
            f"over {SMALL_BATCH} and under {LARGE_BATCH}; 8 is usual. --batch-size N judges yours",
        )
    if size <= SMALL_BATCH:
        return Check(
            "Training",
            "batch size",
            "warning",
            f"{size}: {SMALL_BATCH} and below miss the variety of the sound",
            "Low batches take less memory, generalise better and overtrain later; they are slower "
            "and their steps less steady.",
            "Take 8, as far as the card's memory allows.",
        )
    if size >= LARGE_BATCH:
        return Check(
            "Training",
            "batch size",
            "warning",
            f"{size}: {LARGE_BATCH} and above smooth the variety of the sound away",
            "High batches are faster, their steps steadier and they may converge better; they take "
            "more memory and overtrain on a small dataset.",
            "Take 8 to 12.",
        )
    return Check(
        "Training",
        "batch size",
        "ok",
        f"{size}, between what misses variety ({SMALL_BATCH} and below) and what smooths it "
        f"({LARGE_BATCH} and above)",
    )


def of_cards(cards: Sequence[str]) -> Check:
    """How fast the best of these cards is for it."""
    slow = "Tens of hours of speech take very long to train without a fast card."
    remedy = (
        f"Rent a card of the tiers {', '.join(_FAST_TIERS)}, such as an A100, L40S or RTX 4090."
    )
    if not cards:
        return Check("Training", "GPU", "warning", "no NVIDIA card answers here", slow, remedy)
    tiers = [(tier.name, card, tier) for card in cards if (tier := tier_of(card)) is not None]
    if not tiers:
        listed = ", ".join(clean(card) for card in cards)
        return Check("Training", "GPU", "ok", f"{listed}, not in the tier list")
    # S comes before A.
    name, card, tier = min(tiers, key=lambda each: "SABCD".index(each[0]))
    seen = f"{clean(card)}, {tier}"
    if name in _FAST_TIERS:
        return Check("Training", "GPU", "ok", seen)
    return Check("Training", "GPU", "warning", seen, slow, remedy)


_BETTER_SAMPLE = (
    "Give a sample of 5 s and more, at 22,050 Hz and more, with pauses and a voice that goes up and "
    "down."
)
_PREPARE = "Run 'voicetui prepare' again, with a version that measures it."


def _time(seconds: float) -> str:
    return f"{seconds / 3600:.1f} h" if seconds >= 3600 else f"{seconds / 60:.0f} min"
