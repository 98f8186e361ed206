from __future__ import annotations

import os
from importlib import resources

import av
import soundfile

SPEECH = resources.files("voicetui").joinpath("demo", "speech")
FILES = sorted(str(entry) for entry in SPEECH.iterdir())
RECORDINGS = [name for name in FILES if not name.endswith(".txt")]


def test_the_recordings_are_long_enough_and_small() -> None:
    infos = [soundfile.info(name) for name in RECORDINGS]
    assert len({info.format for info in infos}) >= 2
    assert sum(info.duration for info in infos) > 240
    assert sum(os.path.getsize(name) for name in RECORDINGS) < 4_000_000


def test_every_recording_has_its_text_beside_it() -> None:
    stems = {name.rpartition(".")[0] for name in RECORDINGS}
    assert len(stems) >= 2
    assert {f"{stem}.txt" for stem in stems} == set(FILES) - set(RECORDINGS)


def test_pyav_reads_them_whole_too() -> None:
    for name in RECORDINGS:
        with av.open(name) as container:
            seconds = sum(frame.samples / frame.sample_rate for frame in container.decode(audio=0))
        assert abs(seconds - soundfile.info(name).duration) < 0.1
