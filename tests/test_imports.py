"""What the engine and the command line may import, and what the engine may never do."""

from __future__ import annotations

import ast
import importlib.util
import json
import subprocess
import sys
from pathlib import Path

import pytest

import engine

HEAVY = {"torch", "TTS", "transformers"}
# Modules that are written in torch's own types; the functions that train, export or speak import
# them. Nothing else in the engine may bring torch along.
IN_TORCH = {
    "engine.training.evaluation",
    "engine.training.loop",
    "engine.training.optimizer",
    "engine.training.precision",
    "engine.training.rng",
    "engine.training.stepping",
    "engine.training.task",
    "engine.training.trained",
    "engine.xtts.model",
    "engine.xtts.task",
}
ENGINE = Path(engine.__file__).parent
# The worker of speech recognition is the main program of a process of its own.
MODULES = {
    f"engine.{'.'.join(path.relative_to(ENGINE).with_suffix('').parts)}": path
    for path in sorted(ENGINE.rglob("*.py"))
    if path.name not in {"__init__.py", "asr_worker.py"}
}

# Each module is imported, then the top-level packages that this brought along are printed.
IMPORT = """
import importlib, json, sys
found, names = {}, sys.argv[1:]
for name in names:
    before = set(sys.modules)
    importlib.import_module(name)
    found[name] = sorted({key.partition(".")[0] for key in set(sys.modules) - before})
print(json.dumps(found))
"""


def run(code: str, *arguments: str) -> str:
    done = subprocess.run(
        [sys.executable, "-c", code, *arguments], capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr
    return done.stdout


@pytest.mark.parametrize("in_torch", [False, True])
def test_the_engine_imports_no_terminal_and_nothing_heavy(in_torch: bool) -> None:
    names = [name for name in MODULES if (name in IN_TORCH) == in_torch]
    found: dict[str, list[str]] = json.loads(run(IMPORT, *names))
    forbidden = HEAVY | {"textual", "rich", "typer", "voicetui", "faster_whisper"}
    if in_torch:
        forbidden -= {"torch"}
    guilty = {name: sorted(forbidden & set(brought)) for name, brought in found.items()}
    assert {name: packages for name, packages in guilty.items() if packages} == {}


@pytest.mark.skipif(importlib.util.find_spec("voicetui.cli") is None, reason="no cli yet")
def test_the_command_line_starts_without_anything_heavy() -> None:
    loaded = json.loads(run("import json, sys, voicetui.cli; print(json.dumps(list(sys.modules)))"))
    assert not (HEAVY | {"faster_whisper"}) & set(loaded)


def forbidden_calls(tree: ast.AST) -> list[str]:
    """Calls that print or end the process, and `raise SystemExit`, with their lines."""
    found = []
    for node in ast.walk(tree):
        if isinstance(node, ast.Call) and ast.unparse(node.func) in {
            "print",
            "exit",
            "quit",
            "sys.exit",
            "os._exit",
        }:
            found.append(f"line {node.lineno}: {ast.unparse(node.func)}")
        if isinstance(node, ast.Raise) and node.exc and "SystemExit" in ast.unparse(node.exc):
            found.append(f"line {node.lineno}: SystemExit")
        if isinstance(node, ast.ImportFrom) and node.module == "sys":
            found += [
                f"line {node.lineno}: {name.name}" for name in node.names if name.name == "exit"
            ]
    return found


@pytest.mark.parametrize("name", MODULES)
def test_the_engine_never_prints_and_never_exits(name: str) -> None:
    assert forbidden_calls(ast.parse(MODULES[name].read_text(encoding="utf-8"))) == []


@pytest.mark.parametrize(
    "code",
    ["print(1)", "import sys\nsys.exit()", "from sys import exit", "raise SystemExit(2)", "quit()"],
)
def test_the_check_sees_what_it_looks_for(code: str) -> None:
    assert forbidden_calls(ast.parse(code))
