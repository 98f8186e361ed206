"""The pins that `.ci/pin` writes: one set, for uv and for pip."""

from __future__ import annotations

import re
import tomllib
from pathlib import Path
from typing import Any

ROOT = Path(__file__).parent.parent
PIN = re.compile(r"[a-z0-9-]+==[0-9][\w.+!]*( ; [\w'.<>=! ]+)?")


def pyproject() -> dict[str, Any]:
    return tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))


def test_uv_and_pip_get_the_same_pins() -> None:
    lines = (ROOT / "constraints.txt").read_text(encoding="utf-8").splitlines()
    pins = [line for line in lines if not line.startswith("#")]
    assert pins == pyproject()["tool"]["uv"]["constraint-dependencies"]
    assert len(pins) > 100


def test_a_pin_is_a_name_a_version_and_nothing_else() -> None:
    for pin in pyproject()["tool"]["uv"]["constraint-dependencies"]:
        assert PIN.fullmatch(pin), pin


def test_every_direct_dependency_is_pinned_to_the_same_version() -> None:
    document = pyproject()
    direct = [
        *document["project"]["dependencies"],
        *(
            entry
            for extra in document["project"]["optional-dependencies"].values()
            for entry in extra
        ),
        *(entry for group in document["dependency-groups"].values() for entry in group),
    ]
    pins = set(document["tool"]["uv"]["constraint-dependencies"])
    named = {entry.replace("_", "-") for entry in direct if not entry.startswith("voicetui[")}
    assert named <= pins
