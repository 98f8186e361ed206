"""Judging and converting files through the process that reads them."""

from __future__ import annotations

import dataclasses
import json
import os
import signal
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import psutil
import pytest
from helpers_pretrains import write_discriminator, write_generator, write_voice

from engine.errors import DamagedError, StopRequested, UnsafeFileError
from engine.pretrains import reader
from engine.pretrains.facts import Facts, belong, facts_from

G = Facts("generator", 560, 1, 4, "fp32", version="v2", rate=40000, pitch=True, iteration=300)
D = Facts("discriminator", 165, 1, 4, "fp32", version="v2", iteration=300)


def the_reader() -> psutil.Process | None:
    """The process that reads, once it has begun to."""
    for process in psutil.Process().children():
        if "engine.pretrains.reading" in " ".join(process.cmdline()):
            return process
    return None


def when_it_runs(act: Callable[[psutil.Process], None]) -> Callable[[], None]:
    def check() -> None:
        if process := the_reader():
            act(process)

    return check


def test_a_checkpoint_becomes_plain_tensors_and_nothing_else(tmp_path: Path) -> None:
    import torch
    from safetensors import safe_open

    state = write_generator(tmp_path / "D_named_wrongly.txt", 32000, leftovers=True, half=True)
    before = (tmp_path / "D_named_wrongly.txt").read_bytes()
    target = tmp_path / "store/G.safetensors"

    facts = reader.convert(tmp_path / "D_named_wrongly.txt", target)

    assert facts.what == "generator"
    assert (facts.version, facts.rate, facts.pitch, facts.speakers) == ("v2", 32000, True, 109)
    assert (facts.precision, facts.tensors, facts.vocoder) == ("fp16", 560, "HiFi-GAN")
    assert facts.iteration == 300
    assert "optimizer" in facts.leftovers
    assert facts.problems == ()
    with safe_open(target, framework="pt") as opened:
        assert set(opened.keys()) == set(state)
        assert all(torch.equal(opened.get_tensor(name), state[name]) for name in state)
    assert [path.name for path in target.parent.iterdir()] == ["G.safetensors"]
    assert (tmp_path / "D_named_wrongly.txt").read_bytes() == before
    assert facts_from(json.loads(json.dumps(dataclasses.asdict(facts)))) == facts


def test_a_stop_ends_the_reader_and_leaves_nothing(tmp_path: Path) -> None:
    write_discriminator(tmp_path / "d.pth")
    seen = []

    def stop(process: psutil.Process) -> None:
        seen.append(process)
        raise StopRequested("SIGINT")

    with pytest.raises(StopRequested):
        reader.convert(tmp_path / "d.pth", tmp_path / "out/D.safetensors", check=when_it_runs(stop))
    assert not seen[0].is_running()
    assert list((tmp_path / "out").iterdir()) == []


def test_a_reader_that_the_system_ends_is_a_refusal(tmp_path: Path) -> None:
    write_discriminator(tmp_path / "d.pth")
    kill = when_it_runs(lambda process: os.kill(process.pid, signal.SIGKILL))
    with pytest.raises(UnsafeFileError, match=r"d\.pth was not read: .*more time or memory"):
        reader.convert(tmp_path / "d.pth", tmp_path / "D.safetensors", check=kill)
    assert [path.name for path in tmp_path.iterdir()] == ["d.pth"]


def test_a_damaged_file_leaves_what_was_there(tmp_path: Path) -> None:
    write_discriminator(tmp_path / "d.pth")
    (tmp_path / "d.pth").write_bytes((tmp_path / "d.pth").read_bytes()[:5000])
    (tmp_path / "D.safetensors").write_bytes(b"before")
    with pytest.raises(DamagedError, match=r"d\.pth"):
        reader.convert(tmp_path / "d.pth", tmp_path / "D.safetensors")
    assert (tmp_path / "D.safetensors").read_bytes() == b"before"
    with pytest.raises(DamagedError, match=r"none\.pth"):
        reader.inspect(tmp_path / "none.pth")


CONFINED = """
import os, resource, socket, subprocess, sys
from pathlib import Path
from engine.pretrains import reading

path, target, elsewhere = map(Path, sys.argv[1:])
reading.confine(path, target)
target.write_bytes(b"allowed")
def refuses(work, error):
    try:
        work()
    except error:
        return
    sys.exit(f"{work} was allowed")
refuses(lambda: elsewhere.write_bytes(b"x"), PermissionError)
refuses(lambda: path.open("ab"), PermissionError)
refuses(lambda: os.rename(path, elsewhere), PermissionError)
refuses(lambda: path.unlink(), PermissionError)
refuses(lambda: subprocess.run(["true"]), PermissionError)
refuses(lambda: os.system("true"), PermissionError)
refuses(os.fork, PermissionError)
refuses(lambda: socket.create_connection(("127.0.0.1", 9)), PermissionError)
refuses(lambda: bytearray(1 << 30), MemoryError)
refuses(lambda: target.write_bytes(bytes(2 << 20)), OSError)
refuses(lambda: [path.open() for _ in range(99)], OSError)
limits = [resource.getrlimit(each)[1] for each in (resource.RLIMIT_CORE, resource.RLIMIT_CPU)]
print(limits)
"""


def test_the_reader_has_given_up_what_it_does_not_need(tmp_path: Path) -> None:
    (tmp_path / "w.pth").write_bytes(b"weights")
    names = [str(tmp_path / name) for name in ("w.pth", "target", "elsewhere")]
    done = subprocess.run(
        [sys.executable, "-c", CONFINED, *names],
        cwd=Path(reader.__file__).parents[2],
        capture_output=True,
        text=True,
        check=False,
    )
    assert (done.returncode, done.stdout, done.stderr) == (0, "[0, 30]\n", "")
    assert sorted(path.name for path in tmp_path.iterdir()) == ["target", "w.pth"]


@pytest.mark.parametrize(
    ("g", "d", "reason"),
    [
        (G, D, ""),
        (dataclasses.replace(G, iteration=None), D, ""),
        (D, G, "swapped"),
        (G, G, "the second is a generator"),
        (dataclasses.replace(G, what="voice"), D, "the first is a voice"),
        (dataclasses.replace(G, version="v1"), D, "RVC v1"),
        (dataclasses.replace(G, precision="fp16"), D, "fp16"),
        (dataclasses.replace(G, iteration=299), D, "epoch 299"),
        (dataclasses.replace(G, vocoder="RefineGAN"), D, "RefineGAN"),
        (
            dataclasses.replace(G, vocoder="RefineGAN"),
            dataclasses.replace(D, vocoder="RefineGAN", version=""),
            "",
        ),
    ],
)
def test_which_files_belong_together(g: Facts, d: Facts, reason: str) -> None:
    found = belong(g, d)
    assert reason in "; ".join(found)
    assert bool(found) == bool(reason)


def described(folder: Path, **changes: object) -> Facts:
    """The facts of a generator at 40k whose tensors were changed; None takes one away."""
    from engine.pretrains.content import content_of
    from engine.pretrains.describe import describe

    state = dict(write_generator(folder / "g.pth")) | changes
    return describe(
        content_of({"model": {name: each for name, each in state.items() if each is not None}})
    )


def test_what_is_wrong_with_tensors_is_named(tmp_path: Path) -> None:
    import torch

    name = "enc_p.proj.weight"
    good = described(tmp_path)
    assert good.problems == ()
    assert "NaN" in described(tmp_path, **{name: torch.full((16, 8, 1), torch.nan)}).problems[0]
    assert name in described(tmp_path, **{name: torch.full((16, 8, 1), torch.inf)}).problems[0]
    assert "empty" in described(tmp_path, **{name: torch.ones(0, 8, 1)}).problems[0]
    assert "112 of its 113" not in str(good.problems)
    assert described(tmp_path, **{name: None}).problems == ("enc_p has 112 of its 113 weights",)
    half = described(tmp_path, **{"dec.ups.0.weight_g": None})
    assert half.problems == ("half a weight norm (dec.ups.0.weight_v)",)
    assert "no tensor" in described(tmp_path, extra="text").problems[0]
    wide = torch.ones(32, 16, 18)
    rate = described(tmp_path, **{"dec.ups.0.weight_v": wide})
    assert rate.rate == 0
    assert "upsampling kernels 18, 16, 4, 4" in rate.problems[0]
    phone = described(tmp_path, **{"enc_p.emb_phone.weight": torch.ones(8, 512)})
    assert (phone.version, "phone embedding" in phone.problems[0]) == ("", True)


def test_what_a_voice_says_of_itself_is_held_against_its_tensors(tmp_path: Path) -> None:
    import torch

    from engine import weights
    from engine.pretrains.content import content_of
    from engine.pretrains.describe import describe

    write_voice(tmp_path / "v.pth", 48000)
    voice = weights.load(tmp_path / "v.pth")
    voice["config"][-1] = 32000
    voice["version"] = "v1"
    voice["f0"] = 0
    voice["info"] = torch.ones(2)
    problems = "; ".join(describe(content_of(voice)).problems)
    assert "its rate is 32000, its tensors say 48000" in problems
    assert "its version is v1" in problems
    assert "its pitch is False" in problems


def test_hostile_names_are_shown_harmlessly(tmp_path: Path) -> None:
    import torch

    from engine.pretrains.content import content_of
    from engine.pretrains.describe import describe

    content = {
        "model": {"\x1b]0;owned\x07": torch.tensor([torch.nan]), "discriminators.²": torch.ones(1)},
        "a" * 10_000: 10**400,
        "\x1b[2J": 1,
        "iteration": 10**400,
    }
    facts = describe(content_of(content))
    told = json.dumps(dataclasses.asdict(facts), ensure_ascii=False)
    assert facts.what == "other"
    assert facts.iteration is None
    assert "\\u001b" not in told
    assert len(told) < 2000
