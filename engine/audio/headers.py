"""What the headers of recordings promise, so that a part is not taken for the whole.

Decoders read what is there and say nothing. Headers that were never finished, as those of pipes,
promise nothing.
"""

from __future__ import annotations

import io
import os
import struct
from pathlib import Path
from typing import NamedTuple

# More chunks or boxes than any recording has, so that none of them takes long.
_MOST_PARTS = 100_000
_RIFF_UNKNOWN = 0x7FFFF000
_PCM = 1
# Some writers fill up the last block of a disk.
_MOST_PADDING = 1 << 16
_MATROSKA, _SEGMENT = b"\x1a\x45\xdf\xa3", b"\x18\x53\x80\x67"
_LENGTH_TAGS = (b"Xing", b"Info", b"VBRI")
_MP3_SLACK = 4096
# The largest page of an Ogg stream, and the flag of its last one (RFC 3533, section 6).
_OGG_PAGE = 65_307
_OGG_LAST = 0x04


def missing_bytes(handle: io.FileIO) -> int:
    """How many bytes a file's header promises beyond its end; it is rewound then.

    Knows RIFF wav, ISO media (m4a, mp4), Matroska (webm), and mp3 with a length tag.
    """
    handle.seek(0)
    head = handle.read(12)
    promised = 0
    if head[:4] == b"RIFF" and head[8:] == b"WAVE":
        promised = _read_wav(handle).end
    elif head[4:8] == b"ftyp":
        promised = _end_of_boxes(handle)
    elif head[:4] == _MATROSKA:
        promised = _end_of_segment(handle)
    elif head[:3] == b"ID3" or head[:1] == b"\xff":
        promised = _size_in_tag(handle)
    size = os.fstat(handle.fileno()).st_size
    handle.seek(0)
    return max(0, promised - size)


def has_length_tag(handle: io.FileIO) -> bool:
    """Whether an mp3 tells its length."""
    frame = _first_frame(handle)
    return any(tag in frame for tag in _LENGTH_TAGS)


def doubt(path: Path) -> str:
    """What speaks against taking a recording for whole and right, "" when nothing does.

    Such a recording can be used all the same. Raises OSError.
    """
    with path.open("rb", buffering=0) as handle:
        head = handle.read(12)
        if head[:4] == b"OggS" and not _ends_with_last_page(handle):
            return "its last page does not say that it is the last, so its end may be missing"
        if head[:4] != b"RIFF" or head[8:] != b"WAVE":
            return ""
        wav = _read_wav(handle)
    if wav.contradiction:
        return f"its header contradicts itself: {wav.contradiction}"
    if wav.surplus:
        return f"{wav.surplus:,} bytes lie behind the sound that its header tells of"
    return ""


class _Wav(NamedTuple):
    """`end` of the samples (0: unknown), bytes behind them that are no chunk, what cannot be true."""

    end: int = 0
    surplus: int = 0
    contradiction: str = ""


def _read_wav(handle: io.FileIO) -> _Wav:
    size = os.fstat(handle.fileno()).st_size
    contradiction = ""
    end = 0
    position = 12
    for _ in range(_MOST_PARTS):
        handle.seek(position)
        header = handle.read(8)
        if len(header) < 8:
            break
        name, length = struct.unpack("<4sI", header)
        if end and not all(0x20 <= letter < 0x7F for letter in name):
            behind = size - position
            return _Wav(end, behind if behind > _MOST_PADDING else 0, contradiction)
        position += 8 + length + length % 2
        if name == b"fmt ":
            contradiction = _contradiction(handle.read(16))
        elif name == b"data" and not end:
            if length == 0 or length >= _RIFF_UNKNOWN:
                return _Wav(0, 0, contradiction)
            end = position - length % 2
    return _Wav(end, 0, contradiction)


def _contradiction(chunk: bytes) -> str:
    """Where the numbers of a wav's format do not fit together; only known of plain samples."""
    if len(chunk) < 16:
        return ""
    kind, channels, rate, speed, frame, bits = struct.unpack("<HHIIHH", chunk)
    if kind != _PCM or (frame == channels * ((bits + 7) // 8) and speed == rate * frame):
        return ""
    return (
        f"{rate:,} samples a second of {bits} bits and {channels} channels are not "
        f"{speed:,} bytes a second in frames of {frame}"
    )


def _ends_with_last_page(handle: io.FileIO) -> bool:
    size = handle.seek(0, os.SEEK_END)
    handle.seek(max(0, size - _OGG_PAGE))
    tail = handle.read()
    at = tail.rfind(b"OggS")
    # Sound may hold these letters too: a page is what ends where the file ends.
    while at >= 0 and _page_end(tail, at) != len(tail):
        at = tail.rfind(b"OggS", 0, at)
    return at >= 0 and bool(tail[at + 5] & _OGG_LAST)


def _page_end(data: bytes, at: int) -> int:
    segments = data[at + 27 : at + 27 + data[at + 26]] if at + 27 <= len(data) else b""
    return at + 27 + len(segments) + sum(segments)


def _end_of_boxes(handle: io.FileIO) -> int:
    """The end of the last box that holds sound or its index (ISO/IEC 14496-12, section 4.2)."""
    position = end = 0
    for _ in range(_MOST_PARTS):
        handle.seek(position)
        header = handle.read(16)
        if len(header) < 16:
            break
        length, name, long = struct.unpack(">I4sQ", header)
        length = long if length == 1 else length
        if length < 8:
            break
        position += length
        if name in (b"mdat", b"moov", b"moof"):
            end = position
    return end


def _end_of_segment(handle: io.FileIO) -> int:
    """The end of the one segment (RFC 8794, section 4)."""
    handle.seek(4)
    length = _variable_integer(handle)
    if length is None:
        return 0
    handle.seek(length, os.SEEK_CUR)
    if handle.read(4) != _SEGMENT or (length := _variable_integer(handle)) is None:
        return 0
    return handle.tell() + length


def _variable_integer(handle: io.FileIO) -> int | None:
    """A number whose leading zero bits tell how many bytes follow; None where it means unknown."""
    first = int.from_bytes(handle.read(1))
    more = 8 - first.bit_length()
    if more > 7:
        return None
    bits = 7 * (more + 1)
    value = int.from_bytes(bytes((first,)) + handle.read(more)) & ((1 << bits) - 1)
    return None if value == (1 << bits) - 1 else value


def _size_in_tag(handle: io.FileIO) -> int:
    """The bytes of sound that a length tag counts; what comes before and behind it is extra."""
    frame = _first_frame(handle)
    at = max(frame.find(tag) for tag in _LENGTH_TAGS[:2])
    if at < 0 or len(frame) < at + 16:
        return 0
    flags, first, second = struct.unpack_from(">III", frame, at + 4)
    # Bit 0: the number of frames comes first. Bit 1: the number of bytes is there.
    counted = 0 if not flags & 2 else second if flags & 1 else first
    # A frame more or less is how some encoders count.
    return counted - _MP3_SLACK


def _first_frame(handle: io.FileIO) -> bytes:
    """The beginning of an mp3 behind its ID3 tag."""
    position = handle.tell()
    handle.seek(0)
    head = handle.read(10)
    # The size of an ID3 tag is written in four bytes of seven bits.
    size = sum(byte << shift for byte, shift in zip(head[6:], (21, 14, 7, 0), strict=False))
    handle.seek(10 + size if head[:3] == b"ID3" else 0)
    frame = handle.read(4096)
    handle.seek(position)
    return frame
