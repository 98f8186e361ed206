"""What the tensors of a file say, in a line for people."""

from __future__ import annotations

from engine.pretrains.entry import rate_label
from engine.pretrains.facts import Facts

# What is said of a G and a D that nothing speaks against.
BELONG = "G and D belong together, as far as tensors tell: a D does not say its rate"


def in_words(facts: Facts) -> str:
    """A file in a line: "generator, RVC v2, 40k, with pitch, 109 speakers, fp16, 36.5 M parameters"."""
    pitch = {True: "with pitch", False: "without pitch", None: ""}[facts.pitch]
    parts = (
        facts.what,
        f"RVC {facts.version}" if facts.version else "",
        rate_label(facts.rate) if facts.rate else "",
        pitch,
        f"{facts.speakers} speakers" if facts.speakers else "",
        facts.vocoder if facts.vocoder != "HiFi-GAN" else "",
        facts.precision,
        f"{facts.parameters / 1e6:.1f} M parameters",
        *(f"problem: {problem}" for problem in facts.problems),
    )
    return ", ".join(filter(None, parts))
