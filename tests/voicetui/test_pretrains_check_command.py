"""`voicetui pretrains check`: what it prints, its exit codes, and what it must not load."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest
import soundfile
from helpers_vocoder import made_voice, with_line

from engine import project as projects
from engine.dataset import clips
from engine.dataset.clips import Clip, SourceRef
from voicetui import cli, exit_codes


def run(*arguments: str) -> int:
    return cli.run(["pretrains", "check", *arguments])


@pytest.fixture
def project(tmp_path: Path) -> Path:
    """A project with a clip of four seconds."""
    folder = tmp_path / "anna"
    made = projects.create(folder, name="Anna", language="en", sources=[])
    voice = made_voice(4, 22_050, 120.0)
    (made.dataset_dir / "wavs").mkdir(parents=True)
    soundfile.write(made.dataset_dir / "wavs/1.wav", voice.samples, 22_050)
    source = SourceRef("a.wav", "0" * 64)
    clip = Clip(
        *("1", source, 0.0, 4.0, "wavs/1.wav", "text", None, None, ()),
        *("en", "Anna", "train", "kept", "", {"snr": 40.0, "bandwidth": 10_000.0}),
    )
    clips.write(made.dataset_dir, [clip])
    return folder


def test_a_small_project_fails_with_what_to_do(
    project: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert run(str(project), "--kind", "scratch", "--batch-size", "32") == exit_codes.FAILED
    out = capsys.readouterr().out
    assert max(map(len, out.splitlines())) <= 80
    assert "failure  hours" in out
    assert "at least 50 h" in " ".join(out.split())
    assert "warning  batch size" in out
    assert "There is no best pretrain" in out
    assert "does not train RVC yet" in " ".join(out.split())


def test_warnings_alone_are_done(capsys: pytest.CaptureFixture[str]) -> None:
    assert run("--batch-size", "2") == exit_codes.DONE
    assert "warning  batch size" in capsys.readouterr().out


def test_samples_as_json(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    voice = made_voice(4, 40_000, 210.0)
    path = tmp_path / "sp\x1boken.wav"
    soundfile.write(path, with_line(voice.samples, 40_000, -40.0), 40_000)
    assert run("--sample", str(path), "--json") == exit_codes.DONE
    out = capsys.readouterr().out
    answer = json.loads(out)
    found = {check["name"]: check for check in answer["checks"]}
    assert found["8 kHz line"]["level"] == "warning"
    assert set(found["8 kHz line"]) == {"group", "name", "level", "seen", "meaning", "remedy"}
    assert "\x1b" not in found["8 kHz line"]["group"]
    assert sum(answer["levels"].values()) == len(answer["checks"])
    assert "licence" in answer["best"]["weigh"]


@pytest.mark.parametrize(
    "arguments", [["nowhere"], ["--kind", "merge"], ["--batch-size", "0"], ["--sample", "no.wav"]]
)
def test_wrong_use(arguments: list[str], capsys: pytest.CaptureFixture[str]) -> None:
    assert run(*arguments) == exit_codes.WRONG_USE
    assert capsys.readouterr().err.startswith("error: ")


def test_without_a_sample_nothing_heavy_is_loaded() -> None:
    code = (
        "import sys; from voicetui import cli; cli.run(['pretrains', 'check']);"
        "print(*{name.partition('.')[0] for name in sys.modules}, file=sys.stderr)"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    heavy = {"torch", "transformers", "TTS", "textual", "numpy"}
    assert not heavy & set(done.stderr.split())
