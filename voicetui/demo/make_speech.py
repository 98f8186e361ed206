"""Make the demo's recordings again from their texts: `python -m voicetui.demo.make_speech`.

Needs Debian's `flite`, whose voice slt speaks them; nothing at install or in the tests does. Each
`speech/<stem>.txt` holds one sentence a line, and a blank line between paragraphs. The sentences
are spoken one by one, freed of the silence around them, and joined with pauses of a length that a
reader would leave; the lengths depend on the stem only, so the audio is the same each time.
"""

from __future__ import annotations

import argparse
import random
import subprocess
import tempfile
from pathlib import Path

import numpy as np
import soundfile
from numpy.typing import NDArray

from engine.files import atomic_path

SPEECH = Path(__file__).parent / "speech"
VOICE = "slt"
SENTENCE_PAUSE = (0.3, 0.9)  # seconds
PARAGRAPH_PAUSE = 1.2
SILENCE = 0.005  # of full scale
# One container and codec a recording, as a person's folder would hold them.
FORMATS: dict[str, tuple[str, str]] = {
    "lighthouse": ("flac", "PCM_16"),
    "market": ("mp3", "MPEG_LAYER_III"),
    "journey": ("ogg", "OPUS"),
}


def speak(sentence: str, voice: str) -> tuple[NDArray[np.float32], int]:
    """One sentence in flite's voice: samples (n,) in -1..1 without outer silence, and their rate."""
    with tempfile.TemporaryDirectory() as folder:
        wav = Path(folder) / "sentence.wav"
        subprocess.run(["flite", "-voice", voice, "-t", sentence, "-o", wav], check=True)
        samples, rate = soundfile.read(wav, dtype="float32")
    loud = np.flatnonzero(np.abs(samples) > SILENCE)
    margin = rate // 50
    return samples[max(0, loud[0] - margin) : loud[-1] + margin], rate


def read_aloud(text: str, voice: str, seed: str) -> tuple[NDArray[np.float32], int]:
    """A whole text with its pauses: samples (n,) in -1..1, and their rate."""
    lengths = random.Random(seed)
    pieces: list[NDArray[np.float32]] = []
    rate, pause = 0, 0.5
    for line in [*text.splitlines(), ""]:
        if line:
            samples, rate = speak(line, voice)
            pieces += [np.zeros(round(pause * rate), np.float32), samples]
            pause = lengths.uniform(*SENTENCE_PAUSE)
        else:
            pause = PARAGRAPH_PAUSE
    pieces.append(np.zeros(round(0.5 * rate), np.float32))
    return np.concatenate(pieces), rate


def main() -> None:
    parser = argparse.ArgumentParser(description="Make the demo's recordings from their texts.")
    parser.add_argument("--voice", default=VOICE, help="a voice of flite (see flite -lv)")
    parser.add_argument("--out", type=Path, default=SPEECH, help="folder for the recordings")
    options = parser.parse_args()
    for stem, (container, codec) in FORMATS.items():
        text = (SPEECH / f"{stem}.txt").read_text(encoding="utf-8")
        samples, rate = read_aloud(text, options.voice, stem)
        path = options.out / f"{stem}.{container}"
        with atomic_path(path) as temporary:
            soundfile.write(temporary, samples, rate, format=container.upper(), subtype=codec)
        size = path.stat().st_size / 1e6
        print(f"{path.name}: {len(samples) / rate:.1f} s, {rate} Hz, {size:.2f} MB")


if __name__ == "__main__":
    main()
