"""Recordings of the usual formats as blocks of mono samples, one block in memory at a time.

soundfile reads what libsndfile knows (wav, flac, ogg, opus); PyAV, which carries its own FFmpeg,
reads the rest (mp3, m4a, aac, webm, mp4). Only regular files are opened, and FFmpeg only gets
the open file and a list of container formats, so that a playlist in disguise reaches no other file.
"""

from __future__ import annotations

import contextlib
import errno
import io
import os
import stat
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from engine.audio.headers import has_length_tag, missing_bytes
from engine.errors import SourceError
from engine.text import clean

Samples = NDArray[np.float32]

SUFFIXES = frozenset((".wav", ".flac", ".mp3", ".ogg", ".opus", ".m4a", ".aac", ".webm", ".mp4"))
# Telephones give 8,000 Hz; lower or higher rates than these come from broken headers.
MIN_RATE, MAX_RATE = 4_000, 768_000
_BLOCK_SECONDS = 4
_PARDONED_FRAMES = 10
# What may lie behind the sound of a FLAC: tags, and what the decoder has read ahead.
_MOST_TAGS = 1 << 16
_CONTAINERS = "aac,aiff,asf,caf,flac,matroska,webm,mov,mp4,mp3,ogg,wav,w64"
_CONVERT = "Convert it again from the original recording, or remove it from the sources."


@dataclass(frozen=True)
class Format:
    """How a recording is stored: `rate` in Hz, `name` as in "wav pcm_16", "mp3" or "aac in mp4"."""

    rate: int
    channels: int
    name: str


@dataclass(frozen=True)
class Stream:
    """An open recording: `seconds` as its header says (0: unknown).

    `blocks` yields float32 arrays of shape (n,), the mean of all channels, and raises SourceError.
    """

    format: Format
    seconds: float
    blocks: Iterator[Samples]

    @property
    def rate(self) -> int:
        return self.format.rate


def _bad(path: Path, what: str, remedy: str = _CONVERT) -> SourceError:
    return SourceError(f"{clean(str(path))} {what}. {remedy}")


def cannot_read(path: Path, error: OSError) -> str:
    """What is said of a file or folder that cannot be opened."""
    remedy = "Check that it is there and that you may read it."
    if error.errno == errno.ELOOP:
        remedy = "It is a link that leads back to itself; remove it."
    reason = clean(error.strerror or type(error).__name__)
    return f"{clean(str(path))} cannot be read ({reason}). {remedy}"


@contextlib.contextmanager
def regular_file(path: Path) -> Iterator[io.FileIO]:
    """Open a file that holds something. Raises SourceError for anything else."""
    try:
        # Without O_NONBLOCK the opening of a named pipe would wait for its writer.
        descriptor = os.open(path, os.O_RDONLY | os.O_NONBLOCK | os.O_CLOEXEC)
    except OSError as error:
        raise SourceError(cannot_read(path, error)) from error
    try:
        status = os.fstat(descriptor)
        if stat.S_ISDIR(status.st_mode):
            raise _bad(path, "is a folder, not a recording", "Rename it, or give the files in it.")
        if not stat.S_ISREG(status.st_mode):
            raise _bad(path, "is not a regular file", "Give a recording instead.")
        if status.st_size == 0:
            raise _bad(path, "is empty (0 bytes)", "Copy it again, or remove it from the sources.")
        # Unbuffered, so that libsndfile, which gets the descriptor, starts where we left off.
        with open(descriptor, "rb", buffering=0, closefd=False) as handle:
            yield handle
    finally:
        os.close(descriptor)


@contextlib.contextmanager
def open_stream(path: Path) -> Iterator[Stream]:
    """Open a recording. Raises SourceError, which names the file and the remedy."""
    with regular_file(path) as handle, contextlib.ExitStack() as stack:
        missing = missing_bytes(handle)
        if missing:
            raise _bad(
                path,
                f"is cut off: its header promises {missing:,} bytes more than there are",
                "Copy it again from where it came from, or remove it from the sources.",
            )
        # libsndfile's mp3 decoder writes its complaints to the terminal.
        plain = path.suffix.lower() != ".mp3"
        stream = _with_soundfile(path, handle, stack) if plain else None
        stream = stream or _with_ffmpeg(path, handle, stack)
        if not MIN_RATE <= stream.rate <= MAX_RATE:
            raise _bad(path, f"says that it has {stream.rate} samples a second")
        yield Stream(stream.format, stream.seconds, _checked(path, stream))


def read(path: Path) -> tuple[Samples, int]:
    """A whole recording as float32 mono of shape (n,) and its rate in Hz. Raises SourceError."""
    with open_stream(path) as stream:
        return np.concatenate(list(stream.blocks)), stream.rate


def _checked(path: Path, stream: Stream) -> Iterator[Samples]:
    """The blocks of a stream, refused where they hold no numbers or end too early."""
    done = 0
    for block in stream.blocks:
        finite = np.isfinite(block)
        if not finite.all():
            at = (done + int(finite.argmin())) / stream.rate
            raise _bad(path, f"holds samples that are no numbers, the first at {at:.2f} s")
        done += len(block)
        yield block
    if done == 0:
        raise _bad(path, "holds no audio", "Record it again, or remove it from the sources.")
    # Containers round their duration, and encoders pad it by a frame or two.
    if done / stream.rate < 0.98 * stream.seconds - 1.0:
        raise _bad(
            path,
            f"is cut off: {done / stream.rate:.1f} s of {stream.seconds:.1f} s could be read",
            "Copy it again from where it came from, or remove it from the sources.",
        )


def _with_soundfile(path: Path, handle: io.FileIO, stack: contextlib.ExitStack) -> Stream | None:
    """The recording through libsndfile, or None when it does not know the format."""
    import soundfile

    try:
        # A descriptor instead of the name: names may hold bytes that are not text.
        sound = stack.enter_context(soundfile.SoundFile(handle.fileno(), closefd=False))
    except soundfile.LibsndfileError:
        handle.seek(0)
        return None
    # A header that was never finished knows none of its frames; FFmpeg reads on to the end.
    if not 0 < sound.frames < 2**62:
        handle.seek(0)
        return None

    def blocks() -> Iterator[Samples]:
        size = _BLOCK_SECONDS * sound.samplerate
        done = 0
        while True:
            try:
                block = sound.read(size, dtype="float32", always_2d=True)
            except soundfile.LibsndfileError as error:
                at = f"{max(done, sound.tell()) / sound.samplerate:.1f} s"
                reason = clean(error.error_string.removeprefix("Error : ").rstrip("."))
                raise _bad(path, f"is damaged at {at} ({reason})") from error
            if not len(block):
                break
            done += len(block)
            yield block.mean(axis=1, dtype=np.float32)
        unread = os.fstat(handle.fileno()).st_size - handle.tell()
        if sound.format == "FLAC" and unread > _MOST_TAGS:
            raise _bad(path, f"holds more than the {done / sound.samplerate:.1f} s of its header")

    name = f"{sound.format} {sound.subtype}".lower()
    form = Format(sound.samplerate, sound.channels, name)
    return Stream(form, sound.frames / sound.samplerate, blocks())


def _with_ffmpeg(path: Path, handle: io.FileIO, stack: contextlib.ExitStack) -> Stream:
    import av

    formats = {"format_whitelist": _CONTAINERS, "protocol_whitelist": ""}
    try:
        container = stack.enter_context(av.open(handle, "r", options=formats))
    except (av.FFmpegError, ValueError) as error:
        raise _bad(
            path,
            "holds no audio in a format that can be read",
            f"Recordings are {', '.join(sorted(s[1:] for s in SUFFIXES))}.",
        ) from error
    if not container.streams.audio:
        raise _bad(path, "has no audio stream", "Remove it from the sources.")
    audio = container.streams.audio[0]
    if audio.codec_context is None:
        raise _bad(path, "holds sound of a kind that cannot be read")
    rate = audio.codec_context.sample_rate or 0
    form = Format(rate, audio.codec_context.channels, _format_name(container, audio))
    return Stream(
        form, _length(container, audio, handle), _ffmpeg_blocks(path, container, audio, rate)
    )


def _format_name(container: Any, audio: Any) -> str:
    """The codec, and the container where that has another name."""
    codec = str(audio.codec_context.codec.canonical_name)
    # FFmpeg names a family of containers alike: "mov,mp4,m4a,3gp", "matroska,webm".
    family = container.format.name.split(",")
    name = next((usual for usual in ("mp4", "webm") if usual in family), family[0])
    return clean(codec if codec == name else f"{codec} in {name}")


def _length(container: Any, audio: Any, handle: io.FileIO) -> float:
    """The seconds that a container promises, 0 when it promises none."""
    import av

    name = container.format.name
    if name == "aac" or (name == "mp3" and not has_length_tag(handle)):
        return 0.0  # what FFmpeg tells is a guess from the first frames
    if audio.duration is not None and audio.time_base is not None:
        return float(audio.duration * audio.time_base)
    return float(container.duration / av.time_base) if container.duration else 0.0


def _ffmpeg_blocks(path: Path, container: Any, audio: Any, rate: int) -> Iterator[Samples]:
    import av

    # One sample format for all frames; the layout stays, so that the mean is ours.
    resampler = av.AudioResampler(format="fltp", rate=rate)
    waiting: list[Samples] = []
    length = done = 0
    try:
        for frame in _frames(container, audio):
            for converted in resampler.resample(frame):
                waiting.append(converted.to_ndarray().mean(axis=0, dtype=np.float32))
                length += len(waiting[-1])
            if length >= _BLOCK_SECONDS * rate:
                yield np.concatenate(waiting)
                waiting, done, length = [], done + length, 0
    except av.FFmpegError as error:
        at = f"{(done + length) / max(rate, 1):.1f} s"
        raise _bad(path, f"is damaged at {at} ({clean(error.strerror)})") from error
    if waiting:
        yield np.concatenate(waiting)


def _frames(container: Any, audio: Any) -> Iterator[Any]:
    """The frames of a stream; a few of an mp3 may be unreadable, as where two were joined."""
    import av

    pardoned = _PARDONED_FRAMES if container.format.name == "mp3" else 0
    for packet in container.demux(audio):
        try:
            yield from packet.decode()
        except av.FFmpegError:
            if not pardoned:
                raise
            pardoned -= 1
