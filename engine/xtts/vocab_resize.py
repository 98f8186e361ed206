"""Writing a base with a larger vocabulary: longer text tables, and the files around them."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Any

from engine.errors import BaseModelError
from engine.files import (
    atomic_dir,
    atomic_file,
    copy_file,
    require_space,
    safe_join,
    write_bytes,
    write_json,
    write_text,
)
from engine.text import clean
from engine.xtts import base as bases
from engine.xtts import card, load, own_base
from engine.xtts.own_base import Origin
from engine.xtts.vocab_train import rows_of

if TYPE_CHECKING:
    import torch

EMBEDDING = "gpt.text_embedding.weight"
HEAD = "gpt.text_head.weight"
BIAS = "gpt.text_head.bias"
_COPIED = ("dvae.pth", "mel_stats.pth", "speakers_xtts.pth")
_MARGIN_BYTES = 64 << 20
# Enough to tell new characters apart, little beside what training makes of them.
_NOISE = 0.1


def vocab_bytes(document: Mapping[str, Any]) -> bytes:
    """A vocabulary as its file holds it."""
    return json.dumps(document, ensure_ascii=False, indent=2).encode() + b"\n"


def widened(
    state: Mapping[str, torch.Tensor], parts: Sequence[Sequence[int]]
) -> dict[str, torch.Tensor]:
    """The tensors of a model with a row of the text tables for each of `parts`; old rows stay.

    `parts` are the rows whose mean a new row begins as, in the embedding and in the head; they may
    name new rows before it. Without any it begins as the mean of the old rows, with a tenth of
    their standard deviation as noise (from a fixed seed). Its bias is the least of the old ones, so
    that old text is as unlikely as before to be continued with a new token.
    """
    import torch

    wide = dict(state)
    for number, name in enumerate((EMBEDDING, HEAD)):
        noise = torch.Generator().manual_seed(number)
        old = state[name]
        table = torch.cat([old.float(), torch.empty(len(parts), old.shape[1])])
        mean, deviation = table[: len(old)].mean(0), table[: len(old)].std(0)
        for row, those in enumerate(parts, len(old)):
            random = _NOISE * deviation * torch.randn(old.shape[1], generator=noise)
            table[row] = table[list(those)].mean(0) if those else mean + random
        wide[name] = table.to(old.dtype)
    bias = state[BIAS]
    wide[BIAS] = torch.cat([bias, bias.min().expand(len(parts))])
    return wide


def write(
    source: Path,
    final: Path,
    document: Mapping[str, Any],
    parts: Sequence[Sequence[int]],
    origin: Origin,
    check: Callable[[], None] = lambda: None,
) -> None:
    """Write the base `source` to `final` with the vocabulary `document`, all of it or nothing.

    `check` is called between files and may raise to stop. Raises BaseModelError when the base does
    not fit its own vocabulary, DiskFullError.
    """
    import torch

    size = sum((source / name).stat().st_size for name in bases.FILES)
    require_space(final.parent, size + _MARGIN_BYTES, "The copy of the base")
    state = load.state_of(source)
    rows = _rows(source, state)
    with atomic_dir(final, replace=True) as draft:
        wide = widened(state, parts)
        with atomic_file(draft / "model.pth") as handle:
            torch.save({"model": wide}, handle)
        check()
        for name in _COPIED:
            copy_file(source / name, draft / name)
            check()
        write_bytes(draft / "vocab.json", vocab_bytes(document))
        config = _config(source, origin.language, rows + len(parts))
        # coqui writes infinite numbers into its configs, which strict JSON does not know.
        write_text(draft / "config.json", json.dumps(config, indent=4) + "\n")
        for name in card.companions(source):
            copy_file(safe_join(source, name), safe_join(draft, name))
        write_json(draft / own_base.FILE_NAME, {"format": 1} | asdict(origin))


def _rows(source: Path, state: Mapping[str, torch.Tensor]) -> int:
    """The rows of a base's text tables. Raises BaseModelError where they contradict each other."""
    wanted = rows_of(json.loads((source / "vocab.json").read_bytes()))
    for name in (EMBEDDING, HEAD, BIAS):
        found = len(state[name]) if name in state else 0
        if found != wanted:
            raise BaseModelError(
                f"{clean(str(source / 'model.pth'))} has {found:,} rows in {name}, vocab.json wants "
                f"{wanted:,}. Fetch the base again, or take all six files from one release."
            )
    return wanted


def _config(source: Path, language: str, rows: int) -> dict[str, Any]:
    """A base's config with the size of the vocabulary and the language."""
    path = source / "config.json"
    try:
        config: dict[str, Any] = json.loads(path.read_bytes())
        config["model_args"]["gpt_number_text_tokens"] = rows
        if language not in config["languages"]:
            config["languages"].append(language)
    except (ValueError, KeyError, TypeError, AttributeError) as error:
        raise BaseModelError(
            f"{clean(str(path))} is not the config of an XTTS base ({clean(str(error))}). "
            "Fetch the base again."
        ) from error
    return config


def sha256(data: bytes) -> str:
    return hashlib.sha256(data).hexdigest()
