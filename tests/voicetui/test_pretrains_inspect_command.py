"""`voicetui pretrains inspect`, as people type it."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

import pytest
from helpers_pretrains import write_discriminator, write_generator

from engine.text import clean
from voicetui import cli, exit_codes

INSPECT = ["pretrains", "inspect"]
Capture = pytest.CaptureFixture[bytes]


def test_a_pair_in_lines_for_people(tmp_path: Path, capfdbinary: Capture) -> None:
    write_generator(tmp_path / "first.pth", 32000, leftovers=True)
    write_discriminator(tmp_path / "second.pth", leftovers=True)
    assert cli.run([*INSPECT, str(tmp_path)]) == exit_codes.DONE
    out = capfdbinary.readouterr().out.decode()
    assert "generator (G) of RVC\n  RVC v2, 32k, with pitch, room for 109 speakers" in out
    assert "560 tensors" in out
    assert "fp32" in out
    assert "saved at epoch 300" in out
    assert "optimizer" in out
    assert "discriminator (D) of RVC\n  RVC v2\n" in out
    assert "\nG and D belong together, as far as tensors tell" in out


def test_a_refused_file_in_json(tmp_path: Path, capfdbinary: Capture) -> None:
    path = tmp_path / "bad\x1b[31m.pth"
    path.write_bytes(b"(S'touch x'\nios\nsystem\n.")
    assert cli.run([*INSPECT, str(path), "--json"]) == exit_codes.FAILED
    captured = capfdbinary.readouterr()
    result = json.loads(captured.out)
    assert result["belong"] is None
    (judged,) = result["files"]
    assert judged["path"] == str(path)
    assert judged["facts"] is None
    assert "os.system" in judged["refused"]
    assert b"\x1b" not in captured.err
    assert clean("bad\x1b[31m.pth").encode() in captured.err
    assert b"This file cannot be used" in captured.err


def test_nothing_to_inspect_is_wrong_use(tmp_path: Path, capfdbinary: Capture) -> None:
    for path in (tmp_path, tmp_path / "none.pth"):
        assert cli.run([*INSPECT, str(path)]) == exit_codes.WRONG_USE
        assert b".safetensors" in capfdbinary.readouterr().err


@pytest.mark.long
def test_a_base_is_judged_whole(tmp_path: Path, tiny_base: Path, capfdbinary: Capture) -> None:
    base = shutil.copytree(tiny_base, tmp_path / "base")
    assert cli.run([*INSPECT, str(base)]) == exit_codes.DONE
    out = capfdbinary.readouterr().out.decode()
    for part in ("model of", "DVAE", "mel statistics", "speakers"):
        assert part in out
    assert "voicetui new NAME --base" in out
    (base / "vocab.json").unlink()
    assert cli.run([*INSPECT, str(base)]) == exit_codes.FAILED
    assert b"vocab.json" in capfdbinary.readouterr().out
