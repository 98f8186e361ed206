"""`voicetui pretrains get`, `verify` and `remove`, as people type them."""

from __future__ import annotations

import json
import os
import signal
import threading
from collections.abc import Iterator
from pathlib import Path

import hub_server
import pytest
from helpers_hub import sha
from helpers_pretrains import write_discriminator, write_generator
from helpers_stored import keep_bytes
from hub_server import Hub

from engine.hub import Check
from engine.pretrains import own, reader, reading, store
from engine.pretrains.entry import Entry
from engine.pretrains.facts import Facts
from voicetui import cli, exit_codes

REPO = "anna/pretrain"
Captured = pytest.CaptureFixture[bytes]


@pytest.fixture
def hub(monkeypatch: pytest.MonkeyPatch) -> Iterator[Hub]:
    with hub_server.running(monkeypatch) as server:
        yield server


@pytest.fixture
def pair(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> tuple[Path, Path]:
    """A generator and a discriminator; files are read in this process, which is quicker."""

    def ask(path: Path, target: Path | None, _check: Check) -> Facts:
        return reading.read(path, target)

    monkeypatch.setattr(reader, "_ask", ask)
    g, d = tmp_path / "G_200.pth", tmp_path / "D_200.pth"
    write_generator(g, 40000)
    write_discriminator(d)
    return g, d


def publish(hub: Hub, pair: tuple[Path, Path]) -> None:
    """Put the pair on the hub, and its entry into the person's own catalogue."""
    hub.put(REPO, {path.name: path.read_bytes() for path in pair})
    own.path().parent.mkdir(parents=True)
    own.path().write_text(
        f'[Anna]\nrepository = "{REPO}"\n[Anna.40k]\n'
        'G = { path = "G_200.pth" }\nD = { path = "D_200.pth" }\n'
    )


def test_get_tells_what_it_found_and_what_is_next(
    hub: Hub, pair: tuple[Path, Path], capfdbinary: Captured
) -> None:
    publish(hub, pair)
    assert cli.run(["pretrains", "get", "anna", "--rate", "40k"]) == exit_codes.DONE
    out = capfdbinary.readouterr().out.decode()
    assert "100 %" in out
    assert "G_200.pth: generator, RVC v2, 40k, with pitch" in out
    assert "D_200.pth: discriminator" in out
    assert "next: voicetui pretrains install anna-40k" in out
    hub.asked.clear()
    assert cli.run(["pretrains", "get", "anna-40k", "--json"]) == exit_codes.DONE
    captured = capfdbinary.readouterr()
    found = json.loads(captured.out)
    assert (found["slug"], found["entry"]["rate"], found["came"]) == ("anna-40k", 40000, "fetched")
    assert [file["role"] for file in found["files"]] == ["G", "D"]
    assert b"next:" in captured.err
    assert not hub.asked


def test_ctrl_c_keeps_the_bytes_and_says_so(
    hub: Hub, pair: tuple[Path, Path], capfdbinary: Captured, release: threading.Event
) -> None:
    publish(hub, pair)
    data = pair[0].read_bytes()
    part = store.folder_of(Entry("Anna", 40000)).with_name(".part-anna-40k") / "G_200.pth.part"

    def interrupt(handler: hub_server.Handler) -> None:
        class WhenSomeCame(threading.Event):
            def wait(self, timeout: float | None = None) -> bool:
                while not (part.exists() and part.stat().st_size):
                    pass
                os.kill(os.getpid(), signal.SIGINT)
                return release.wait(timeout)

        hub_server.hold(data, 300_000, WhenSomeCame())(handler)

    hub.fail("cdn", "GET", sha(data), interrupt)
    assert cli.run(["pretrains", "get", "anna"]) == exit_codes.INTERRUPTED
    assert b"What came is kept" in capfdbinary.readouterr().err
    assert not store.stored()
    kept = part.stat().st_size
    assert 0 < kept <= 300_000
    assert cli.run(["pretrains", "get", "anna"]) == exit_codes.DONE
    assert [asked.start for asked in hub.of("cdn")] == [0, kept, 0]


def test_local_files_are_given_as_people_write_them(
    pair: tuple[Path, Path], capfdbinary: Captured, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(pair[0].parent)
    given = ["pretrains", "get", "--from", "D_200.pth", "G_200.pth", "--name", "Mine [/] 1"]
    assert cli.run(given) == exit_codes.DONE
    assert "next: voicetui pretrains install mine-1-40k" in capfdbinary.readouterr().out.decode()
    assert list(store.stored()) == ["mine-1-40k"]
    assert cli.run(given) == exit_codes.REFUSED
    assert b"mine-1-40k already" in capfdbinary.readouterr().err
    again = ["pretrains", "get", "titan-40k", "--from", "G_200.pth", "--from", "D_200.pth"]
    assert cli.run(again) == exit_codes.FAILED
    assert b"not a published file" in capfdbinary.readouterr().err


@pytest.mark.parametrize(
    ("given", "told"),
    [
        ([], "Give the NAME"),
        (["titan-40k", "rigel-32k"], "rigel-32k is one too many"),
        (["--name", "mine"], "--from"),
        (["titen-40k"], "Did you mean titan-40k"),
        (["titan"], "--rate"),
        (["titan-40k", "--from", "nowhere"], "no file or folder nowhere"),
    ],
)
def test_wrong_use_is_told(given: list[str], told: str, capfdbinary: Captured) -> None:
    assert cli.run(["pretrains", "get", *given]) == exit_codes.WRONG_USE
    assert told in capfdbinary.readouterr().err.decode()


def test_verify_fails_when_one_is_not_as_it_came(capfdbinary: Captured) -> None:
    assert cli.run(["pretrains", "verify"]) == exit_codes.DONE
    assert b"no pretrains" in capfdbinary.readouterr().out
    whole, other = keep_bytes("Anna"), keep_bytes("Bert", 32000)
    assert cli.run(["pretrains", "verify"]) == exit_codes.DONE
    out = capfdbinary.readouterr().out.decode()
    assert "anna-40k: fine" in out
    assert "bert-32k: fine" in out
    other.tensors_of("D").write_bytes(b"the tensors of E")
    (whole.folder / store.RECORD).unlink()
    assert cli.run(["pretrains", "verify", "--json"]) == exit_codes.FAILED
    captured = capfdbinary.readouterr()
    levels = {
        each["slug"]: {finding["level"] for finding in each["findings"]}
        for each in json.loads(captured.out)["pretrains"]
    }
    assert levels == {"anna-40k": {"wrong"}, "bert-32k": {"fine", "wrong"}}
    told = captured.err.decode()
    assert "anna-40k" in told
    assert "remove bert-32k --yes" in told
    assert "pretrain.json is missing" in told
    assert cli.run(["pretrains", "verify", "carl"]) == exit_codes.WRONG_USE
    assert cli.run(["pretrains", "verify", "titan-40k"]) == exit_codes.WRONG_USE
    assert b"voicetui pretrains get titan-40k" in capfdbinary.readouterr().err


def test_remove_asks_for_a_yes(capfdbinary: Captured) -> None:
    kept = keep_bytes()
    assert cli.run(["pretrains", "remove", "Anna"]) == exit_codes.REFUSED
    assert b"Add --yes" in capfdbinary.readouterr().err
    assert kept.folder.exists()
    assert cli.run(["pretrains", "remove", "Anna", "--yes"]) == exit_codes.DONE
    assert b"removed anna-40k" in capfdbinary.readouterr().out
    assert not kept.folder.exists()
    assert cli.run(["pretrains", "remove", "titan-40k", "--yes"]) == exit_codes.WRONG_USE
    broken = keep_bytes("Bert")
    (broken.folder / store.RECORD).write_bytes(b"")
    assert cli.run(["pretrains", "remove", "bert-40k", "--yes"]) == exit_codes.DONE
    assert not broken.folder.exists()


def test_a_damaged_one_that_no_catalogue_names_is_not_lost(capfdbinary: Captured) -> None:
    broken = keep_bytes("Bert")
    (broken.folder / store.RECORD).write_bytes(b"")
    assert cli.run(["pretrains", "list"]) == exit_codes.DONE
    assert b"warning: damaged: bert-40k." in capfdbinary.readouterr().err
    for command in (["verify", "Bert"], ["install", "bert-40k"]):
        assert cli.run(["pretrains", *command]) == exit_codes.FAILED
        captured = capfdbinary.readouterr()
        assert b"pretrains remove bert-40k --yes" in captured.out + captured.err
    assert cli.run(["pretrains", "remove", "bert", "--rate", "48k"]) == exit_codes.WRONG_USE
    assert cli.run(["pretrains", "remove", "Bert", "--yes"]) == exit_codes.DONE
    assert not broken.folder.exists()
