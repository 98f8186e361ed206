"""Folders laid out like those of Applio and RVC."""

from __future__ import annotations

from pathlib import Path

NEW_FOLDER = "rvc/models/pretraineds/custom"
OLD_FOLDER = "rvc/models/pretraineds/pretraineds_custom"
OLDEST_FOLDER = "rvc/pretraineds/pretraineds_custom"
RVC_FOLDER = "assets/pretrained_v2"


def make_applio(root: Path, *folders: str, code: str = "") -> Path:
    """Applio with these folders for pretrains; `code` is that of its training tab."""
    files = {"app.py": "", "core.py": "", "rvc/train/train.py": "", "tabs/train/train.py": code}
    return _make(root, files, ("assets", *folders))


def make_rvc(root: Path, *, start: str = "infer-web.py") -> Path:
    return _make(root, {start: "", "configs/v2/48k.json": "{}"}, (RVC_FOLDER, "logs"))


def _make(root: Path, files: dict[str, str], folders: tuple[str, ...]) -> Path:
    for name in folders:
        (root / name).mkdir(parents=True)
    for name, text in files.items():
        (root / name).parent.mkdir(parents=True, exist_ok=True)
        (root / name).write_text(text)
    return root
