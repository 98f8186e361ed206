"""Only engine/weights.py reads pickles, and nobody runs shells or unpacks archives blindly."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
FORBIDDEN = {
    "torch.load",
    "torch.jit.load",
    "torch.hub.load",
    "torch.serialization.load",
    "torch.package.PackageImporter",
    "pickle.load",
    "pickle.loads",
    "pickle.Unpickler",
    "_pickle.load",
    "_pickle.loads",
    "_pickle.Unpickler",
    "pandas.read_pickle",
    "shelve.open",
    "marshal.load",
    "marshal.loads",
    "yaml.load",
    "yaml.load_all",
    "yaml.unsafe_load",
    "yaml.full_load",
    "os.system",
    "os.popen",
}
FORBIDDEN_MODULES = {"joblib", "dill", "cloudpickle"}


def breaches(source: str) -> Iterator[str]:
    """What a module does that only engine/weights.py may do, or nobody."""
    tree = ast.parse(source)
    names: dict[str, str] = {}
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            for alias in node.names:
                names[alias.asname or alias.name.partition(".")[0]] = (
                    alias.name if alias.asname else alias.name.partition(".")[0]
                )
                yield from FORBIDDEN_MODULES & {alias.name.partition(".")[0]}
        elif isinstance(node, ast.ImportFrom) and node.module:
            yield from FORBIDDEN_MODULES & {node.module.partition(".")[0]}
            for alias in node.names:
                names[alias.asname or alias.name] = f"{node.module}.{alias.name}"

    def full_name(node: ast.AST) -> str:
        if isinstance(node, ast.Attribute):
            return f"{full_name(node.value)}.{node.attr}"
        return names.get(node.id, node.id) if isinstance(node, ast.Name) else "?"

    for node in ast.walk(tree):
        if isinstance(node, ast.Attribute | ast.Name) and full_name(node) in FORBIDDEN:
            yield full_name(node)
        if isinstance(node, ast.Attribute) and node.attr in ("extractall", "unpack_archive"):
            yield node.attr
        if isinstance(node, ast.keyword) and node.arg in ("allow_pickle", "shell"):
            off = isinstance(node.value, ast.Constant) and node.value.value is False
            yield from [] if off else [node.arg]


@pytest.mark.parametrize(
    "source",
    [
        "import torch\ntorch.load(p, weights_only=True)",
        "import torch as t\nt.load(p)",
        "from torch import load as read\nread(p)",
        "def f():\n    import torch.serialization\n    torch.serialization.load(p)",
        "import pickle\npickle.Unpickler(f).load()",
        "from pickle import loads\nread = loads",
        "import joblib",
        "from joblib import load",
        "import numpy as np\nnp.load(p, allow_pickle=True)",
        "import numpy as np\nnp.load(p, allow_pickle=flag)",
        "import yaml\nyaml.load(f)",
        "import subprocess\nsubprocess.run(c, shell=True)",
        "archive.extractall(p)",
        "import os\nos.system(c)",
    ],
)
def test_the_search_for_breaches_finds_them(source: str) -> None:
    assert list(breaches(source))


def test_the_search_for_breaches_lets_data_through() -> None:
    source = "import json, numpy as np\njson.load(f)\nnp.load(p)\nweights.load(p)\ntomllib.loads(t)"
    assert not list(breaches(source))


def test_only_the_weights_module_reads_pickles() -> None:
    found = {
        str(path.relative_to(ROOT)): sorted(set(breaches(path.read_text())))
        for package in ("engine", "voicetui", "profiles")
        for path in (ROOT / package).rglob("*.py")
    }
    assert {path: what for path, what in found.items() if what} == {
        "engine/weights.py": ["torch.load"]
    }
    assert "weights_only=True" in (ROOT / "engine/weights.py").read_text()
