from __future__ import annotations

import struct
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
import soundfile
from helpers_audio import encode, tone

from engine.audio.headers import doubt, missing_bytes

RATE = 48_000
SOUND = tone(2.0, RATE)
CODECS = {".mp3": "libmp3lame", ".m4a": "aac", ".mp4": "aac", ".webm": "libopus"}


def written(folder: Path, suffix: str) -> Path:
    path = folder / f"x{suffix}"
    if suffix in CODECS:
        encode(path, SOUND, RATE, CODECS[suffix])
    elif suffix == ".ogg":
        soundfile.write(path, SOUND, RATE, subtype="VORBIS")
    elif suffix == ".opus":
        encode(path, SOUND, RATE, "libopus")
    else:
        soundfile.write(path, SOUND, RATE)
    return path


def missing(path: Path) -> int:
    with path.open("rb", buffering=0) as handle:
        found = missing_bytes(handle)
        assert handle.tell() == 0, "decoders read from the beginning"
    return found


def with_number(path: Path, *changes: tuple[int, str, int]) -> Path:
    content = bytearray(path.read_bytes())
    for offset, layout, value in changes:
        struct.pack_into(layout, content, offset, value)
    path.write_bytes(content)
    return path


@pytest.mark.parametrize("suffix", [".wav", *CODECS])
def test_what_is_missing_is_counted(tmp_path: Path, suffix: str) -> None:
    path = written(tmp_path, suffix)
    whole = path.read_bytes()
    assert missing(path) == 0
    # Tags, and what a downloader left, come behind the sound.
    path.write_bytes(whole + b"TAG" + bytes(125))
    assert missing(path) == 0
    path.write_bytes(whole[: len(whole) // 2])
    # What comes behind the sound is not promised: the index of an m4a, the tags of an mp3.
    assert len(whole) // 3 < missing(path) <= len(whole) - len(whole) // 2


def test_a_picture_before_an_mp3_does_not_count(tmp_path: Path) -> None:
    path = written(tmp_path, ".mp3")
    content = path.read_bytes()
    size = sum(byte << shift for byte, shift in zip(content[6:10], (21, 14, 7, 0), strict=True))
    frames = content[10 + size :]
    picture = 50_000
    sizes = bytes(picture >> shift & 0x7F for shift in (21, 14, 7, 0))
    path.write_bytes(b"ID3\x04\0\0" + sizes + bytes(picture) + frames)
    assert missing(path) == 0


@pytest.mark.parametrize("promised", [0, 0xFFFFFFFF])
def test_headers_that_were_never_finished_promise_nothing(tmp_path: Path, promised: int) -> None:
    path = with_number(written(tmp_path, ".wav"), (40, "<I", promised))
    assert missing(path) == 0
    assert doubt(path) == ""


@pytest.mark.parametrize(
    "content", [b"", b"RIFF", b"RIFF\0\0\0\0WAVE", b"\x1a\x45\xdf\xa3", b"\xff"]
)
def test_files_that_end_in_their_header_are_left_to_the_decoder(
    tmp_path: Path, content: bytes
) -> None:
    path = tmp_path / "x"
    path.write_bytes(content)
    assert missing(path) == 0
    assert doubt(path) == ""


def test_millions_of_chunks_take_no_time(tmp_path: Path) -> None:
    path = tmp_path / "x.wav"
    path.write_bytes(b"RIFF\0\0\0\0WAVE" + b"fake\0\0\0\0" * 1_000_000)
    assert missing(path) == 0


@pytest.mark.parametrize("suffix", [".ogg", ".opus"])
def test_a_stream_without_its_last_page_is_doubtful(tmp_path: Path, suffix: str) -> None:
    path = written(tmp_path, suffix)
    whole = path.read_bytes()
    assert doubt(path) == ""
    for end in (len(whole) - 1, len(whole) // 2, whole.rfind(b"OggS")):
        path.write_bytes(whole[:end])
        assert "last page" in doubt(path)


def rate_changed(path: Path) -> Path:
    return with_number(path, (24, "<I", RATE // 2))


def length_cut(path: Path) -> Path:
    return with_number(path, (40, "<I", 96_000))


@pytest.mark.parametrize(
    ("change", "what"),
    [
        (rate_changed, "24,000 samples a second of 16 bits and 1 channels are not 96,000 bytes"),
        (length_cut, "96,000 bytes lie behind the sound"),
    ],
)
def test_headers_that_cannot_be_true_are_doubtful(
    tmp_path: Path, change: Callable[[Path], Path], what: str
) -> None:
    assert what in doubt(change(written(tmp_path, ".wav")))


@pytest.mark.parametrize("subtype", ["PCM_U8", "PCM_16", "PCM_24", "PCM_32", "FLOAT", "ULAW"])
def test_headers_as_libraries_write_them_are_not(tmp_path: Path, subtype: str) -> None:
    path = tmp_path / "x.wav"
    soundfile.write(path, np.zeros((1000, 3), np.float32), 44_100, subtype=subtype)
    assert doubt(path) == ""
    path.write_bytes(path.read_bytes() + b"LIST\x04\0\0\0INFO" + bytes(512))
    assert doubt(path) == ""
