from __future__ import annotations

import dataclasses
import time
from collections.abc import Callable, Sequence

import numpy as np
import pytest
from helpers_faults import (
    RATE,
    clipped,
    in_room,
    levels_of,
    spans_of,
    speech,
    through_phone,
    with_hiss,
    with_hum,
    with_music,
)

from engine.audio import excerpt as parts
from engine.audio.background import Background
from engine.audio.decode import Format
from engine.audio.faults import faults
from engine.audio.quality import RecordingQuality, measure
from engine.audio.speech import Span

FORMAT = Format(48_000, 2, "aac in mp4")


def quality_of(samples: np.ndarray, spans: Sequence[Span] | None = None) -> RecordingQuality:
    where = spans_of(speech()) if spans is None else spans
    return measure(samples, Background(levels_of(samples), where), where, FORMAT)


@pytest.fixture(scope="module")
def clean() -> RecordingQuality:
    return quality_of(speech())


def test_a_good_recording_has_no_faults(clean: RecordingQuality) -> None:
    assert faults(clean) == ()
    assert (clean.rate, clean.channels, clean.format) == (48_000, 2, "aac in mp4")
    assert clean.seconds == 30.0
    assert clean.loudness == pytest.approx(-19.5, abs=2.0)
    assert clean.peak == pytest.approx(-6.0, abs=0.3)
    assert 0.05 < clean.silence < 0.4
    assert clean.snr == 60.0


@pytest.mark.parametrize(
    ("code", "spoil"),
    [
        ("phone_bandwidth", through_phone),
        ("narrow_bandwidth", lambda x: through_phone(x, 5_500)),
        ("hum", lambda x: with_hum(x, 60.0, -35.0)),
        ("hiss", lambda x: with_hiss(x, -30.0)),
        ("low_snr", lambda x: with_hiss(x, -12.0)),
        ("reverberation", lambda x: in_room(x, 0.8)),
        ("music", lambda x: with_music(x, -25.0)),
        ("clipping", lambda x: clipped(x, 0.01)),
        ("very_quiet", lambda x: x * np.float32(10.0 ** (-30 / 20))),
        ("very_loud", lambda x: np.clip(x * 10, -1, 1)),
    ],
)
def test_each_fault_is_found(code: str, spoil: Callable[[np.ndarray], np.ndarray]) -> None:
    found = faults(quality_of(spoil(speech())))
    assert code in [fault.code for fault in found]
    # Loud noise is hiss too, and what is as loud as that is clipped.
    others = {"low_snr": {"hiss"}, "very_loud": {"clipping"}, "clipping": {"narrow_bandwidth"}}
    assert {fault.code for fault in found} - {code} <= others.get(code, set())
    for fault in found:
        assert all(len(text) > 20 and text.endswith(".") for text in (fault.seen, fault.means))
        assert fault.remedy.endswith(".")


def test_mostly_silence_is_found() -> None:
    quiet = np.concatenate([speech(), with_hiss(speech(), -60.0)[:RATE].repeat(90) * 0])
    assert [fault.code for fault in faults(quality_of(quiet))] == ["mostly_silence"]


def test_without_speech_little_is_known() -> None:
    for samples in (np.zeros(0, np.float32), np.zeros(RATE, np.float32), speech()):
        quality = quality_of(samples, [])
        assert (quality.snr, quality.hum, quality.hiss_db, quality.music) == (None, 0, None, None)
        assert quality.silence == 1.0
        assert "mostly_silence" in [fault.code for fault in faults(quality)]
        assert all(np.isfinite(v) for v in vars(quality).values() if isinstance(v, float))


def test_parts_tell_of_a_long_recording(
    clean: RecordingQuality, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(parts, "MOST_PARTS", 3)
    long = np.tile(with_hum(speech(), 50.0, -30.0), 5)
    spans = [Span(a + 30 * n, b + 30 * n) for n in range(5) for a, b in spans_of(speech())]
    background = Background(np.tile(levels_of(speech()), 5), spans)
    quality = measure(long, background, spans, FORMAT)
    assert quality.hum == 50
    assert quality.bandwidth == pytest.approx(clean.bandwidth, abs=200)
    assert quality.decay == pytest.approx(clean.decay, abs=0.05)
    assert quality.seconds == 150.0


def test_it_takes_a_hundredth_of_the_length() -> None:
    spans = spans_of(speech())
    background = Background(levels_of(speech()), spans)
    seconds = []
    for _ in range(3):
        began = time.process_time()
        measure(speech(), background, spans, FORMAT)
        seconds.append(time.process_time() - began)
    assert min(seconds) < 0.01 * 30.0


def test_a_quality_is_plain_values(clean: RecordingQuality) -> None:
    assert RecordingQuality(**dataclasses.asdict(clean)) == clean
