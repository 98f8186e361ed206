"""What holds for any recordings, whatever is heard in them."""

from __future__ import annotations

import contextlib
import json
import shutil
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path

import numpy as np
import pytest
import soundfile
from helpers_hearing import Babbler
from helpers_preparing import preparing
from helpers_recordings import piece, recordings_project
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st

from engine.audio.speech import Span
from engine.dataset import accounting, clips, split
from engine.dataset.clips import RATE, Clip
from engine.errors import DatasetError, SourceError
from engine.events import Event, SourcePrepared
from engine.project import Project

RECORDED = 16_000
FEW = settings(
    max_examples=4,
    deadline=None,
    derandomize=True,
    database=None,
    # An example takes a second; a smaller one would not be worth the minutes of a search.
    phases=[Phase.generate],
    suppress_health_check=list(HealthCheck),
)
MANY = settings(FEW, max_examples=100)


@dataclass(frozen=True)
class Part:
    """A stretch of a made recording."""

    kind: str
    seconds: float
    at: int


PARTS = st.builds(
    Part,
    st.sampled_from(["speech", "speech", "speech", "silence", "noise", "tone"]),
    st.floats(0.01, 6.0),
    st.integers(0, 40),
)
RECORDINGS = st.lists(st.lists(PARTS, min_size=1, max_size=5), min_size=1, max_size=6)


@pytest.fixture(scope="module")
def speech() -> np.ndarray:
    return piece("market", 60.0, RECORDED)


def sound(part: Part, speech: np.ndarray) -> np.ndarray:
    count = max(1, round(part.seconds * RECORDED))
    times = np.arange(count) / RECORDED
    match part.kind:
        case "speech":
            return speech[part.at * RECORDED :][:count]
        case "silence":
            return np.zeros(count, np.float32)
        case "noise":
            return np.random.default_rng(part.at).normal(0, 0.02, count).astype(np.float32)
        case _:
            return (0.2 * np.sin(2 * np.pi * (100 + 50 * part.at) * times)).astype(np.float32)


def recorded(folder: Path, parts: list[list[Part]], speech: np.ndarray) -> None:
    for number, each in enumerate(parts):
        samples = np.concatenate([sound(part, speech) for part in each])
        soundfile.write(folder / f"{number}.wav", samples, RECORDED)


def run(project: Project, listener: Babbler) -> list[SourcePrepared]:
    """Prepare a project; with nothing to keep it has a dataset all the same."""
    told: list[Event] = []
    with contextlib.suppress(DatasetError, SourceError):
        preparing(project, told.append, listener=listener)
    return [event for event in told if isinstance(event, SourcePrepared)]


def table(project: Project) -> bytes:
    path = project.dataset_dir / clips.FILE_NAME
    return path.read_bytes() if path.exists() else b""


def check_accounts(project: Project) -> None:
    """Every millisecond is in one clip or in none, and the books say so."""
    listed = clips.read(project.dataset_dir)
    assert len({clip.id for clip in listed}) == len(listed)
    for recording in accounting.read(project.dataset_dir):
        if recording.state != "used":
            continue
        info = soundfile.info(project.folder / recording.path)
        whole = info.frames * 1000 // info.samplerate
        own = [clip for clip in listed if clip.source.sha256 == recording.sha256]
        spans = [(round(clip.start * 1000), round(clip.end * 1000)) for clip in own]
        assert not [span for span in spans if not 0 <= span[0] < span[1] <= whole], (own, whole)
        assert all(left[1] <= right[0] for left, right in pairwise(spans)), "clips are disjoint"
        times = {
            state: sum(
                e - s for clip, (s, e) in zip(own, spans, strict=True) if clip.state in state
            )
            for state in ("kept suspect", "dropped")
        }
        assert round(recording.kept_seconds * 1000) == times["kept suspect"]
        assert round(recording.dropped_seconds * 1000) == times["dropped"]
        booked = (recording.kept_seconds, recording.dropped_seconds, recording.non_speech_seconds)
        assert sum(round(each * 1000) for each in booked) == round(recording.seconds * 1000)
        assert abs(round(recording.seconds * 1000) - info.frames * 1000 / info.samplerate) <= 0.5


def check_wavs(project: Project) -> None:
    for clip in clips.read(project.dataset_dir):
        assert bool(clip.wav) or clip.state == "dropped"
        if clip.wav:
            info = soundfile.info(project.dataset_dir / clip.wav)
            assert (info.samplerate, info.channels, info.subtype) == (RATE, 1, "PCM_16")
            assert info.frames == round(clip.end * RATE) - round(clip.start * RATE)
            assert 1000 <= round(clip.seconds * 1000) <= 11_600
            assert info.frames <= clips.MOST_SAMPLES


def check_split(listed: list[Clip], *, decided_at_once: bool) -> None:
    used = [clip for clip in listed if clip.state != "dropped"]
    assert all(clip.split in ("train", "eval") for clip in used)
    assert not any(clip.split for clip in listed if clip.state == "dropped")
    if len(used) > 1:
        assert {clip.split for clip in used} == {"train", "eval"}
    sources = {clip.source.sha256: clip for clip in used}
    for sha256 in sources if len(sources) > 1 else ():
        own = [clip for clip in used if clip.source.sha256 == sha256]
        for left, right in pairwise(own):
            assert left.split == right.split or right.start - left.end >= 1.0
        whole = decided_at_once and len(sources) >= split.FEWEST_SOURCES
        assert not whole or len({clip.split for clip in own}) == 1


def by_recording(project: Project) -> dict[str, list[tuple[str, str]]]:
    """The ids of the clips of each recording with the set they are in."""
    found: dict[str, list[tuple[str, str]]] = {}
    for clip in clips.read(project.dataset_dir):
        found.setdefault(clip.source.sha256, []).append((clip.id, clip.split))
    return found


@pytest.fixture(scope="module")
def numbered(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """A new folder for each example."""

    def folders() -> Iterator[Path]:
        while True:
            yield tmp_path_factory.mktemp("voice") / "anna"

    return folders()


@FEW
@given(parts=RECORDINGS, seed=st.integers(0, 99), nonsense=st.sampled_from([0.0, 0.2, 1.0]))
def test_every_second_is_accounted_for(
    tiny_base: Path,
    numbered: Iterator[Path],
    speech: np.ndarray,
    parts: list[list[Part]],
    seed: int,
    nonsense: float,
) -> None:
    project = recordings_project(next(numbered), tiny_base)
    listener = Babbler(seed, nonsense)
    recorded(project.folder / "rec", parts, speech)
    run(project, listener)
    check_accounts(project)
    check_wavs(project)
    check_split(clips.read(project.dataset_dir), decided_at_once=True)
    first = by_recording(project)

    # The same recordings give the same bytes, wherever the project is.
    other = recordings_project(next(numbered), tiny_base)
    shutil.copytree(project.folder / "rec", other.folder / "rec", dirs_exist_ok=True)
    run(other, listener)
    assert table(other) == table(project)

    # Another recording moves no clip, and only it is prepared.
    soundfile.write(project.folder / "rec" / "new.wav", speech[: 20 * RECORDED] * 0.9, RECORDED)
    fresh = [event.source for event in run(project, listener) if not event.cached]
    assert fresh == ["rec/new.wav"]
    grown = by_recording(project)
    for sha256, listed in first.items():
        assert [name for name, _ in grown[sha256]] == [name for name, _ in listed]
        # Between the sets: what came too near to held-out speech when it had to do alone may go.
        after = dict(grown[sha256])
        assert all(not where or after[name] in (where, "") for name, where in listed) or not any(
            where == "eval" for each in first.values() for _, where in each
        )
    check_split(clips.read(project.dataset_dir), decided_at_once=False)


LENGTHS = st.lists(st.tuples(st.floats(1.0, 11.0), st.floats(0.0, 3.0)), max_size=20)


@MANY
@given(
    sources=st.lists(LENGTHS, min_size=1, max_size=8),
    steps=st.integers(1, 4),
    share=st.floats(0.02, 0.5),
)
def test_no_clip_ever_changes_its_set(
    sources: list[list[tuple[float, float]]], steps: int, share: float
) -> None:
    dataset: dict[str, list[Span]] = {}
    decisions: dict[str, split.HeldOut] = {}
    before: dict[tuple[str, Span], str] = {}
    for number, lengths in enumerate(sources):
        spans, now = [], 0.0
        for seconds, pause in lengths:
            spans.append(Span(now, now + seconds))
            now += seconds + pause
        dataset[f"{number * 2654435761 % 2**32:08x}"] = spans
        if number % steps and number + 1 < len(sources):
            continue
        decisions = split.decide(dataset, decisions, share)
        alone = sum(map(bool, dataset.values())) == 1
        placed = {
            (sha256, span): where
            for sha256, own in dataset.items()
            for span, where in zip(
                own,
                split.sides(own, decisions.get(sha256, split.NOTHING), alone=alone),
                strict=True,
            )
        }
        for key, where in before.items():
            # The neighbours of held-out speech were trained on while there was nothing else.
            gave_way = where == "train" and placed[key] == "" and not alone
            was_needed = "eval" not in before.values()
            assert not where or placed[key] == where or gave_way or was_needed
        assert len(placed) < 2 or {"train", "eval"} <= set(placed.values())
        for sha256, own in dataset.items() if not alone else ():
            used = [span for span in own if placed[sha256, span]]
            for left, right in pairwise(used):
                sets = {placed[sha256, left], placed[sha256, right]}
                assert len(sets) == 1 or right.start - left.end >= 1.0
        before = placed


def test_the_books_of_a_project_are_plain_json(tiny_base: Path, numbered: Iterator[Path]) -> None:
    """Words of any letters come through whole, and harm neither table."""
    project = recordings_project(next(numbered), tiny_base)
    soundfile.write(project.folder / "rec" / "a.wav", piece("journey", 40.0, RECORDED), RECORDED)
    run(project, Babbler(3, nonsense=0.5))
    rows = [json.loads(line) for line in table(project).splitlines()]
    assert [row["id"] for row in rows] == [clip.id for clip in clips.read(project.dataset_dir)]
    for name in ("train", "eval"):
        content = (project.dataset_dir / f"metadata_{name}.csv").read_text()
        assert all(line.count("|") == 2 for line in content.splitlines())
        assert "\x1b" not in content
