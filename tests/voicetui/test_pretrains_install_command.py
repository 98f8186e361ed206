"""`voicetui pretrains install`, `uninstall` and `merge`, as people type them."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from helpers_stored import PLAIN, keep
from helpers_tools import NEW_FOLDER, make_applio, make_rvc

from engine.pretrains import merge as merging
from engine.pretrains import store
from voicetui import cli, exit_codes

Captured = pytest.CaptureFixture[bytes]


def run(*arguments: str | Path) -> int:
    return cli.run(["pretrains", *map(str, arguments)])


def said(captured: Captured) -> str:
    return captured.readouterr().out.decode()


def answer(captured: Captured) -> Any:
    return json.loads(captured.readouterr().out)


def test_installed_and_taken_back(tmp_path: Path, capfdbinary: Captured) -> None:
    keep("Anna")
    root = make_applio(tmp_path / "my applio", NEW_FOLDER)
    assert run("install", "anna", "--into", root) == exit_codes.DONE
    out = said(capfdbinary)
    assert "wrote '" in out
    assert "next:\n  1. " in out
    assert "  3. Choose G_anna-40k.pth as Custom Pretrained G" in out
    assert run("install", "anna-40k", "--into", root) == exit_codes.DONE
    assert "is there already: '" in said(capfdbinary)
    assert run("uninstall", "anna", "--from", root / "rvc") == exit_codes.DONE
    assert said(capfdbinary).count("removed '") == 2
    assert list((root / NEW_FOLDER).iterdir()) == []
    assert run("uninstall", "anna", "--from", root) == exit_codes.WRONG_USE


def test_programs_get_one_object(tmp_path: Path, capfdbinary: Captured) -> None:
    keep("Anna", speakers=2)
    root = make_rvc(tmp_path / "rvc")
    assert run("install", "anna-40k", "--into", root, "--json") == exit_codes.DONE
    done = answer(capfdbinary)
    assert (done["name"], done["tool"]) == ("anna-40k", "rvc")
    assert done["files"] == done["written"]
    assert all(Path(path).is_file() for path in done["files"])
    assert len(done["warnings"]) == 1
    assert run("uninstall", "anna-40k", "--from", root, "--json") == exit_codes.DONE
    assert answer(capfdbinary)["removed"] == done["files"]


def test_without_a_folder_the_installations_are_listed(
    tmp_path: Path, capfdbinary: Captured, monkeypatch: pytest.MonkeyPatch
) -> None:
    keep("Anna")
    root = make_rvc(tmp_path / "tools" / "rvc")
    monkeypatch.chdir(tmp_path)
    assert run("install", "anna") == exit_codes.DONE
    out = said(capfdbinary)
    assert f"    voicetui pretrains install anna-40k --into {root}\n" in out
    assert run("install", "anna", "--json") == exit_codes.DONE
    assert {
        "tool": "rvc",
        "root": str(root),
        "folder": str(root / "assets/pretrained_v2"),
    } in answer(capfdbinary)["installations"]


def test_what_cannot_be_done_is_told_with_its_code(tmp_path: Path, capfdbinary: Captured) -> None:
    root = make_rvc(tmp_path / "rvc")
    for arguments, code, told in (
        (("install", "titan-40k", "--into", root), 2, "pretrains get titan-40k"),
        # Not "get it first", which would cost 2 GB.
        (("install", "xtts-v2.0.3", "--into", root), 2, "pretrains use xtts-v2.0.3 DIR"),
        (("merge", "dora", "xtts-v2.0.3", "titan-40k"), 2, "only RVC pretrains"),
        (("install", "anna", "--into", tmp_path / "none"), 2, "There is no folder"),
        (("merge", "dora", "anna:much", "anna"), 2, "'much' is no weight"),
        (("merge", "dora", "anna", "nobody:1"), 2, "no pretrain called 'nobody'"),
        (("install", "anna", "--into", root), 3, "different file"),
    ):
        if "anna" in arguments and not store.stored():
            keep("Anna")
            (root / "assets/pretrained_v2/D_anna-40k.pth").write_bytes(b"mine")
        assert run(*arguments) == code
        assert told in capfdbinary.readouterr().err.decode()


def test_merging_imports_no_torch(capfdbinary: Captured) -> None:
    keep("Anna", file_names=PLAIN)
    keep("Bert", seed=4, file_names=PLAIN)
    code = (
        "import sys; from voicetui import cli;"
        "code = cli.run(['pretrains', 'merge', 'Dora', 'anna:3', 'bert', '--json']);"
        "sys.exit(code or 'torch' in sys.modules)"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, check=True)
    result = json.loads(done.stdout)
    assert result["warning"] == merging.WARNING
    assert [line[:12] for line in result["lineage"]] == ["0.75 of Anna", "0.25 of Bert"]
    assert b"worst" in done.stderr
    assert store.stored()["dora-40k"].folder == Path(result["path"])
    given = ["merge", "Emil", "anna:-0.5", "--difference", "bert", "--precision", "fp16"]
    assert run(*given) == exit_codes.DONE
    assert "next: voicetui pretrains install emil-40k" in said(capfdbinary)
    assert store.stored()["emil-40k"].file("G").facts.precision == "fp16"
