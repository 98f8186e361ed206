"""The exceptions of the engine. Each message says what happened, where, and what to do next.

VoicetuiError
├── InputError             wrong use or bad input
│   ├── SettingError       a setting's key, type or range
│   ├── SourceError        a recording that cannot be used
│   ├── TranscriptError    a given transcript that cannot be used
│   ├── BaseModelError     a base folder that is not whole
│   └── DatasetError       a dataset that cannot be trained on
├── RefusedError           would lose or change something; says which flag allows it
│   ├── BusyError          another process writes this project
│   ├── NotExactError      a resume that would not continue the same run
│   └── LicenceError       a model whose licence is not accepted yet
├── FailedError            the work was right, the world was not
│   ├── DiskFullError
│   ├── DownloadError
│   ├── DamagedError       a file that is not what its record says
│   ├── UnsafeFileError    a weights file that holds more than data
│   └── TranscriptionError
└── StopRequested          somebody asked to stop; everything is saved
"""

from __future__ import annotations


class VoicetuiError(Exception):
    """Any failure that a person is told about in one line."""


class InputError(VoicetuiError):
    """Wrong use or bad input."""


class SettingError(InputError):
    """A setting with an unknown key, a wrong type or a value out of range."""


class SourceError(InputError):
    """A recording that cannot be used."""


class TranscriptError(InputError):
    """A given transcript that cannot be used; `seen` is the message without its `remedy`."""

    def __init__(self, seen: str, remedy: str) -> None:
        super().__init__(f"{seen} {remedy}")
        self.seen = seen
        self.remedy = remedy


class BaseModelError(InputError):
    """A base model folder that is missing files or does not fit its own config."""


class DatasetError(InputError):
    """A dataset that cannot be trained on."""


class RefusedError(VoicetuiError):
    """The work would lose or change something; the message names the flag that allows it."""


class BusyError(RefusedError):
    """Another process holds the project."""


class NotExactError(RefusedError):
    """A resume that would not continue the same run bit for bit."""


class LicenceError(RefusedError):
    """A model whose licence has not been accepted on this machine."""


class FailedError(VoicetuiError):
    """The work was asked for rightly and could not be done."""


class DiskFullError(FailedError):
    """No room for a durable write. What was there before is still there."""


class DownloadError(FailedError):
    """A file that could not be fetched whole."""


class DamagedError(FailedError):
    """A file that is not what its record says it is."""


class UnsafeFileError(FailedError):
    """A weights file that holds more than plain data."""


class TranscriptionError(FailedError):
    """Speech recognition could not run."""


class StopRequested(VoicetuiError):
    """Raised inside work at a safe point after a stop was asked for.

    `reason` is "SIGINT", "SIGTERM" or "request"; `step` that of the checkpoint that was written.
    """

    def __init__(self, reason: str, step: int | None = None) -> None:
        super().__init__(f"stopped ({reason})")
        self.reason = reason
        self.step = step
