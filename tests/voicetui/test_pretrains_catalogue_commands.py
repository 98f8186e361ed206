"""`voicetui pretrains list`, `show` and `import`, as people type them."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from helpers_stored import keep_bytes

from engine import places
from engine.pretrains import store
from engine.pretrains.catalogue import entries, find
from voicetui import cli, exit_codes

Capture = pytest.CaptureFixture[bytes]
SHA = "0123456789abcdef" * 4


def out_of(capture: Capture, *arguments: str) -> list[str]:
    assert cli.run(["pretrains", *arguments]) == exit_codes.DONE
    return capture.readouterr().out.decode().splitlines()


def json_of(capture: Capture, *arguments: str) -> Any:
    (line,) = out_of(capture, *arguments, "--json")
    return json.loads(line)


def write_own(text: str) -> Path:
    path = places.config_dir() / "pretrains.toml"
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text, encoding="utf-8")
    return path


@pytest.mark.parametrize(
    ("width", "titles"),
    [
        (80, "NAME RATE STATE KIND LANGUAGE HOURS SIZE"),
        (200, "NAME RATE STATE KIND LANGUAGE HOURS SIZE AUTHOR LICENCE REPOSITORY"),
        (30, "NAME RATE"),
    ],
)
def test_the_list_fits_the_terminal(
    width: int, titles: str, monkeypatch: pytest.MonkeyPatch, capfdbinary: Capture
) -> None:
    monkeypatch.setenv("COLUMNS", str(width))
    lines = out_of(capfdbinary, "list")
    table = lines[: lines.index("")]
    assert table[0].split() == titles.split()
    assert max(map(len, table)) <= width
    assert len(table) - 1 == len(entries())
    # Aligned: every cell of a column begins under its title.
    at = table[0].index("RATE")
    assert all(line[at - 1] == " " and line[at] != " " for line in table)
    assert max(map(len, lines[lines.index("") :])) <= 80


def test_the_list_says_what_is_not_known_and_what_is_here(
    monkeypatch: pytest.MonkeyPatch, capfdbinary: Capture
) -> None:
    monkeypatch.setenv("COLUMNS", "80")
    keep_bytes(name="TITAN")
    lines = out_of(capfdbinary, "list")
    rows = {(line[:22].strip(), line[22:25]): line[22:].split() for line in lines}
    assert rows["DMR V1", "32k"] == ["32k", "unverified", "unknown", "-", "-", "-"]
    kept = sum(file.size for file in store.stored()["titan-40k"].files)
    assert rows["TITAN", "40k"] == ["40k", "here", "finetune", "-", "11.15", f"{kept}", "B"]
    assert rows["KLM 4.1", "48k"] == ["48k", "unverified", "finetune", "ko,ja,en", "100", "-"]
    assert rows["xtts-v2.0.3", "24k"][2:6] == ["XTTS", "base", "en", "+16"]
    assert "voicetui pretrains check" in lines[-1]
    assert "no best pretrain" in lines[-1]


def test_the_list_for_programs_is_flat(capfdbinary: Capture) -> None:
    keep_bytes(name="TITAN")
    found = json_of(capfdbinary, "list")
    assert len({(row["name"], row["rate"]) for row in found}) == len(found) == len(entries())
    rows = {row["slug"]: row for row in found}
    assert rows["titan-40k"] == {
        "name": "TITAN",
        "rate": 40000,
        "slug": "titan-40k",
        "family": "rvc",
        "kind": "finetune",
        "author": "blaise-tk",
        "languages": [],
        "hours": 11.15,
        "parent": "RVC v2",
        "embedder": "contentvec",
        "pitch": True,
        "licence": "Apache-2.0",
        "licence_url": "",
        "repository": "blaise-tk/TITAN",
        "folder": "models/medium/40k/pretrained",
        "revision": "cb72bb5bb05a85f07b17a33b014b694eaa9525f7",
        "size": 1_295_276_596,
        "verified": True,
        "installed": True,
        "origin": "catalogue",
        "note": "The medium size; trained on Expresso.",
    }
    unknown = rows["klm-4.2-32k"]
    wanted = {"size": None, "hours": None, "verified": False, "installed": False, "licence": ""}
    assert {key: unknown[key] for key in wanted} == wanted


@pytest.mark.parametrize(
    ("options", "slugs"),
    [
        (["singers"], ["singerpretrain-32k"]),
        (["--rate", "40000", "--language", "ja"], ["snowiev3.1-40k"]),
        (["--rate", "40k", "--kind", "scratch"], ["rvc-v2-40k", "rvc-v2-without-pitch-40k",
                                                  "rin-e3-40k"]),
        (["--author", "essid"], ["guidevocalpretrain-48k"]),
        (["--installed"], ["titan-40k"]),
        (["--missing", "--author", "blaise"], ["titan-32k", "titan-48k"]),
        (["--family", "xtts", "2.0.1"], ["xtts-v2.0.1"]),
        (["--kind", "merge"], []),
    ],
)  # fmt: skip
def test_the_list_is_searched(options: list[str], slugs: list[str], capfdbinary: Capture) -> None:
    keep_bytes(name="TITAN")
    assert [row["slug"] for row in json_of(capfdbinary, "list", *options)] == slugs


def test_a_wish_that_cannot_be_is_explained(capfdbinary: Capture) -> None:
    assert cli.run(["pretrains", "list", "--kind", "best"]) == exit_codes.WRONG_USE
    assert b"scratch" in capfdbinary.readouterr().err
    assert cli.run(["pretrains", "list", "--rate", "fast"]) == exit_codes.WRONG_USE
    assert b"Write it as 32k" in capfdbinary.readouterr().err
    assert cli.run(["pretrains", "list", "--kind", "merge"]) == exit_codes.DONE
    captured = capfdbinary.readouterr()
    assert (captured.out, b"None of the 47 pretrains fits" in captured.err) == (b"", True)


@pytest.mark.parametrize(
    ("wish", "told"),
    [
        (["--installed"], "on this machine yet: voicetui pretrains get"),
        (["--language", "Klingon"], "heard 'Klingon'. Those that are known heard ar, cs"),
        (["--language", "hi", "--rate", "40k"], "Ask for less"),
    ],
)
def test_an_empty_list_says_why(wish: list[str], told: str, capfdbinary: Capture) -> None:
    assert cli.run(["pretrains", "list", *wish]) == exit_codes.DONE
    assert told in capfdbinary.readouterr().err.decode()


def test_one_is_shown_with_all_that_is_known(capfdbinary: Capture) -> None:
    lines = out_of(capfdbinary, "show", "titan", "--rate", "40k")
    page = f"https://huggingface.co/blaise-tk/TITAN/tree/{find('titan-40k').revision}/models"
    text = "\n".join(lines)
    assert f"{page}/medium/40k/pretrained\n" in text
    for file in find("titan-40k").files:
        assert f"{file.role}  {file.path}" in lines
        assert f"   SHA-256 {file.sha256}" in lines
    assert lines[-1] == "next: voicetui pretrains get titan-40k"
    value = json_of(capfdbinary, "show", "titan-40k")
    assert value["page"].startswith(page)
    assert [file["role"] for file in value["files"]] == ["G", "D"]
    assert value["files"][0]["size"] == 438_156_650
    assert value["next"] == ["voicetui pretrains get titan-40k"]
    assert value["stored"] is None


def test_one_that_is_here_is_shown_as_it_came(capfdbinary: Capture) -> None:
    kept = keep_bytes(name="Anna")
    text = "\n".join(out_of(capfdbinary, "show", "anna"))
    for told in (kept.commit, str(kept.folder), f"here, {kept.came}", "generator, RVC v2, 40k"):
        assert told in text
    for file in kept.files:
        assert f"{file.role}  {file.path}\n" in text
        assert file.sha256 in text
    assert "not known" not in text
    stored = json_of(capfdbinary, "show", "anna")["stored"]
    assert (stored["path"], stored["commit"]) == (str(kept.folder), kept.commit)
    assert [file["sha256"] for file in stored["files"]] == [file.sha256 for file in kept.files]


@pytest.mark.parametrize(
    ("slug", "installed", "told"),
    [
        ("rigel-40k", False, "found by what is in them"),
        ("dmr-v2-32k", False, "get dmr-v2-32k --from G.pth D.pth"),
        ("dmr-v1-32k", False, "SHA-256 not known"),
        ("legacy-core-32k", False, "embedder      spin"),
        ("rvc-v2-without-pitch-32k", False, "pitch         no"),
        ("ima-32k", False, "a name that others use too"),
        ("titan-40k", True, "next: voicetui pretrains install titan-40k"),
        ("xtts-v2.0.3", False, "https://coqui.ai/cpml"),
    ],
)
def test_showing_tells_what_matters(
    slug: str, installed: bool, told: str, capfdbinary: Capture
) -> None:
    if installed:
        keep_bytes(name="TITAN")
    assert told in "\n".join(out_of(capfdbinary, "show", slug))


def test_a_name_at_several_rates_asks_which(capfdbinary: Capture) -> None:
    assert cli.run(["pretrains", "show", "titan"]) == exit_codes.WRONG_USE
    assert b"32k, 40k and 48k. Choose one with --rate" in capfdbinary.readouterr().err


def test_a_broken_own_file_is_told_and_ours_are_shown(capfdbinary: Capture) -> None:
    path = write_own("[x")
    for arguments in (["list"], ["show", "titan-40k"]):
        assert cli.run(["pretrains", *arguments]) == exit_codes.DONE
        captured = capfdbinary.readouterr()
        assert b"TITAN" in captured.out
        assert f"warning: {path} cannot be read".encode() in captured.err
    assert cli.run(["pretrains", "import", str(path)]) == exit_codes.WRONG_USE
    assert path.read_text() == "[x"


def test_foreign_text_reaches_no_terminal(
    monkeypatch: pytest.MonkeyPatch, capfdbinary: Capture
) -> None:
    monkeypatch.setenv("COLUMNS", "200")
    write_own(
        '[Anna.40k]\nauthor = "\\u001b[2J\\u202e[bold]声"\nnote = "\\u001b]0;x\\u0007"\n'
        'parent = "a\\nb"\nlicence = "\\u009b31m"\n'
        f'G = {{ path = "v2/声 G.pth", size = 3, sha256 = "{SHA}" }}\n'
    )
    for arguments in (["list", "anna"], ["show", "anna"], ["show", "anna", "--json"]):
        text = "\n".join(out_of(capfdbinary, *arguments))
        assert "Anna" in text
        assert "[bold]" in text
        assert not set(text) & set("\x1b\x07\x9b\u202e\x00")


def test_a_list_is_imported_once(tmp_path: Path, capfdbinary: Capture) -> None:
    path = tmp_path / "list.json"
    files = {role: f"anna/voices/resolve/main/v2/{role}.pth" for role in "GD"}
    titan = find("titan-40k")
    known = {file.role: f"{titan.repository}/resolve/main/{file.path}" for file in titan.files}
    listed = {
        "Anna": {"40k": files, "48k": {"G": "null", "D": "null"}},
        "Titan": {"40000": known},
        "\x1b[2J": {"40k": files},
    }
    path.write_text(json.dumps(listed))
    before = find("titan-40k")
    lines = out_of(capfdbinary, "import", str(path), "--dry-run")
    assert lines[:4] == [
        "new      Anna at 40k: https://huggingface.co/anna/voices/tree/main/v2",
        "known    Titan 40000: it is TITAN at 40k",
        "refused  Anna 48k: it names no G",
        "refused  ␛[2J 40k: its name cannot be used",
    ]
    own = places.config_dir() / "pretrains.toml"
    assert "Nothing was written" in lines[-1]
    assert not own.exists()
    lines = out_of(capfdbinary, "import", str(path))
    assert lines[-2:] == [f"1 added to {own}.", "next: voicetui pretrains show anna-40k"]
    assert [row["origin"] for row in json_of(capfdbinary, "list", "anna")] == ["own"]
    text = own.read_text()
    again = json_of(capfdbinary, "import", str(path))
    assert (again["new"], again["written"], len(again["known"])) == ([], False, 2)
    assert (own.read_text(), find("titan-40k")) == (text, before)


def test_the_group_explains_itself(capfdbinary: Capture) -> None:
    text = " ".join("\n".join(out_of(capfdbinary)).split())
    assert "A pretrain is a model that has heard many voices." in text
    for name in ("list", "show", "import"):
        assert f" {name} " in text
        assert out_of(capfdbinary, name, "--help")
    assert "voicetui pretrains get titan-40k" in text


def test_the_list_needs_no_torch() -> None:
    code = (
        "import sys\nfrom voicetui import cli\nassert cli.run(['pretrains', 'list']) == 0\n"
        "print([m for m in ('torch', 'numpy', 'huggingface_hub', 'textual', 'httpx')"
        " if m in sys.modules])"
    )
    done = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, timeout=60, check=True
    )
    assert done.stdout.splitlines()[-1] == "[]"
