"""Reports of errors that nobody foresaw: the full traceback in a file, one line for the person."""

from __future__ import annotations

import os
import platform
import sys
import time
import traceback
from pathlib import Path

from engine import __version__, files, places
from engine.errors import DiskFullError, VoicetuiError
from engine.text import clean


def write(error: BaseException) -> Path:
    """Write a report with the full traceback. Raises OSError and DiskFullError."""
    stamp = time.strftime("%Y%m%d-%H%M%S", time.gmtime())
    path = places.state_dir() / "crashes" / f"{stamp}-{os.getpid()}.txt"
    head = (
        f"voicetui {__version__}, Python {platform.python_version()}, {platform.platform()}\n"
        f"{' '.join(sys.argv)}\n\n"
    )
    text = head + "".join(traceback.format_exception(error))
    files.write_text(path, clean(text, keep_newlines=True))
    return path


def in_words(error: BaseException) -> str:
    """What to tell of any error: the engine's own words, else a report."""
    return str(error) if isinstance(error, VoicetuiError) else report(error)


def report(error: BaseException) -> str:
    """Write a report and say in a few words what happened and where the traceback is.

    What the file system refused needs no report: the path and its reason tell it all.
    """
    if isinstance(error, OSError) and error.filename is not None:
        return (
            f"{clean(os.fsdecode(error.filename))} cannot be used: {clean(error.strerror or '')}. "
            "Check that it is there, and that you may write to its folder."
        )
    what = f"unexpected {type(error).__name__}: {clean(str(error)) or 'no message'}"
    try:
        return f"{what}\nThe full traceback is in {clean(str(write(error)))}"
    except (OSError, DiskFullError) as trouble:
        return f"{what}\nThe full traceback could not be written: {clean(str(trouble))}"
