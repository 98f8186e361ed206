"""What is wrong with a recording, in words: what was seen, what it means, what to do."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from engine.audio.quality import RecordingQuality

# Telephones carry 300 to 3,400 Hz (ITU-T G.712), sampled at 8,000 Hz.
PHONE_HERTZ = 4_500.0
# XTTS learns from spectra up to 8,000 Hz; recordings at 16,000 Hz reach over 7,000.
NARROW_HERTZ = 7_000.0
# ACX asks audiobooks for noise under -60 dB RMS at -23 to -18 dB of voice: 37 to 42 dB between.
MOST_HISS = -40.0
# Hum may be softer: it stays when speech is made louder, and harmonics of it sound like a pitch.
MOST_HUM = -50.0
# Half of what ACX asks for: noise is plainly heard with each word.
LEAST_SNR = 20.0
# A fifth of what makes a clip suspect (`engine.dataset.sound`): a few bad clips are worth a word.
MOST_CLIPPING = 0.001
# Living rooms have 0.4 to 0.6 s, rooms for speech 0.2 to 0.4 s (EBU Tech 3276).
LONGEST_DECAY = 0.5
MOST_MUSIC = 0.1
# LUFS. Speech is broadcast at -23 (EBU R 128) and streamed up to -16; 17 LU under the first the
# microphone was far away, over -10 nothing but strong compression comes.
QUIET, LOUD = -40.0, -10.0
# Readings and talks pause for 15 to 40 % of the time; the number is ours.
MOST_SILENCE = 0.7


@dataclass(frozen=True)
class Fault:
    """One thing that is wrong with a recording. `code` names it for programs."""

    code: str
    seen: str
    means: str
    remedy: str


def faults(quality: RecordingQuality) -> tuple[Fault, ...]:
    """What is wrong with a recording; nothing where nothing is."""
    return (*_of_spectrum(quality), *_of_background(quality), *_of_levels(quality))


def _of_spectrum(quality: RecordingQuality) -> Iterator[Fault]:
    if not quality.bandwidth:
        return
    if quality.bandwidth < PHONE_HERTZ:
        yield Fault(
            "phone_bandwidth",
            f"The sound ends at {quality.bandwidth:,.0f} Hz, as on a telephone.",
            "The voice will sound like a phone call: what was not recorded cannot be learned.",
            "Use another recording of this voice, or the original from before it was sent.",
        )
    elif quality.bandwidth < NARROW_HERTZ:
        yield Fault(
            "narrow_bandwidth",
            f"The sound ends at {quality.bandwidth:,.0f} Hz; speech reaches over 8,000 Hz.",
            "The voice will sound dull, and s, f and t will be hard to tell apart.",
            "Look for the original: low bit rates and some call programs cut the top off.",
        )


def _of_background(quality: RecordingQuality) -> Iterator[Fault]:
    if quality.hum and quality.hum_db is not None and quality.hum_db > MOST_HUM:
        yield Fault(
            "hum",
            f"Mains hum of {quality.hum} Hz, {-quality.hum_db:.0f} dB under the voice.",
            "The voice learns to hum along, most of all at the ends of sentences.",
            "Remove it with a notch filter or a noise reduction, then prepare again.",
        )
    if quality.hiss_db is not None and quality.hiss_db > MOST_HISS:
        yield Fault(
            "hiss",
            f"Steady hiss, {-quality.hiss_db:.0f} dB under the voice.",
            "The voice learns to hiss; it can be heard when speech is quiet around it.",
            "Reduce the noise a little (6 to 12 dB) in an audio editor, then prepare again.",
        )
    if quality.snr is not None and quality.snr < LEAST_SNR:
        yield Fault(
            "low_snr",
            f"Only {quality.snr:.0f} dB between the voice and what is behind it.",
            "The background is heard in every word, and the voice learns it too.",
            "Use quieter recordings where you can. Strong noise reduction harms the voice.",
        )
    if quality.decay is not None and quality.decay > LONGEST_DECAY:
        yield Fault(
            "reverberation",
            f"The room echoes: sound takes {quality.decay:.1f} s to die away.",
            "The voice will always speak in this room, and words blur into each other.",
            "Record closer to the microphone in a room with curtains and carpets, or try a "
            "de-reverb filter.",
        )
    if quality.music is not None and quality.music > MOST_MUSIC:
        yield Fault(
            "music",
            f"Music or other steady tones behind {quality.music:.0%} of the speech.",
            "The voice learns to sing along: fragments of tones between and under the words.",
            "Use passages without music, or separate the voice from it, then prepare again.",
        )


def _of_levels(quality: RecordingQuality) -> Iterator[Fault]:
    if quality.clipping > MOST_CLIPPING:
        yield Fault(
            "clipping",
            f"{quality.clipping:.1%} of the samples are cut off at the top.",
            "It crackles, and the voice learns the crackle. Making it quieter does not help.",
            "Take the original from before it was made louder, or record at a lower level.",
        )
    if quality.loudness < QUIET:
        yield Fault(
            "very_quiet",
            f"The recording is very quiet: {quality.loudness:.0f} LUFS; usual are -30 to -16.",
            "Clips are made louder, and what noise there is with them. Quiet words may be missed.",
            "Look at what was not taken for speech. Next time, go closer to the microphone.",
        )
    if quality.loudness > LOUD:
        yield Fault(
            "very_loud",
            f"The recording is very loud: {quality.loudness:.0f} LUFS; usual are -30 to -16.",
            "It was compressed or clipped to be so loud; clips are made quieter, but that stays.",
            "Take the original from before it was made louder.",
        )
    if quality.silence > MOST_SILENCE:
        yield Fault(
            "mostly_silence",
            f"Nobody speaks for {quality.silence:.0%} of the time.",
            "There is less to learn from than the length promises, or speech was not found.",
            "Check that it is the right recording; if speech was missed, make it louder first.",
        )
