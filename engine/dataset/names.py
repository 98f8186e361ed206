"""What the wavs of a recording are called."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence

from engine.dataset.sources import Source

_KEPT_MARKS = "-_."
# Leaves room for the digits and the ending in the 255 bytes of a file name.
_MOST_BYTES = 120


def stems(sources: Sequence[Source]) -> dict[str, str]:
    """The stem of each source's wavs by its SHA-256, unique whatever the case of the letters.

    Only letters, digits and plain marks are kept, so that neither a CSV nor a terminal stumbles;
    recordings of the same name get a part of their hash.
    """
    plain = {source.sha256: _safe(source.path.stem) for source in sources}
    shared = Counter(stem.casefold() for stem in plain.values())
    return {
        sha256: f"{stem}-{sha256[:8]}" if shared[stem.casefold()] > 1 else stem
        for sha256, stem in plain.items()
    }


def wav_name(stem: str, number: int) -> str:
    """The wav of a source's clip, relative to the dataset folder; clips count from 1."""
    return f"wavs/{stem}_{number:08d}.wav"


def _safe(stem: str) -> str:
    kept = "".join(c if c.isalnum() or c in _KEPT_MARKS else "_" for c in stem)
    cut = kept.encode(errors="replace")[:_MOST_BYTES].decode(errors="ignore").strip("._")
    return cut or "recording"
