"""Made audio, and files of the formats that soundfile does not write."""

from __future__ import annotations

from fractions import Fraction
from pathlib import Path

import av
import numpy as np
from numpy.typing import NDArray

Samples = NDArray[np.float32]


def tone(seconds: float, rate: int, hertz: float = 440.0, level: float = 0.5) -> Samples:
    """A sine of shape (n,)."""
    time = np.arange(round(seconds * rate)) / rate
    return (level * np.sin(2 * np.pi * hertz * time)).astype(np.float32)


def encode(
    path: Path,
    samples: Samples,
    rate: int,
    codec: str,
    *,
    picture: bool = False,
    sound: bool = True,
    bit_rate: int = 128_000,
) -> None:
    """Write samples with FFmpeg; the ending of the path chooses the container."""
    with av.open(str(path), "w") as container:
        stream = container.add_stream(codec, rate=rate, layout="mono") if sound else None
        if stream is not None:
            stream.bit_rate = bit_rate
        if picture:
            video = container.add_stream("mpeg4", rate=10)
            video.width, video.height, video.pix_fmt = 32, 32, "yuv420p"
            for number in range(5):
                image = av.VideoFrame.from_ndarray(np.zeros((32, 32, 3), np.uint8), "rgb24")
                image.pts, image.time_base = number, Fraction(1, 10)
                container.mux(video.encode(image))
            container.mux(video.encode())
        if stream is not None:
            frame = av.AudioFrame.from_ndarray(samples[None, :], "fltp", "mono")
            frame.sample_rate = rate
            container.mux(stream.encode(frame))
            container.mux(stream.encode())
