"""The rules of making a pretrain, held against datasets of every kind."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest
import soundfile
from helpers_project import as_clip
from helpers_recordings import piece
from helpers_vocoder import with_images, with_line
from helpers_xtts import MadeClip

from engine import project as projects
from engine.dataset import clips
from engine.dataset.clips import Clip, SourceRef
from engine.errors import DatasetError, SourceError, StopRequested
from engine.gpu_tiers import cards
from engine.pretrains import making, material
from engine.pretrains.making import Check
from engine.project import Project

GOOD = {"snr": 45.0, "bandwidth": 10_000.0, "clipping": 0.0}
NOISY = {**GOOD, "snr": 12.0}
DULL = {**GOOD, "bandwidth": 4_000.0}
MIDDLING = {**GOOD, "snr": 25.0}


def clip(number: int, scores: dict[str, float], speaker: str = "a", seconds: float = 10.0) -> Clip:
    source = SourceRef(f"{speaker}.wav", speaker * 8)
    return Clip(
        *(f"{number:06d}", source, 0.0, seconds, f"wavs/{number}.wav", "text", None, None, ()),
        *("en", speaker, "train", "kept", "", scores),
    )


def speech(hours: float, *scores: dict[str, float], speakers: int = 20) -> material.Material:
    """So many hours, in which scores and speakers take turns."""
    listed = [
        clip(n, scores[n % len(scores)], f"p{n % speakers}", seconds=120.0)
        for n in range(round(hours * 30))
    ]
    return replace(material.of_clips(listed, (), {}), rates=(48_000,))


def judged(found: material.Material, kind: making.Kind) -> dict[str, Check]:
    return {each.name: each for each in making.of_material(found, kind)}


@pytest.mark.parametrize(
    ("kind", "hours", "level"),
    [
        ("scratch", 50.0, "ok"),
        ("scratch", 49.9, "failure"),
        ("finetune", 10.0, "ok"),
        ("finetune", 9.9, "failure"),
    ],
)
def test_the_least_hours(kind: making.Kind, hours: float, level: str) -> None:
    check = judged(speech(hours, GOOD), kind)["hours"]
    assert check.level == level
    assert f"{hours} h" in check.seen
    assert bool(check.remedy) == (level != "ok")


def test_only_clean_speech_counts_for_a_finetune() -> None:
    found = judged(speech(12, GOOD, NOISY), "finetune")
    assert "6.0 h of clean speech" in found["hours"].seen
    assert found["hours"].level == "failure"
    assert found["clean speech"].level == "warning"
    assert found["noise"].level == "warning"
    assert judged(speech(50, GOOD, NOISY), "scratch")["hours"].level == "ok"


def test_scratch_wants_all_qualities() -> None:
    assert judged(speech(50, GOOD, MIDDLING, DULL), "scratch")["variety"].level == "ok"
    check = judged(speech(50, GOOD, DULL), "scratch")["variety"]
    assert check.level == "warning"
    assert "speech of mid quality" in check.remedy
    assert judged(speech(50, GOOD), "scratch")["variety"].seen.endswith("high 100%")


def test_what_was_never_measured_is_not_clean() -> None:
    found = judged(speech(20, {}), "finetune")
    assert found["hours"].level == "failure"
    assert found["noise"].seen == "never measured"


def test_many_speakers() -> None:
    assert judged(speech(10, GOOD), "finetune")["speakers"].level == "ok"
    check = judged(speech(10, GOOD, speakers=9), "finetune")["speakers"]
    assert check.level == "warning"
    assert check.seen == "9 speakers in 9 recordings"


def test_rates_and_bandwidth() -> None:
    fine = speech(10, GOOD)
    assert judged(fine, "finetune")["bandwidth"].level == "ok"
    low = judged(replace(fine, rates=(22_050, 48_000)), "finetune")["bandwidth"]
    assert low.level == "warning"
    assert "22,050 Hz, 48,000 Hz" in low.seen
    assert judged(speech(10, GOOD, DULL), "finetune")["bandwidth"].level == "warning"


@pytest.mark.parametrize(
    ("size", "level", "word"),
    [
        (None, "ok", "usual"),
        (1, "warning", "miss"),
        (4, "warning", "miss"),
        (5, "ok", "between"),
        (15, "ok", "between"),
        (16, "warning", "smooth"),
        (64, "warning", "smooth"),
    ],
)
def test_batch_sizes(size: int | None, level: str, word: str) -> None:
    check = making.of_batch(size)
    assert (check.level, word in check.seen) == (level, True)


def test_the_card_is_judged_by_its_tier() -> None:
    for card, tier in cards().items():
        check = making.of_cards([card])
        assert check.level == ("ok" if tier in "SAB" else "warning")
        assert f"{tier} tier" in check.seen
    assert "S tier" in making.of_cards(["Tesla T4", "NVIDIA H100 80GB HBM3"]).seen
    assert making.of_cards([]).level == "warning"
    assert "not in the tier list" in making.of_cards(["Quadro \x1b[2J"]).seen
    assert "\x1b" not in making.of_cards(["Quadro \x1b[2J"]).seen


def test_the_clips_that_are_heard_are_the_same_and_spread() -> None:
    listed = [clip(number, GOOD) for number in range(1_000)]
    heard = material.chosen(listed)
    assert heard == material.chosen(listed[::-1])
    numbers = [int(each.id) for each in heard]
    assert len(numbers) == 12
    assert min(numbers) < 100
    assert max(numbers) > 900
    assert material.chosen(listed[:5]) == listed[:5]
    assert material.chosen([]) == []
    short = [clip(number, GOOD, seconds=1.0) for number in range(1_000, 2_000)]
    assert all(each.seconds > 3 for each in material.chosen([*short, *listed]))


def project_of(folder: Path, count: int, faulty: int) -> Project:
    """A project with clips of real speech, of which some have a line and images."""
    made = []
    for number in range(count):
        sound = piece("journey", 8.0, 22_050)[number * 4_000 :][: 4 * 22_050]
        if number < faulty:
            sound = with_images(with_line(sound, 22_050, -35.0), 22_050, 4_000, -20.0)
        path = folder / "dataset" / "wavs" / f"{number}.wav"
        path.parent.mkdir(parents=True, exist_ok=True)
        soundfile.write(path, sound, 22_050)
        made.append(MadeClip(f"c{number}", f"wavs/{number}.wav", "text", "en", "train"))
    project = projects.create(folder, name="Made Voice", language="en", sources=[])
    clips.write(
        project.dataset_dir,
        [replace(as_clip(each, project.dataset_dir), scores=GOOD) for each in made],
    )
    return project


def test_a_project_is_judged_with_faults_in_its_clips(tmp_path: Path) -> None:
    project = project_of(tmp_path, 3, faulty=1)
    found = {each.name: each for each in making.judge(project, batch_size=8, cards=["RTX 4090"])}
    assert found["hours"].level == "failure"
    assert found["8 kHz line"].level == "warning"
    assert "in 1 of 3 clips" in found["8 kHz line"].seen
    assert "3.2.8" in found["8 kHz line"].remedy
    assert found["mirrored harmonics"].level == "warning"
    assert found["batch size"].level == found["GPU"].level == found["noise"].level == "ok"


def test_a_sample_is_judged(tmp_path: Path) -> None:
    sound = piece("market", 6.0, 40_000)
    soundfile.write(tmp_path / "fine.wav", sound, 40_000)
    soundfile.write(tmp_path / "poor.flac", with_line(sound, 40_000, -30.0), 40_000)
    found = making.judge(None, samples=[tmp_path / "fine.wav", tmp_path / "poor.flac"])
    levels = {(each.group, each.name): each.level for each in found}
    assert levels["fine.wav", "8 kHz line"] == "ok"
    assert levels["poor.flac", "8 kHz line"] == "warning"
    assert all(each.seen for each in found)


def test_what_a_sample_cannot_tell_is_no_praise(tmp_path: Path) -> None:
    soundfile.write(tmp_path / "short.wav", piece("market", 0.3, 16_000), 16_000)
    for each in making.judge(None, samples=[tmp_path / "short.wav"])[:3]:
        assert each.level == "warning"
        assert "cannot be told" in each.seen
        assert "5 s" in each.remedy


def test_what_cannot_be_judged_is_refused(tmp_path: Path) -> None:
    with pytest.raises(SourceError, match="nothing"):
        making.judge(None, samples=[tmp_path / "nothing.wav"])
    project = project_of(tmp_path, 1, faulty=0)
    (project.dataset_dir / "clips.jsonl").write_text("")
    with pytest.raises(DatasetError, match="voicetui prepare"):
        making.judge(project)


def test_it_can_be_stopped(tmp_path: Path) -> None:
    def stop() -> None:
        raise StopRequested("SIGINT")

    with pytest.raises(StopRequested):
        making.judge(project_of(tmp_path, 1, faulty=0), check=stop)


def test_the_answer_names_what_to_weigh() -> None:
    assert "no best pretrain" in making.NO_BEST
    weighed = " ".join(name for name, _ in making.WEIGH)
    for word in ("rate", "language", "hours", "noise", "licence", "embedder", "tool"):
        assert word in weighed
