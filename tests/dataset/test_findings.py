from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import replace
from typing import Any

import pytest
from test_statistics import row

from engine.audio.quality import RecordingQuality
from engine.dataset.accounting import Recording
from engine.dataset.findings import finding as findings
from engine.dataset.findings.finding import Finding, found, ordered
from engine.dataset.pieces import Pieces
from engine.dataset.review.rows import Row
from engine.dataset.statistics import statistics_of

QUALITY = {
    "loudness": -20.0, "peak": -3.0, "clipping": 0.0, "snr": 45.0, "noise": -65.0,
    "bandwidth": 10_000.0, "hum": 0, "hum_db": None, "hiss_db": -60.0, "decay": 0.2, "music": 0.0,
    "silence": 0.2,
}  # fmt: skip
ONE = Recording(
    "rec/one.wav", "1" * 64, "used", rate=48_000, channels=1, format="wav pcm_16",
    seconds=600.0, kept_seconds=500.0, non_speech_seconds=100.0,
    pieces=Pieces(200, 100, 5, (), 0, 0), quality=QUALITY,
)  # fmt: skip
USED = [row(n, 5.0, split="eval" if n % 7 == 0 else "train") for n in range(140)]


def of(
    rows: Iterable[Row] = USED, recordings: Sequence[Recording] = (), **unknown: int
) -> dict[str, Finding]:
    return {each.name: each for each in statistics_of(rows, recordings, unknown).findings}


def sounds(**quality: Any) -> Recording:
    return replace(ONE, quality=QUALITY | quality)


def test_a_clean_recording_has_nothing_wrong() -> None:
    looked = of(recordings=[ONE])
    about = {"cutting", "silence", "formats"}
    assert {looked[name].level for name in about} == {"good"}
    assert not {"hum", "hiss", "music", "recordings", "duplicates"} & looked.keys()
    assert ONE.measured is not None
    assert set(QUALITY) | {"rate", "channels", "format", "seconds"} == set(
        RecordingQuality.__dataclass_fields__
    )


@pytest.mark.parametrize(
    ("name", "quality"),
    [
        ("phone bandwidth", {"bandwidth": 3_500.0}),
        ("narrow bandwidth", {"bandwidth": 6_000.0}),
        ("hum", {"hum": 50, "hum_db": -30.0}),
        ("hiss", {"hiss_db": -30.0}),
        ("reverberation", {"decay": 0.9}),
        ("music", {"music": 0.5}),
        ("low snr", {"snr": 9.0}),
        ("clipping", {"clipping": 0.02}),
        ("very quiet", {"loudness": -50.0}),
    ],
)
def test_what_is_wrong_with_recordings_is_said_once_with_their_names(
    name: str, quality: dict[str, Any]
) -> None:
    small = replace(sounds(**quality), path="rec/small.wav", kept_seconds=40.0)
    looked = of(recordings=[ONE, small])[name]
    assert looked.level == "watch"
    assert looked.recordings == ("rec/small.wav",)
    assert "1 of 2 recordings, 7% of the speech" in looked.seen
    assert looked.seen.endswith(": small.wav")
    large = replace(sounds(**quality), path="rec/large.wav")
    looked = of(recordings=[ONE, small, large])[name]
    assert (looked.level, looked.recordings[0]) == ("concern", "rec/large.wav")
    assert looked.means
    assert looked.advice


@pytest.mark.parametrize(
    ("name", "level", "recordings"),
    [
        ("recordings", "concern", [replace(ONE, path="b.wav", state="failed")]),
        ("duplicates", "watch", [replace(ONE, path="b.wav", state="duplicate")]),
        ("formats", "watch", [replace(ONE, path="b.wav", rate=8_000)]),
        ("without clips", "watch", [replace(ONE, path="b.wav", kept_seconds=0.0)]),
        ("silence", "watch", [replace(ONE, path="b.wav", seconds=9e3, non_speech_seconds=8e3)]),
        ("cutting", "watch", [replace(ONE, pieces=Pieces(300, 200, 0, (), 70, 9))]),
        ("cutting", "watch", [replace(ONE, pieces=Pieces(9, 9, 0, ((1.0, 0.5, 1.0),) * 99, 0, 0))]),
    ],
)
def test_files_and_cuts(name: str, level: str, recordings: list[Recording]) -> None:
    looked = of(recordings=[ONE, *recordings])[name]
    assert looked.level == level
    if name in ("recordings", "duplicates", "without clips"):
        assert looked.recordings == ("b.wav",)


@pytest.mark.parametrize(
    ("name", "level", "changes"),
    [
        ("voices", "watch", {"state": "suspect", "reason": "other_speaker"}),
        ("texts", "watch", {"state": "suspect", "reason": "disagreement", "agreement": 0.4}),
        ("given texts", "watch", {"state": "suspect", "reason": "given_text"}),
        ("language", "concern", {"state": "dropped", "split": "", "reason": "language"}),
        ("clipping", "good", {"state": "dropped", "split": "", "reason": "clipping"}),
    ],
)
def test_doubtful_clips(name: str, level: str, changes: dict[str, Any]) -> None:
    assert name not in of()
    assert of([*USED, row(999, 5.0, **changes)])[name].level == level
    many = [row(1000 + n, 5.0, **changes) for n in range(200)]
    assert of([*USED, *many])[name].level == "concern"


def test_noisy_clips_count_where_the_usual_one_is_clean() -> None:
    clean = [row(n, 5.0, scores={"snr": 40.0}) for n in range(90)]
    noisy = [row(n, 5.0, scores={"snr": 9.0}) for n in range(900, 910)]
    assert of(clean)["noise"].level == "good"
    assert of([*clean, *noisy])["noise"].level == "watch"


def test_unknown_characters_are_listed() -> None:
    looked = of([*USED, row(9, reason="unknown_characters", state="dropped", split="")], ж=3)
    assert looked["unknown characters"].level == "concern"
    assert "does not know: ж" in looked["unknown characters"].seen


def test_small_sets_and_an_uneven_split() -> None:
    assert of()["clips"].level == of()["held out"].level == of()["split"].level == "good"
    few = of(USED[:60])
    assert (few["clips"].level, few["held out"].level) == ("concern", "concern")
    assert of([replace(each, split="train") for each in USED])["split"].level == "concern"
    half = [replace(each, split="eval" if n % 2 else "train") for n, each in enumerate(USED)]
    assert of(half)["split"].level == "watch"


@pytest.mark.parametrize(("minutes", "level"), [(2.5, "concern"), (4.0, "watch"), (6.0, "good")])
def test_minutes(minutes: float, level: str) -> None:
    assert of([row(n, 6.0) for n in range(round(minutes * 10))])["minutes"].level == level


def test_what_harms_most_comes_first() -> None:
    def made(name: str, level: findings.Level, share: float) -> Finding:
        return found(name, level, "x", means="m", advice="a", share=share)

    listed = [
        made("levels", "watch", 1.0), made("minutes", "good", 1.0), made("noise", "concern", 0.3),
        made("voices", "concern", 0.3), made("noise", "watch", 0.9),
    ]  # fmt: skip
    order = [(each.name, each.level) for each in ordered(listed)]
    assert order == [
        ("voices", "concern"), ("noise", "concern"), ("noise", "watch"), ("levels", "watch"),
        ("minutes", "good"),
    ]  # fmt: skip
    assert found("new", "watch", "x", means="m", advice="a").weight > 0, "a fault without a rank"
    assert set(findings.as_values(listed)[0]) == set(Finding.__dataclass_fields__)
    assert len(findings.as_values(listed)) == 4, "what is good is not stored"


def test_many_names_are_shortened_and_made_safe() -> None:
    names = [f"/somewhere/rec\x1b[2J{number}.wav" for number in range(7)]
    seen = found("hum", "watch", "it hums", means="", advice="", recordings=names).seen
    assert seen.endswith(" and 4 more")
    assert "\x1b" not in seen
    assert "somewhere" not in seen
