"""What a waveform shows: the reach and the level of each of its columns."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from engine.errors import DatasetError
from engine.text import clean


@dataclass(frozen=True)
class Waveform:
    """A wav in columns. `low` and `high` are samples from -1 to 1, `levels` RMS in dB of each.

    `rms_db` and `peak_db` are those of the whole; silence is `engine.audio.level.SILENCE_DB`.
    """

    seconds: float
    low: tuple[float, ...]
    high: tuple[float, ...]
    levels: tuple[float, ...]
    rms_db: float
    peak_db: float


def waveform(path: Path, columns: int) -> Waveform:
    """The waveform of a wav in so many columns, read column by column. Raises DatasetError.

    A wav of fewer samples than columns repeats them.
    """
    import numpy as np
    import soundfile

    from engine.audio.level import peak_db, rms_db

    low, high, levels = [], [], []
    power = count = 0.0
    try:
        with soundfile.SoundFile(path) as sound:
            frames, rate = sound.frames, sound.samplerate
            for column in range(columns if frames else 0):
                first, last = (frames * place // columns for place in (column, column + 1))
                if sound.tell() != first:
                    sound.seek(first)
                block = sound.read(max(1, last - first), dtype="float32", always_2d=True)
                samples = block.mean(axis=1)
                low.append(float(samples.min()))
                high.append(float(samples.max()))
                levels.append(rms_db(samples))
                power += float(np.square(samples, dtype=np.float64).sum())
                count += len(samples)
    except (soundfile.LibsndfileError, OSError) as error:
        raise DatasetError(
            f"{clean(str(path))} cannot be read ({clean(str(error))}). "
            "Run 'voicetui prepare' again; it is made anew from the recording."
        ) from error
    return Waveform(
        frames / rate,
        tuple(low),
        tuple(high),
        tuple(levels),
        rms_db(np.asarray([(power / max(count, 1.0)) ** 0.5], np.float32)),
        peak_db(np.asarray([*low, *high], np.float32)),
    )
