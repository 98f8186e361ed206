from __future__ import annotations

import os
import struct
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
import soundfile
from helpers_audio import encode, tone

from engine.audio import decode
from engine.errors import SourceError

RATE = 48_000
SOUND = tone(2.0, RATE)


def written(folder: Path, name: str) -> Path:
    """Two seconds of tone in the format of the name."""
    path = folder / name
    match path.suffix.lower():
        case ".wav" | ".flac":
            soundfile.write(path, SOUND, RATE)
        case ".ogg":
            soundfile.write(path, SOUND, RATE, subtype="VORBIS")
        case ".opus" | ".webm":
            encode(path, SOUND, RATE, "libopus")
        case ".mp3":
            encode(path, SOUND, RATE, "libmp3lame")
        case ".mp4":
            encode(path, SOUND, RATE, "aac", picture=True)
        case _:
            encode(path, SOUND, RATE, "aac")
    return path


@pytest.mark.parametrize("suffix", sorted(decode.SUFFIXES))
def test_every_format_gives_the_same_sound(tmp_path: Path, suffix: str) -> None:
    samples, rate = decode.read(written(tmp_path, f"tone{suffix}"))
    assert rate == RATE
    assert samples.dtype == np.float32
    assert samples.ndim == 1
    assert len(samples) / rate == pytest.approx(2.0, abs=0.1)
    spectrum = np.abs(np.fft.rfft(samples[: 2 * RATE]))
    assert np.argmax(spectrum) / 2 == pytest.approx(440.0, abs=1.0)
    middle = samples[RATE // 2 : RATE]
    assert np.sqrt(np.mean(middle**2)) == pytest.approx(0.5 / np.sqrt(2), abs=0.02)


@pytest.mark.parametrize(
    ("name", "told"),
    [
        ("x.wav", "wav pcm_16"),
        ("x.flac", "flac pcm_16"),
        ("x.ogg", "ogg vorbis"),
        ("x.opus", "ogg opus"),
        ("x.mp3", "mp3"),
        ("x.aac", "aac"),
        ("x.m4a", "aac in mp4"),
        ("x.webm", "opus in webm"),
    ],
)
def test_formats_have_a_name(tmp_path: Path, name: str, told: str) -> None:
    with decode.open_stream(written(tmp_path, name)) as stream:
        assert stream.format == decode.Format(RATE, 1, told)


def test_channels_are_told(tmp_path: Path) -> None:
    soundfile.write(tmp_path / "x.wav", np.stack([SOUND] * 2, axis=1), RATE, subtype="PCM_24")
    with decode.open_stream(tmp_path / "x.wav") as stream:
        assert stream.format == decode.Format(RATE, 2, "wav pcm_24")


def test_endings_in_capitals_and_formats_under_a_wrong_ending_are_read(tmp_path: Path) -> None:
    path = written(tmp_path, "tone.flac").rename(tmp_path / "TONE.MP3")
    assert decode.read(path)[1] == RATE


def test_stereo_becomes_the_mean_of_its_channels(tmp_path: Path) -> None:
    path = tmp_path / "stereo.wav"
    soundfile.write(path, np.stack([SOUND, np.zeros_like(SOUND)], axis=1), RATE, subtype="FLOAT")
    samples, _ = decode.read(path)
    assert np.allclose(samples, SOUND / 2)


def test_long_files_come_in_blocks(tmp_path: Path) -> None:
    path = tmp_path / "long.wav"
    soundfile.write(path, tone(30.0, 8000), 8000)
    with decode.open_stream(path) as stream:
        lengths = [len(block) for block in stream.blocks]
    assert stream.seconds == 30.0
    assert sum(lengths) == 30 * 8000
    assert max(lengths) <= 4 * 8000


def test_an_mp3_without_a_length_tag_is_not_taken_for_cut_off(tmp_path: Path) -> None:
    # FFmpeg guesses the length of such a file from its first frames, here small ones.
    encode(tmp_path / "1.mp3", SOUND, RATE, "libmp3lame", bit_rate=32_000)
    encode(tmp_path / "2.mp3", SOUND, RATE, "libmp3lame", bit_rate=320_000)
    content = b"".join((tmp_path / name).read_bytes() for name in ("1.mp3", "2.mp3"))
    path = tmp_path / "joined.mp3"
    path.write_bytes(content.replace(b"Xing", b"None").replace(b"Info", b"None"))
    samples, _ = decode.read(path)
    assert len(samples) / RATE == pytest.approx(4.0, abs=0.2)


def with_header(path: Path, offset: int, layout: str, value: int) -> Path:
    content = bytearray(path.read_bytes())
    struct.pack_into(layout, content, offset, value)
    path.write_bytes(content)
    return path


def cut_off(path: Path, share: float) -> Path:
    content = path.read_bytes()
    path.write_bytes(content[: round(len(content) * share)])
    return path


def empty(folder: Path) -> Path:
    (folder / "x.wav").touch()
    return folder / "x.wav"


def no_samples(folder: Path) -> Path:
    soundfile.write(folder / "x.wav", np.zeros(0, np.float32), RATE)
    return folder / "x.wav"


def nan_samples(folder: Path) -> Path:
    samples = SOUND.copy()
    samples[RATE] = np.nan
    soundfile.write(folder / "x.wav", samples, RATE, subtype="FLOAT")
    return folder / "x.wav"


def text(folder: Path) -> Path:
    (folder / "x.mp3").write_text("not a recording at all\n" * 100)
    return folder / "x.mp3"


def playlist(folder: Path) -> Path:
    """A file that FFmpeg would follow to another one."""
    other = written(folder, "other.aac")
    (folder / "x.mp4").write_text(f"#EXTM3U\n#EXTINF:10,\n{other}\n#EXT-X-ENDLIST\n")
    return folder / "x.mp4"


def a_folder(folder: Path) -> Path:
    (folder / "x.wav").mkdir()
    return folder / "x.wav"


def a_pipe(folder: Path) -> Path:
    os.mkfifo(folder / "x.wav")
    return folder / "x.wav"


def a_loop(folder: Path) -> Path:
    (folder / "x.wav").symlink_to("x.wav")
    return folder / "x.wav"


def with_frames(path: Path, frames: int) -> Path:
    """A FLAC whose header tells of so many frames: the last 36 bits of bytes 18 to 25."""
    head = int.from_bytes(path.read_bytes()[18:26]) >> 36 << 36
    return with_header(path, 18, ">Q", head | frames)


def lying_flac(folder: Path) -> Path:
    soundfile.write(folder / "x.flac", np.random.default_rng(1).normal(0, 0.1, 2 * RATE), RATE)
    return with_frames(folder / "x.flac", RATE)


def only_a_picture(folder: Path) -> Path:
    encode(folder / "x.mp4", SOUND, RATE, "aac", picture=True, sound=False)
    return folder / "x.mp4"


@pytest.mark.parametrize(
    ("make", "what"),
    [
        (empty, "is empty"),
        (no_samples, "holds no audio. "),
        (nan_samples, "no numbers, the first at 1.00 s"),
        (text, "holds no audio in a format that can be read. Recordings are aac"),
        (playlist, "holds no audio in a format"),
        (a_folder, "is a folder"),
        (a_pipe, "not a regular file"),
        (a_loop, "leads back to itself"),
        (only_a_picture, "has no audio stream"),
        (lambda folder: folder / "x.wav", "cannot be read (No such file or directory)"),
        (lambda folder: cut_off(written(folder, "x.wav"), 0.5), "is cut off: its header promises"),
        (lambda folder: cut_off(written(folder, "x.flac"), 0.5), "is damaged at"),
        (lambda folder: cut_off(written(folder, "x.webm"), 0.4), "is cut off: its header promises"),
        (lambda folder: cut_off(written(folder, "x.m4a"), 0.5), "is cut off: its header promises"),
        (lambda folder: cut_off(written(folder, "x.mp4"), 0.9), "is cut off: its header promises"),
        (lambda folder: cut_off(written(folder, "x.mp3"), 0.5), "is cut off: its header promises"),
        (lambda folder: cut_off(written(folder, "x.aac"), 0.5), "is damaged at 1."),
        (lambda folder: cut_off(written(folder, "x.opus"), 0.02), "holds no audio in a format"),
        (lying_flac, "holds more than the 1.0 s of its header"),
        (
            lambda folder: with_header(written(folder, "x.wav"), 24, "<I", 1),
            "says that it has 1 samples a second",
        ),
        (
            lambda folder: with_header(written(folder, "x.wav"), 24, "<I", 0),
            "holds no audio in a format",
        ),
        (
            lambda folder: with_header(written(folder, "x.wav"), 24, "<I", 10**9),
            "says that it has 1000000000 samples a second",
        ),
        (lambda folder: with_header(written(folder, "x.wav"), 22, "<H", 0), "is damaged at 0.0 s"),
        (lambda folder: with_header(written(folder, "x.wav"), 34, "<H", 65), "of a kind that"),
    ],
)
def test_what_cannot_be_read_is_named_with_a_remedy(
    tmp_path: Path, make: Callable[[Path], Path], what: str
) -> None:
    path = make(tmp_path)
    with pytest.raises(SourceError) as caught:
        decode.read(path)
    message = str(caught.value)
    assert message.startswith(f"{path} ")
    assert what in message
    assert len(message.partition(". ")[2]) > 20, "a remedy follows"


@pytest.mark.parametrize(
    "make",
    [
        lambda folder: with_frames(written(folder, "x.flac"), 0),
        lambda folder: with_header(written(folder, "x.wav"), 40, "<I", 0),
        lambda folder: with_header(written(folder, "x.wav"), 40, "<I", 0xFFFFFFFF),
    ],
)
def test_headers_that_were_never_finished_cost_nothing(
    tmp_path: Path, make: Callable[[Path], Path]
) -> None:
    samples, rate = decode.read(make(tmp_path))
    assert len(samples) / rate == 2.0


def test_names_that_are_not_text_are_read_and_shown_safely(tmp_path: Path) -> None:
    path = Path(os.fsdecode(os.fsencode(tmp_path) + b"/bad\xff\x1b[31m.wav"))
    soundfile.write(tmp_path / "x.wav", SOUND, RATE)
    (tmp_path / "x.wav").rename(path)
    assert decode.read(path)[1] == RATE
    path.write_bytes(b"")
    with pytest.raises(SourceError) as caught:
        decode.read(path)
    assert "\x1b" not in str(caught.value)
    str(caught.value).encode()
