"""Speech whose word times are known: flite and espeak-ng, used as libraries.

Debian's packages `flite` and `espeak-ng` bring them.
"""

from __future__ import annotations

import ctypes
import re
from collections.abc import Callable
from ctypes import CDLL, POINTER, c_char_p, c_float, c_int, c_short, c_void_p
from functools import cache
from itertools import count as count_up
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

Samples = NDArray[np.float32]

_FLITE_VOICES = {"slt": "cmu_us_slt", "rms": "cmu_us_rms", "awb": "cmu_us_awb"}
_ESPEAK_VOICES = {"espeak": "en-us"}
VOICES = (*_FLITE_VOICES, *_ESPEAK_VOICES)
# Share of the loudest sample under which a sentence has not begun, or is over.
_SOUND = 0.01


class Said(NamedTuple):
    """A word and when it is spoken, in seconds."""

    text: str
    start: float
    end: float


def speak(sentence: str, voice: str) -> tuple[Samples, int, list[Said]]:
    """A sentence as samples (n,) without silence around it, their rate, and its words."""
    samples, rate, words = (_flite if voice in _FLITE_VOICES else _espeak)(sentence, voice)
    loud = np.flatnonzero(np.abs(samples) > _SOUND * np.abs(samples).max())
    begin, end = loud[0] / rate, (loud[-1] + 1) / rate
    cut = [Said(w.text, max(w.start, begin) - begin, min(w.end, end) - begin) for w in words]
    return samples[loud[0] : loud[-1] + 1], rate, cut


# --- flite ------------------------------------------------------------------------------------


class _Wave(ctypes.Structure):
    _fields_ = (
        ("type", c_char_p),
        ("sample_rate", c_int),
        ("num_samples", c_int),
        ("num_channels", c_int),
        ("samples", POINTER(c_short)),
    )


_FLITE_FUNCTIONS: dict[str, tuple[Any, list[Any]]] = {
    "flite_synth_text": (c_void_p, [c_char_p, c_void_p]),
    "utt_wave": (POINTER(_Wave), [c_void_p]),
    "utt_relation": (c_void_p, [c_void_p, c_char_p]),
    "relation_head": (c_void_p, [c_void_p]),
    "item_next": (c_void_p, [c_void_p]),
    "ffeature_string": (c_char_p, [c_void_p, c_char_p]),
    "ffeature_float": (c_float, [c_void_p, c_char_p]),
    "delete_utterance": (None, [c_void_p]),
}


@cache
def _flite_library() -> CDLL:
    flite = CDLL("libflite.so.1", ctypes.RTLD_GLOBAL)
    for name in ("cmulex", "usenglish"):
        CDLL(f"libflite_{name}.so.1", ctypes.RTLD_GLOBAL)
    for name, (result, arguments) in _FLITE_FUNCTIONS.items():
        getattr(flite, name).restype, getattr(flite, name).argtypes = result, arguments
    flite.flite_init()
    return flite


@cache
def _flite_voice(name: str) -> int:
    _flite_library()
    full = _FLITE_VOICES[name]
    register = getattr(CDLL(f"libflite_{full}.so.1", ctypes.RTLD_GLOBAL), f"register_{full}")
    register.restype, register.argtypes = c_void_p, [c_char_p]
    return int(register(None))


def _flite(text: str, voice: str) -> tuple[Samples, int, list[Said]]:
    flite = _flite_library()
    utterance = flite.flite_synth_text(text.encode(), _flite_voice(voice))
    wave = flite.utt_wave(utterance).contents
    samples = np.ctypeslib.as_array(wave.samples, (wave.num_samples,)).astype(np.float32) / 32768
    segments = b"R:SylStructure.daughter%b.daughter%b.R:Segment.%b"
    words = []
    item = flite.relation_head(flite.utt_relation(utterance, b"Word"))
    while item:
        words.append(
            Said(
                flite.ffeature_string(item, b"name").decode(),
                flite.ffeature_float(item, segments % (b"1", b"1", b"p.end")),
                flite.ffeature_float(item, segments % (b"n", b"n", b"end")),
            )
        )
        item = flite.item_next(item)
    rate = wave.sample_rate
    flite.delete_utterance(utterance)
    return samples, rate, words


# --- espeak-ng --------------------------------------------------------------------------------


class _Id(ctypes.Union):
    _fields_ = (("number", c_int), ("name", c_char_p), ("string", ctypes.c_char * 8))


class _Event(ctypes.Structure):
    _fields_ = (
        ("type", c_int),
        ("unique_identifier", ctypes.c_uint),
        ("text_position", c_int),
        ("length", c_int),
        ("audio_position", c_int),
        ("sample", c_int),
        ("user_data", c_void_p),
        ("id", _Id),
    )


_Heard = Callable[[Any, int, Any], int]
_Callback = ctypes.CFUNCTYPE(c_int, POINTER(c_short), c_int, POINTER(_Event))
# speak_lib.h: espeakAUDIO_OUTPUT_SYNCHRONOUS, espeakINITIALIZE_PHONEME_EVENTS, espeakCHARS_UTF8,
# espeakRATE, espeakEVENT_WORD, espeakEVENT_PHONEME.
_SYNCHRONOUS, _WITH_PHONEMES, _UTF8, _SPEED, _WORD, _PHONEME = 2, 1, 1, 1, 1, 7
_WORDS_A_MINUTE = 145


@cache
def _espeak_library() -> tuple[CDLL, int]:
    espeak = CDLL("libespeak-ng.so.1")
    return espeak, espeak.espeak_Initialize(_SYNCHRONOUS, 0, None, _WITH_PHONEMES)


def _espeak(text: str, voice: str) -> tuple[Samples, int, list[Said]]:
    espeak, rate = _espeak_library()
    sound: list[Samples] = []
    events: list[tuple[int, int, float, bytes]] = []

    @_Callback
    def hear(wave: Any, count: int, listed: Any) -> int:
        if wave and count:
            sound.append(np.ctypeslib.as_array(wave, (count,)).astype(np.float32) / 32768)
        for number in count_up():
            event = listed[number]
            if event.type == 0:
                return 0
            name = bytes(event.id.string) if event.type == _PHONEME else b""
            events.append((event.type, event.text_position - 1, event.sample / rate, name))
        return 0

    espeak.espeak_SetSynthCallback(hear)
    espeak.espeak_SetVoiceByName(_ESPEAK_VOICES[voice].encode())
    espeak.espeak_SetParameter(_SPEED, _WORDS_A_MINUTE, 0)
    content = text.encode() + b"\0"
    espeak.espeak_Synth(content, len(content), 0, 1, 0, _UTF8, None, None)
    samples = np.concatenate(sound)
    return samples, rate, _espeak_words(text, events, len(samples) / rate)


def _espeak_words(
    text: str, events: list[tuple[int, int, float, bytes]], seconds: float
) -> list[Said]:
    """Words from espeak's events; those that it speaks as one ("of the") are one."""
    starts: list[tuple[int, float]] = []
    for kind, position, at, _ in events:
        # At the end of a clause it names one that was there before.
        if kind == _WORD and position > max([-1, *(before for before, _ in starts)]):
            starts.append((position, at))
    # Nothing sounds in a phoneme like "_:".
    pauses = [at for kind, _, at, name in events if kind == _PHONEME and name.startswith(b"_")]
    tokens = [(match.start(), match.group()) for match in re.finditer(r"\S+", text)]
    words = []
    for (position, at), (following, until) in zip(
        starts, [*starts[1:], (len(text), seconds)], strict=True
    ):
        spoken = " ".join(token for start, token in tokens if position <= start < following)
        end = min([until, *(pause for pause in pauses if pause > at)])
        if spoken:
            words.append(Said(spoken, at, end))
        else:
            words[-1] = words[-1]._replace(end=end)
    return words
