from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from engine.dataset.given import flaws, subtitles
from engine.dataset.given.flaws import Kind
from engine.dataset.given.subtitles import Subtitles
from engine.errors import TranscriptError


def parse(text: str) -> Subtitles:
    return subtitles.parse(Path("talk.srt"), text)


def plain(parsed: Subtitles) -> list[tuple[float, float, str]]:
    return [(cue.start, cue.end, cue.text) for cue in parsed.cues]


def kinds(parsed: Subtitles) -> list[tuple[Kind, int]]:
    return [(flaw.kind, flaw.line) for flaw in parsed.flaws]


SRT = """1
00:00:01,000 --> 00:00:02,500
Hello there.

2
00:00:03,000 --> 00:00:04,000
<i>How are</i>
you?
"""
VTT = """WEBVTT - talk
Language: en

NOTE
not spoken

STYLE
::cue { color: red }

greeting
00:01.000 --> 00:02.500 align:start position:0%
<v Anna>Hello there.

1:00:03.000 --> 1:00:04.000
How are you?
"""


def test_subrip_and_webvtt_are_read() -> None:
    assert plain(parse(SRT)) == [(1.0, 2.5, "Hello there."), (3.0, 4.0, "How are you?")]
    assert plain(parse(VTT)) == [(1.0, 2.5, "Hello there."), (3603.0, 3604.0, "How are you?")]
    assert parse(SRT).flaws == parse(VTT).flaws == ()


@pytest.mark.parametrize(
    "text",
    [
        SRT.replace("\n", "\r\n"),
        SRT.replace("\n", "\r"),
        SRT.replace("1\n00", "00").replace("2\n00", "00"),
        SRT.replace("\n\n2", "\n2"),
        SRT.replace(",", "."),
        SRT.replace("00:00:", "0:0:"),
        "\n\n" + SRT.rstrip(),
    ],
)
def test_how_programs_write_it_does_not_matter(text: str) -> None:
    assert plain(parse(text)) == plain(parse(SRT))


@pytest.mark.parametrize(
    ("text", "cues", "found"),
    [
        (
            "00:00:05,000 --> 00:00:06,000\nlater\n\n00:00:01,000 --> 00:00:02,000\nfirst",
            [(1.0, 2.0, "first"), (5.0, 6.0, "later")],
            [],
        ),
        (
            "00:00:01,000 --> 00:00:02,000\na\n\n00:00:04,000 --> 00:00:03,000\nb\n\n"
            "00:00:05,000 --> 00:00:05,000\nc",
            [(1.0, 2.0, "a")],
            [(Kind.NO_LENGTH, 4), (Kind.NO_LENGTH, 7)],
        ),
        (
            "-00:00:01,000 --> 00:00:02,000\na\n\n-00:00:03,000 --> -00:00:01,000\nb",
            [(0.0, 2.0, "a")],
            [(Kind.NO_LENGTH, 4)],
        ),
        (
            "00:00:01,000 --> 00:00:02,400\na\n\n00:00:02,000 --> 00:00:03,000\nb",
            [(1.0, 2.2, "a"), (2.2, 3.0, "b")],
            [],
        ),
        (
            "00:00:01,000 --> 00:00:09,000\na\n\n00:00:02,000 --> 00:00:03,000\nb",
            [(1.0, 9.0, "a b")],
            [(Kind.OVERLAP, 4)],
        ),
        (
            "00:00:01,000 --> 00:00:02,000\na\n\n00:00:01,000 --> 00:00:02,000\nb",
            [(1.0, 2.0, "a b")],
            [],
        ),
        (
            "00:00:xx --> 00:00:02,000\na\n\n00:00:03,000 --> 00:00:04,000\nb",
            [(3.0, 4.0, "b")],
            [(Kind.UNTIMED, 1)],
        ),
        (
            "00:00:01,000 --> 00:00:02,000\na\n\nlost words\n\n00:00:03,000 --> 00:00:04,000\nb",
            [(1.0, 2.0, "a"), (3.0, 4.0, "b")],
            [(Kind.STRAY, 4)],
        ),
        (
            "00:00:01,000 --> 00:00:02,000\na\x1bb",
            [(1.0, 2.0, "ab")],
            [(Kind.CONTROLS, 1)],
        ),
    ],
)
def test_what_is_wrong_is_told_with_its_line(
    text: str, cues: list[tuple[float, float, str]], found: list[tuple[Kind, int]]
) -> None:
    parsed = parse(text)
    assert plain(parsed) == cues
    assert kinds(parsed) == found


def test_a_stretch_of_cues_that_overlap_is_doubtful() -> None:
    text = "00:00:01,000 --> 00:00:09,000\na\n\n00:00:02,000 --> 00:00:03,000\nb\n\n"
    parsed = parse(text + "00:00:10,000 --> 00:00:11,000\nc")
    assert [cue.doubtful for cue in parsed.cues] == [True, False]


def test_sounds_are_left_out_and_counted() -> None:
    parsed = parse(
        "00:00:01,000 --> 00:00:02,000\n[music]\n\n00:00:03,000 --> 00:00:04,000\n(laughs) Hi ♪"
    )
    assert plain(parsed) == [(3.0, 4.0, "Hi")]
    assert parsed.sounds == 3


def test_captions_that_roll_are_read_once() -> None:
    text = (
        "WEBVTT\n\n00:00:01.000 --> 00:00:02.000\nso<00:00:01.500><c> today</c>\n\n"
        "00:00:02.000 --> 00:00:02.010\nso today\n\n"
        "00:00:02.010 --> 00:00:03.000\nso today\nwe<00:00:02.500><c> go</c>\n"
    )
    assert plain(parse(text)) == [(1.0, 2.0, "so today"), (2.01, 3.0, "we go")]


@pytest.mark.parametrize("text", ["", "no times at all", SRT.replace("Hello there.", "♪")[:40]])
def test_a_file_without_cues_is_refused(text: str) -> None:
    with pytest.raises(TranscriptError, match=r"talk\.srt holds no cue"):
        parse(text)


TIMES = ("00:00:01,000 --> 00:00:02,000", "99:99:99.999 --> 0:0:0.1", "-->", "00:00", "1", "²")
MARKS = ("<i>", "{\\an8}", "[", "]", "(", "♪", "&lt;", "\x1b", "\n", "\n\n", "NOTE", "WEBVTT")
PARTS = st.sampled_from((*TIMES, *MARKS))


@settings(max_examples=200, deadline=None)
@given(st.lists(PARTS | st.text(max_size=4), max_size=30))
def test_parsing_raises_nothing_else_and_cues_are_in_order(parts: list[str]) -> None:
    try:
        parsed = parse("".join(parts))
    except TranscriptError:
        return
    border = 0.0
    for cue in parsed.cues:
        assert border <= cue.start < cue.end
        assert cue.text.isprintable()
        border = cue.end


def test_a_large_hostile_file_is_read_in_time() -> None:
    many = "00:00:01,000 --> 00:00:09,000\n" + "<" * 50 + "[" * 50 + "♪" * 51 + "a\n"
    parsed = parse(many * 5_000)
    assert len(parsed.cues) == 1


def test_warnings_name_file_lines_and_remedy() -> None:
    found = [flaws.Flaw(Kind.NO_LENGTH, line) for line in range(7, 0, -1)]
    (warning,) = flaws.warnings(Path("talk.srt"), found)
    assert warning.code == "transcript_no_length"
    assert warning.seen.startswith("talk.srt: cues that end before they begin")
    assert warning.seen.endswith(": 7 (lines 1, 2, 3, 4, 5, …).")
    assert warning.remedy
    assert all(len(set(kind.value)) == 4 and all(kind.value) for kind in Kind)
