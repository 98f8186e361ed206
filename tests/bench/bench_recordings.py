"""The recordings that preparation is measured on, with their words and times beside them."""

from __future__ import annotations

import json
import random
import zlib
from dataclasses import dataclass
from pathlib import Path

import av
import numpy as np
import soundfile
from bench_speech import Said, Samples, speak

import voicetui.demo
from engine.audio.resample import resample

_TEXTS = (Path(voicetui.demo.__file__).parent / "speech", Path(__file__).parent / "texts")
# Seconds between two sentences: even on a logarithmic scale; some are longer.
_PAUSE = (0.12, 1.5)
_LONG_PAUSE = (1.6, 4.0)
_LONG_SHARE = 0.06
# The air of a quiet room, in dB of full scale.
_ROOM_DB = -66.0
# How strong the multiples of mains hum are.
_OVERTONES = {1: 1.0, 2: 0.5, 3: 0.3}


@dataclass(frozen=True)
class Recipe:
    """One recording: whose voice, which texts, what file.

    `noise` is dB under the speech, `hum` the level of 50 Hz and its overtones in dB of full scale.
    """

    name: str
    voice: str
    texts: tuple[str, ...]
    rate: int
    channels: int = 1
    codec: str = ""
    noise: float = 0.0
    hum: float = 0.0


RECIPES = (
    Recipe("attic.wav", "slt", ("lighthouse", "talk"), 48_000, channels=2),
    Recipe("bridge.mp3", "rms", ("market", "journey"), 44_100, codec="libmp3lame"),
    Recipe("cellar.flac", "awb", ("lighthouse", "market"), 16_000, noise=20.0),
    Recipe("door.ogg", "espeak", ("journey", "talk"), 22_050),
    Recipe("eaves.m4a", "slt", ("journey", "market"), 44_100, codec="aac"),
    Recipe("floor.wav", "rms", ("garden",), 22_050),
    Recipe("gate.flac", "awb", ("talk", "journey"), 24_000, hum=-40.0),
)


@dataclass(frozen=True)
class Known:
    """A recording and what is said in it."""

    path: Path
    seconds: float
    words: list[Said]


def make(folder: Path) -> None:
    """Write the recordings that are not there yet."""
    folder.mkdir(parents=True, exist_ok=True)
    for recipe in RECIPES:
        notes = folder / f"{recipe.name}.json"
        if notes.exists():
            continue
        samples, rate, words = _read_aloud(recipe)
        samples = resample(samples, rate, recipe.rate)
        _write(folder / recipe.name, samples, recipe)
        known = {"seconds": len(samples) / recipe.rate, "words": words}
        notes.write_text(json.dumps(known), "utf-8")


def known(folder: Path) -> list[Known]:
    """The recordings in a folder, in the order of their names."""
    found = []
    for recipe in RECIPES:
        notes = json.loads((folder / f"{recipe.name}.json").read_text("utf-8"))
        words = [Said(*word) for word in notes["words"]]
        found.append(Known(folder / recipe.name, notes["seconds"], words))
    return found


def _read_aloud(recipe: Recipe) -> tuple[Samples, int, list[Said]]:
    choose = random.Random(recipe.name)
    texts = [(_folder(name) / f"{name}.txt").read_text("utf-8") for name in recipe.texts]
    pieces: list[Samples] = []
    words: list[Said] = []
    rate = done = 0
    for line in filter(None, "\n".join(texts).splitlines()):
        samples, rate, said = speak(line, recipe.voice)
        pause = np.zeros(round(_pause(choose) * rate), np.float32)
        at = (done + len(pause)) / rate
        words += [Said(w.text, round(w.start + at, 4), round(w.end + at, 4)) for w in said]
        pieces += [pause, samples]
        done += len(pause) + len(samples)
    pieces.append(np.zeros(rate, np.float32))
    speech = np.concatenate(pieces)
    speech *= 0.5 / np.abs(speech).max()
    noise = _noise(len(speech), speech, recipe) + _hum(len(speech), rate, recipe.hum)
    return speech + noise, rate, words


def _folder(text: str) -> Path:
    return next(folder for folder in _TEXTS if (folder / f"{text}.txt").exists())


def _pause(choose: random.Random) -> float:
    if choose.random() < _LONG_SHARE:
        return choose.uniform(*_LONG_PAUSE)
    return float(np.exp(choose.uniform(*np.log(_PAUSE))))


def _noise(count: int, speech: Samples, recipe: Recipe) -> Samples:
    """A room, or noise that falls by 3 dB an octave."""
    dice = np.random.default_rng(zlib.crc32(recipe.name.encode()))
    white = dice.standard_normal(count)
    if not recipe.noise:
        return (white * 10 ** (_ROOM_DB / 20)).astype(np.float32)
    spectrum = np.fft.rfft(white)
    pink = np.fft.irfft(spectrum / np.sqrt(np.maximum(1, np.arange(len(spectrum)))), count)
    loud = speech[np.abs(speech) > 0.01]
    wanted = np.sqrt(np.mean(loud**2)) * 10 ** (-recipe.noise / 20)
    return (pink * wanted / pink.std()).astype(np.float32)


def _hum(count: int, rate: int, level: float) -> Samples:
    if not level:
        return np.zeros(count, np.float32)
    time = np.arange(count) / rate
    tones = sum(share * np.sin(2 * np.pi * 50 * n * time) for n, share in _OVERTONES.items())
    return (tones * np.sqrt(2) * 10 ** (level / 20)).astype(np.float32)


def _write(path: Path, samples: Samples, recipe: Recipe) -> None:
    if not recipe.codec:
        channels = np.stack([samples] * recipe.channels, axis=1)
        with soundfile.SoundFile(path, "w", recipe.rate, recipe.channels) as file:
            # libsndfile's Vorbis encoder crashes on much at once.
            for start in range(0, len(channels), recipe.rate):
                file.write(channels[start : start + recipe.rate])
        return
    with av.open(str(path), "w") as container:
        stream = container.add_stream(recipe.codec, rate=recipe.rate, layout="mono")
        stream.bit_rate = 128_000
        frame = av.AudioFrame.from_ndarray(samples[None, :], "fltp", "mono")
        frame.sample_rate = recipe.rate
        frame.pts = 0
        container.mux(stream.encode(frame))
        container.mux(stream.encode())
