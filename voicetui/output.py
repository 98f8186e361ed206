"""What commands print that run no job: data on stdout, the rest on stderr."""

from __future__ import annotations

import json
import os
import sys
from typing import Any

import typer

from voicetui import exit_codes


def show_bytes(data: bytes) -> None:
    """Put data on stdout at once. Ends the command quietly when nobody reads it any more."""
    try:
        sys.stdout.buffer.write(data)
        sys.stdout.flush()
    except BrokenPipeError:
        # What stayed in the buffer must have somewhere to go when Python ends.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        raise typer.Exit(exit_codes.DONE) from None


def show(text: str) -> None:
    """Put a line on stdout."""
    show_bytes(f"{text}\n".encode(sys.stdout.encoding or "utf-8", "replace"))


def show_json(value: Any) -> None:
    """Put one JSON value on stdout."""
    from engine.eventlog import jsonable

    show(json.dumps(jsonable(value)))


def tell(text: str) -> None:
    """Tell the person something beside the data."""
    sys.stderr.buffer.write(f"{text}\n".encode(sys.stderr.encoding or "utf-8", "replace"))
    sys.stderr.flush()
