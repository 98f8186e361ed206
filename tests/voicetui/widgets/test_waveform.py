"""The waveform: nothing loud vanishes, silence is empty, and the place to cut is where it should be."""

from __future__ import annotations

import math

from voicetui.widgets.styled import plain
from voicetui.widgets.waveform import Wave, decibels, spread, wave_lines

WIDTH, BARS = 60, 3


def test_the_highest_peak_of_each_column_counts() -> None:
    peaks = [0.01] * 1000
    peaks[437] = 0.9
    found = spread(peaks, 50)
    assert len(found) == 50
    assert found[437 * 50 // 1000] == 0.9
    assert max(found) == 0.9


def test_fewer_peaks_than_columns_are_widened() -> None:
    assert spread([0.1, 0.9], 4) == [0.1, 0.1, 0.9, 0.9]
    assert spread([], 3) == [0.0, 0.0, 0.0]


def test_decibels() -> None:
    assert decibels(1.0) == 0.0
    assert math.isclose(decibels(0.5), -6.02, abs_tol=0.01)
    assert decibels(0.0) == -math.inf


def test_every_line_has_the_width_and_the_scale() -> None:
    lines = wave_lines(Wave([0.5] * 400, 4.0, (1.0, 2.0)), WIDTH, BARS)
    texts = [plain(line) for line in lines]
    assert len(texts) == BARS + 1
    assert [text[-6:] for text in texts[:BARS]] == ["  0 dB", "-18 dB", "-36 dB"]
    assert all(len(text) == WIDTH for text in texts[:BARS])
    assert texts[BARS].count("╵") == 2
    assert texts[BARS].split()[0] == "0"
    assert "4.0 s" in texts[BARS]


def test_silence_is_empty_and_full_scale_is_marked() -> None:
    lines = wave_lines(Wave([0.0] * 200 + [1.0] * 200, 2.0), WIDTH, BARS)
    top, bottom = plain(lines[0]), plain(lines[BARS - 1])
    half = (WIDTH - 8) // 2
    assert bottom[1 : half + 1].strip() == ""
    assert set(top[half + 1 : 2 * half + 1]) == {"!"}
    assert set(bottom[half + 1 : 2 * half + 1]) == {"█"}


def test_the_place_to_cut_stands_in_every_row_and_says_its_time() -> None:
    for cut in (0.0, 1.0, 2.0, 3.99, 4.0, 9.0):
        lines = [plain(line) for line in wave_lines(Wave([0.3] * 400, 4.0, (), cut), WIDTH, BARS)]
        columns = {line.index("┃") for line in lines[:BARS]}
        assert columns == {lines[BARS].index("▲")}
        assert f"{cut:.2f} s" in lines[BARS]
        assert all(len(line) <= WIDTH for line in lines)
    assert columns == {WIDTH - 8}


def test_a_clip_without_length_is_drawn() -> None:
    assert len(wave_lines(Wave([], 0.0, (), 0.0), 20, 2)) == 3
