"""What other tools read of a dataset: coqui's and AllTalk's CSV files, and the language."""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    from engine.dataset.clips import SourceRef

LANGUAGE_NAME = "lang.txt"
_HEADER = "audio_file|text|speaker_name"


class Listed(Protocol):
    """What the tables and totals need to know of a clip (`engine.dataset.clips.Clip`)."""

    @property
    def source(self) -> SourceRef: ...
    @property
    def start(self) -> float: ...
    @property
    def end(self) -> float: ...
    @property
    def wav(self) -> str: ...
    @property
    def text(self) -> str: ...
    @property
    def speaker(self) -> str: ...
    @property
    def split(self) -> str: ...
    @property
    def state(self) -> str: ...
    @property
    def reason(self) -> str: ...
    @property
    def seconds(self) -> float: ...


def file_name(split: str) -> str:
    """The CSV file of a split."""
    return f"metadata_{split}.csv"


def table(clips: Iterable[Listed], split: str) -> str:
    """The rows of the clips that are used in a split: wav, text and speaker, with a header."""
    rows = [
        "|".join((clip.wav, _field(clip.text), _field(clip.speaker)))
        for clip in clips
        if clip.split == split and clip.state != "dropped"
    ]
    return "\n".join([_HEADER, *rows]) + "\n"


def _field(text: str) -> str:
    """Text that neither ends a field nor a row.

    A double quote would open a quoted field for pandas, which AllTalk reads with; coqui's cleaner
    removes it anyway.
    """
    return " ".join(text.replace("|", " ").replace('"', "").split())
