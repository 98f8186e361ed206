"""What the doctor says of packages."""

from __future__ import annotations

import importlib.metadata

import pytest

from engine.checks import software
from engine.checks.finding import Surroundings, TerminalFacts
from engine.hub import never_stop

AT = Surroundings(None, TerminalFacts(is_tty=False), {}, never_stop)


def test_the_tested_packages_match() -> None:
    [family] = software.torch_family(AT)
    assert family.level == "ok", family.seen
    [pins] = software.pins(AT)
    assert pins.level == "ok", pins.seen
    first = next(iter(software.python(AT)))
    assert first.level == "ok"


@pytest.mark.parametrize(
    ("torch", "audio", "codec", "wrong"),
    [
        ("2.10.0+cu128", "2.10.0+cu128", "0.10.0", ""),
        ("2.10.0+cu128", "2.10.0", "0.10.1+cpu", ""),
        ("2.9.1", "2.9.1", "0.8.0", ""),
        ("2.9.1", "2.9.1", "0.9.0", ""),
        ("2.30.0", "2.30.0", "0.40.0", ""),
        ("2.10.0", "2.9.1", "0.10.0", "torchaudio 2.9.1 is made for torch 2.9"),
        ("2.10.0+cu128", "2.10.0+cpu", "0.10.0", "torchaudio is built for cpu, torch for cu128"),
        ("2.10.0", "2.10.0", "0.7.0", "torchcodec 0.7 is made for torch 2.8"),
    ],
)
def test_which_versions_belong_together(torch: str, audio: str, codec: str, wrong: str) -> None:
    versions = {"torch": torch, "torchaudio": audio, "torchcodec": codec}
    assert software.mismatches(versions) == ([wrong] if wrong else [])


def test_packages_that_differ_are_named(monkeypatch: pytest.MonkeyPatch) -> None:
    def versions(name: str) -> str:
        if name == "soxr":
            raise importlib.metadata.PackageNotFoundError(name)
        return "9.9" if name == "numpy" else real(name)

    real = importlib.metadata.version
    monkeypatch.setattr(importlib.metadata, "version", versions)
    [found] = software.pins(AT)
    assert found.level == "failure"
    assert "numpy is 9.9, tested with " in found.seen
    assert "soxr is missing" in found.seen
    assert "uv sync" in found.remedy


@pytest.mark.parametrize(
    ("version", "allowed"), [((3, 10), False), ((3, 11), True), ((3, 13), True), ((3, 14), False)]
)
def test_python_versions(version: tuple[int, int], allowed: bool) -> None:
    assert software._is_allowed(version, "<3.14,>=3.11") is allowed
