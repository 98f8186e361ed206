"""Text in the form in which all terminals agree on its width."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest
from helpers_tmux import Tmux
from rich.cells import cell_len

from voicetui.cells import is_certain, settle_widths, shown
from voicetui.glyphs import charset, is_ascii_terminal, to_ascii

UTF8 = {"LANG": "en_US.UTF-8"}


@pytest.fixture(autouse=True)
def settled() -> None:
    settle_widths()


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("plain text", "plain text"),
        ("a\tb\x1b[31m\x9b\n", "a␉b␛[31m�␊"),
        ("\u202eabc\u2066", "�abc�"),
        ("👨\u200d👩\u200d👧", "👨👩👧"),
        ("❤\ufe0f 👍🏽", "❤ 👍"),
        ("\u0301e", "◌\u0301e"),
        ("a\u200b\u200bb", "a��b"),
        ("\u3164", "�"),
        ("می\u200cخواهم", "می\u200cخواهم"),
        ("नमस्ते", "नमस्ते"),
        ("z" + "\u0301" * 10_000, "z" + "\u0301" * 8),
        ("\ue000\udcff", "��"),
    ],
)
def test_what_is_shown(text: str, expected: str) -> None:
    assert shown(text) == expected
    assert shown(shown(text)) == expected


def test_ascii_keeps_the_width() -> None:
    for text in ("漢字 e\u0301 ✓ … ⣿ नमस्ते 👍🏽", "│ 12 % █▏ ±", "\x1b\u202e"):
        plain = shown(text, ascii_only=True)
        assert plain.isascii()
        assert len(plain) == cell_len(shown(text))
    assert to_ascii("▶漢") == ">??"


def test_signs_of_ours_and_common_letters_are_certain() -> None:
    assert is_certain("Größe 3 % ▶ ✓ ★ │ ⣿ 漢字 かな 한국어 ёж ελ")
    assert not is_certain("नमस्ते")
    assert not is_certain("e\u0301")
    assert not is_certain("🇩🇪")


@pytest.mark.skipif(shutil.which("tmux") is None, reason="tmux is not installed")
def test_tmux_draws_what_we_count(tmp_path: Path, home: Path) -> None:
    texts = [
        "नमस्ते दुनिया",
        "👨‍👩‍👧|",
        "❤️|",
        "👍🏽|",
        "\u0301a",
        "漢字かな",
        "می‌خواهم",
        "สวัสดี",
        "한국어",
        "தமிழ்",
        "★✓✗⚠▶‖●█⣿",
    ]
    for number, text in enumerate(texts):
        (tmp_path / f"{number}").write_text(shown(text))
    window = Tmux({"HOME": str(home)})
    try:
        script = f"cd {tmp_path}; clear; for n in {' '.join(map(str, range(len(texts))))}; do "
        # The terminal's own answer to "where is the cursor", in columns from 1 on.
        script += "printf '%s' \"$(cat $n)\"; IFS=';' read -sdR -p $'\\e[6n' r c; "
        script += 'echo; echo "w $n $c"; done; echo over'
        window.write(script)
        window.press("Enter")
        window.wait_for("\nover")
        seen = window.screen().split()
    finally:
        window.close()
    found = {
        int(seen[place + 1]): int(seen[place + 2]) - 1
        for place, word in enumerate(seen)
        if word == "w" and seen[place + 1].isdecimal()
    }
    assert found == {number: cell_len(shown(text)) for number, text in enumerate(texts)}


# --- which terminals know only ASCII --------------------------------------------------------------


@pytest.mark.parametrize(
    ("environment", "mistaken", "expected"),
    [
        # Python took these for UTF-8 and may have put that into LC_CTYPE.
        ({"LANG": "C", "LC_CTYPE": "C.UTF-8"}, True, True),
        ({"LC_ALL": "POSIX"}, True, True),
        ({"LC_ALL": "C", "LANG": "en_US.UTF-8"}, True, True),
        # A locale that is not installed still names what the terminal knows.
        ({"LANG": "en_US.UTF-8", "LC_CTYPE": "C.UTF-8"}, True, False),
        ({"LC_ALL": "de_DE.utf8"}, True, False),
        # Nothing is set, as in containers.
        ({}, True, False),
        ({"TMUX": "/tmp/tmux-0/default,1,0"}, True, True),
        (UTF8 | {"TERM": "linux"}, True, True),
        (UTF8 | {"VOICETUI_ASCII": "1"}, True, True),
        ({"LANG": "C", "TERM": "linux", "VOICETUI_ASCII": "0"}, True, False),
    ],
)
def test_where_only_ascii_can_be_shown(
    environment: dict[str, str], mistaken: bool, expected: bool
) -> None:
    assert is_ascii_terminal(environment, mistaken=mistaken) is expected


def test_the_charset_of_a_sound_locale_is_its_own(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("locale.getencoding", lambda: "ISO-8859-15")
    assert charset({"LANG": "fr_FR@euro"}, mistaken=False) == "ISO-8859-15"
    assert is_ascii_terminal({"LANG": "fr_FR@euro"}, mistaken=False)
