"""A made world for pictures: recordings, clips, a training and a machine, the same each time."""

from __future__ import annotations

import functools
import math
import random
import struct
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np

from engine import events
from engine.audio import wav
from engine.audio.quality import RecordingQuality
from engine.dataset import accounting, summary
from engine.dataset.accounting import Recording
from engine.dataset.clips import RATE, Clip, SourceRef, Word
from engine.dataset.cutting import CutSource
from engine.dataset.pieces import Pieces
from engine.dataset.sources import Source
from engine.dataset.statistics import statistics_of
from engine.events import Event
from engine.hardware import Disk, Gpu, Memory, Reading
from engine.nvml import Gpu as Card

# 21 September 2026, 14:13:20 UTC.
NOW = 1_790_000_000.0
GB = 1_000_000_000
RECORDINGS = {
    "interview.wav": 744,
    "letters 1924.wav": 534,
    "morning walk.wav": 402,
    "questions.wav": 318,
}

# --- recordings and clips -------------------------------------------------------------------------

_WHO = (
    "The ferryman", "My grandmother", "Our neighbour", "The night nurse", "A tall stranger",
    "The baker's son", "Nobody", "The old captain", "Her youngest sister", "The gardener",
)  # fmt: skip
_DID = (
    "mended the blue lantern", "counted the boats twice", "asked about the weather",
    "left the window open", "kept a letter in the drawer", "carried two buckets uphill",
    "remembered the song", "waited for the last train", "painted the kitchen door",
    "walked the dog in the rain",
)  # fmt: skip
_WHEN = (
    "before the fog came in.", "and nobody noticed.", "on the way to the harbour.",
    "late in September.", "while the kettle sang.", "as the bells rang seven.",
    "without a word.", "when the lights went out.", "for the third time that week.",
    "and laughed about it.",
)  # fmt: skip


def recording(path: Path, seconds: float, rate: int = 48_000) -> None:
    """A silent wav of any length that takes no room on the disk."""
    data = round(seconds * rate) * 2
    path.parent.mkdir(parents=True, exist_ok=True)
    head = struct.pack("<4sI4s4sIHHIIHH", b"RIFF", 36 + data, b"WAVE", b"fmt ", 16, 1, 1, rate,
                       2 * rate, 2, 16)  # fmt: skip
    with path.open("wb") as file:
        file.write(head + struct.pack("<4sI", b"data", data))
        file.truncate(44 + data)


def sentences(dice: random.Random) -> Iterator[str]:
    """Sentences without end."""
    while True:
        yield f"{dice.choice(_WHO)} {dice.choice(_DID)} {dice.choice(_WHEN)}"


@functools.cache
def spoken_clips(count: int = 290) -> Sequence[Clip]:
    """Clips of the four recordings; some suspect, some dropped."""
    dice = random.Random(11)
    told = sentences(dice)
    names = list(RECORDINGS)
    made: list[Clip] = []
    start = 0.8
    for number in range(count):
        place = number * len(names) // count
        if number and place != (number - 1) * len(names) // count:
            start = 0.8
        clip = _clip(number, names[place], place, start, next(told), dice)
        start = clip.end + dice.uniform(0.4, 2.0)
        made.append(clip)
    return tuple(made)


def kept_clips() -> list[Clip]:
    return [clip for clip in spoken_clips() if clip.state != "dropped"]


def seconds_of(clips: Iterable[Clip]) -> float:
    return sum(clip.end - clip.start for clip in clips)


def _clip(number: int, name: str, place: int, start: float, text: str, dice: random.Random) -> Clip:
    doubtful = number % 19 == 7
    words: list[Word] = []
    at = start + 0.12
    for word in text.split():
        length = 0.10 + 0.055 * len(word) + dice.uniform(0, 0.06)
        sure = dice.uniform(0.35, 0.8) if doubtful and dice.random() < 0.4 else dice.uniform(0.9, 1)
        words.append(Word(f" {word}", round(at, 3), round(at + length, 3), round(sure, 3)))
        at += length + (0.32 if dice.random() < 0.12 else dice.uniform(0.02, 0.09))
    reason = {31: "low_confidence", 57: "no_words", 83: "too_short", 109: "between_splits"}.get(
        number, "low_confidence" if number % 29 == 17 else ""
    )
    state = "dropped" if reason else "suspect" if doubtful else "kept"
    if state == "suspect":
        reason = "other_speaker" if number % 3 == 0 else "disagreement"
    lost = state == "dropped"
    more = random.Random(number)
    confidence = sum(word.probability for word in words) / len(words)
    heard_again = doubtful or number % 17 == 3
    second = text.replace("the ", "a ", 1) if heard_again else None
    agreement = dice.uniform(0.62, 0.9) if heard_again and second != text else 1.0
    return Clip(
        id=f"{place + 1:012x}-{round(start * 1000):08d}",
        source=SourceRef(f"recordings/{name}", f"{place + 1:064x}"),
        start=round(start, 3),
        end=round(at + 0.15, 3),
        wav="" if lost else f"wavs/{Path(name).stem}_{number:08d}.wav",
        text="" if reason == "no_words" else text,
        text_second=second,
        agreement=round(agreement, 3) if heard_again else None,
        words=() if reason == "no_words" else tuple(words),
        language="en",
        speaker="Anna",
        split="" if lost else "eval" if number % 8 == 2 else "train",
        state=state,  # type: ignore[arg-type]
        reason=reason,
        scores={
            "confidence": round(confidence - (0.15 if doubtful else 0.0), 3),
            "tokens": float(round(len(text) * 0.45)),
            "logprob": round(-0.12 - dice.uniform(0, 0.2) - (0.4 if doubtful else 0), 3),
            "snr": round(dice.gauss(27, 3), 1),
            "level": round(dice.gauss(-21, 1.4), 1),
            "clipping": round(max(0.0, more.gauss(-0.001, 0.001)), 5),
            "bandwidth": round(more.gauss(9800, 300)),
            "speaker": round(more.uniform(0.42, 0.55) if doubtful else more.gauss(0.21, 0.03), 3),
        },
        edited=("text",) if number in (20, 46) else (),
    )


def write_speech(path: Path, clip: Clip) -> None:
    """A wav that looks like the words of a clip: syllables that swell and fade, and breath."""
    count = round(clip.end * RATE) - round(clip.start * RATE)
    times = np.arange(count) / RATE
    voice = np.sin(2 * np.pi * 170 * times) + 0.4 * np.sin(2 * np.pi * 611 * times)
    samples = 0.003 * voice
    for number, word in enumerate(clip.words):
        syllables = max(1, len(word.text) // 3)
        step = (word.end - word.start) / syllables
        for syllable in range(syllables):
            begin = word.start - clip.start + syllable * step
            inside = (times >= begin) & (times < begin + step)
            swell = np.sin(np.pi * (times[inside] - begin) / step) ** 3
            loud = (0.34, 0.09, 0.21, 0.05, 0.27)[(number + 2 * syllable) % 5]
            samples[inside] += loud * swell * voice[inside]
    wav.write(path, samples.astype(np.float32), RATE)


def recordings() -> list[Recording]:
    """What became of the time of the recordings, and how they sound."""
    quality = RecordingQuality(
        rate=48_000, channels=1, format="wav pcm_16", seconds=0.0, loudness=-21.4, peak=-3.1,
        clipping=0.0001, snr=38.0, noise=-62.1, bandwidth=9_900.0, hum=0, hum_db=None,
        hiss_db=-48.0, decay=0.28, music=0.0, silence=0.21,
    )  # fmt: skip
    sounds = [
        replace(quality, decay=0.62, snr=24.0),
        replace(quality, bandwidth=3_900.0, loudness=-27.9, format="mp3", rate=8_000),
        quality,
        replace(quality, hum=50, hum_db=-41.0, channels=2),
    ]
    made = []
    for place, (name, seconds) in enumerate(RECORDINGS.items()):
        own = [clip for clip in spoken_clips() if clip.source.path.endswith(name)]
        cut = CutSource(
            max(float(seconds), own[-1].end + 1.5), seconds * 0.8, tuple(own), Counter(),
            pieces=Pieces(len(own) + 40, len(own), 31, ((12.0, 0.64, 1.0),), 1, 0),
            quality=sounds[place],
        )  # fmt: skip
        source = Source(Path(name), f"recordings/{name}", f"{place + 1:064x}")
        made.append(accounting.used(source, cut))
    lost = "recordings/phone call.amr"
    made.append(Recording(lost, "", "failed", message=f"{lost} cannot be decoded: it is cut off."))
    return accounting.accounted(made, spoken_clips())


@functools.cache
def prepared_totals() -> dict[str, Any]:
    """The totals of the dataset, with what to fix first."""
    listed = recordings()
    found = statistics_of(spoken_clips(), listed)
    totals = summary.summarise(spoken_clips(), listed, speech_seconds=0.0, unknown={}, orphans=0)
    return totals | summary.of_statistics(found)


# --- a preparation --------------------------------------------------------------------------------


def preparation(*, ended: bool) -> list[tuple[float, Event]]:
    """The events of a preparation with the seconds at which they happen."""
    told: list[tuple[float, Event]] = [
        (0, events.Started("prepare", 1, "0")),
        (0.2, events.Stage("find", 5, "recordings")),
        (0.4, events.Stage("recordings", 5, "recordings")),
        (1.0, events.AsrModel("large-v3", "", "cuda", "float16", "the best one here")),
        (1.2, events.Progress("recordings", 0, 5, "recordings", "recordings/interview.wav")),
    ]
    for place, (name, seconds) in enumerate(RECORDINGS.items()):
        source = f"recordings/{name}"
        clips = [clip for clip in spoken_clips() if clip.source.path == source]
        lost = [clip for clip in clips if clip.state == "dropped"]
        if not ended and place == 3:
            told += [
                (150, events.Progress("recordings", 4, 5, "recordings", source)),
                (166, events.Progress("transcribe", 151.0, seconds, "s", source)),
            ]
            return told
        at = 48.0 * (place + 1)
        told += [
            (at, events.ClipDropped(clip.id, source, clip.start, clip.end, clip.reason))
            for clip in lost
        ]
        counts = len(clips) - len(lost), len(lost)
        told.append((at, events.SourcePrepared(source, seconds, seconds * 0.8, *counts, False)))
        if place == 1:
            why = "recordings/phone call.amr cannot be decoded: it is cut off. Copy it again."
            told.append((at, events.SourceFailed("recordings/phone call.amr", why)))
    told += [
        (190, events.Stage("dataset")),
        (191, events.Warned(
            "unknown_characters",
            "The base's vocabulary does not know: ½",
            "Clips whose text holds one of them are dropped, since it could not be learned.",
            "Take a base that knows the language, or recordings without such words.",
        )),
        (192, events.DatasetWritten(prepared_totals())),
        (192.5, events.Finished({})),
    ]  # fmt: skip
    return told


# --- a training -----------------------------------------------------------------------------------

EPOCHS, STEPS = 15, 60
_STEP_SECONDS = 2.1
_FALLING = (3.912, 3.541, 3.318, 3.164, 3.061, 2.984, 2.921, 2.886, 2.858,
            2.839, 2.827, 2.820, 2.816, 2.812, 2.809)  # fmt: skip
_OVERTRAINED = (3.912, 3.541, 3.318, 3.164, 3.061, 2.984, 2.931, 2.906, 2.898,
                2.911, 2.934, 2.962, 2.991, 3.016, 3.048)  # fmt: skip
NOT_FINITE = events.Warned(
    "not_finite",
    "Step 213 gave a loss or gradient that is not a number (clips 000000000002-00412270).",
    "The step was thrown away; the weights did not change.",
    "Look at these clips. If it goes on, lower training.learning_rate.",
)


def training(
    epochs: float, *, overtrained: bool = False, seed: int = 5
) -> list[tuple[float, Event]]:
    """The events of so many of 15 epochs, with the seconds at which they happen."""
    dice = random.Random(seed)
    losses = _OVERTRAINED if overtrained else _FALLING
    planned = EPOCHS * STEPS
    told: list[tuple[float, Event]] = [
        (0, events.Started("train", 1, "0")),
        (4, events.Device("cuda:0", "NVIDIA GeForce RTX 4090", 25 * GB, 23 * GB, "12.8", "bf16")),
        (9, events.Parameters(441_000_000, 78_000_000)),
        (10, events.Stage("training")),
    ]
    train, held_out = (
        [clip for clip in kept_clips() if clip.split == split] for split in ("train", "eval")
    )
    samples = len(train), len(held_out), seconds_of(train), seconds_of(held_out)
    told.insert(2, (6, events.Samples(*samples)))
    best = math.inf
    for number in range(1, round(epochs * STEPS) + 1):
        at = 12 + number * _STEP_SECONDS
        epoch = 1 + (number - 1) // STEPS
        if number % STEPS == 1:
            told.append((at, events.Epoch(epoch, EPOCHS, STEPS)))
        if number == 213:
            told.append((at, NOT_FINITE))
        told.append((at, _step(number, epoch, planned, dice)))
        if number % STEPS == 0:
            loss = losses[epoch - 1]
            is_best, best = loss < best, min(best, loss)
            text = 0.0312 - 0.0004 * epoch
            told += [
                (at, events.Evaluated(number, epoch, loss, text, loss - text, text * 100,
                                      loss - text, is_best, 3.4)),
                (at, events.Saved(number, epoch, f"step-{number:06d}", 5_320_000_000, 7.9,
                                  is_best)),
            ]  # fmt: skip
    return told


def _step(number: int, epoch: int, planned: int, dice: random.Random) -> events.Step:
    loss = 2.58 + 1.75 * math.exp(-number / 170) + dice.gauss(0, 0.10)
    if number > 100 and dice.random() < 0.012:
        loss += dice.uniform(0.3, 0.8)
    done = number / planned
    text = 0.0305 - 0.008 * done + dice.gauss(0, 0.0005)
    seconds = _STEP_SECONDS + dice.gauss(0, 0.05)
    return events.Step(
        number, planned, epoch, EPOCHS, loss, text, loss - text, text * 100, loss - text,
        5e-6 * (0.05 + 0.95 * 0.5 * (1 + math.cos(math.pi * done))), 1.1 + dice.gauss(0, 0.15), 4,
        21.0 + dice.gauss(0, 1), seconds, 0.02, (planned - number) * _STEP_SECONDS, 18.2 * GB,
    )  # fmt: skip


# --- a machine ------------------------------------------------------------------------------------


def reading(*, busy: bool, at: float = NOW, wobble: float = 0.0) -> Reading:
    """A machine with one card; `wobble` from -1 to 1 makes readings differ."""
    card: Card = Gpu(
        0,
        "NVIDIA GeForce RTX 4090",
        load=round(94 + 4 * wobble) if busy else 0,
        memory_used=round((19.4 + 0.9 * wobble if busy else 1.2) * GB),
        memory_total=25_757_220_864,
        temperature=67 if busy else 38,
        power=372 + 20 * wobble if busy else 21.0,
        power_limit=450.0,
        has_bf16=True,
    )
    ram = Memory(67_200_000_000, 50_100_000_000 if busy else 61_300_000_000)
    cpu = 23 + 9 * wobble if busy else 2.0
    return Reading(at, (card,), cpu, 11.0, ram, GB, Disk(182 * GB, 512 * GB), 0, 0)


def readings(count: int = 60) -> Sequence[Reading]:
    """The last readings of a busy machine, oldest first."""
    dice = random.Random(3)
    return [
        reading(busy=True, at=NOW - count + 1 + number, wobble=dice.uniform(-1, 1))
        for number in range(count)
    ]
