"""Amounts as people read them."""

from __future__ import annotations

import math


def duration(seconds: float) -> str:
    """A length of time in its two largest units: 48 s, 12 min, 3 h 05 min, 2 d 4 h."""
    if not math.isfinite(seconds):
        return "?"
    whole = max(0, round(seconds))
    if whole < 60:
        return f"{whole} s"
    minutes = round(whole / 60)
    if whole < 600:
        return f"{whole // 60} min {whole % 60:02d} s"
    if minutes < 60:
        return f"{minutes} min"
    if minutes < 48 * 60:
        return f"{minutes // 60} h {minutes % 60:02d} min"
    return f"{minutes // 1440} d {minutes % 1440 // 60} h"


def size(count: float) -> str:
    """A number of bytes in decimal units: 812 B, 5.3 GB."""
    if count < 1000:
        return f"{count:.0f} B"
    power = min(4, int(math.log10(count)) // 3)
    scaled = count / 1000**power
    unit = ("kB", "MB", "GB", "TB")[power - 1]
    return f"{scaled:.0f} {unit}" if scaled >= 100 else f"{scaled:.1f} {unit}"


def number(value: float) -> str:
    """A count without a needless fraction."""
    return f"{value:.0f}" if value == int(value) else f"{value:.1f}"
