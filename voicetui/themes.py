"""The console's themes, and what takes their place in terminals of 16 colours.

Meaning is never carried by hue alone: a sign or a word stands beside it.
"""

from __future__ import annotations

from textual.theme import Theme

DARK = Theme(
    name="voicetui-dark",
    primary="#5fafff",
    secondary="#87afd7",
    accent="#ffaf5f",
    success="#87d787",
    warning="#ffd75f",
    error="#ff5f5f",
    foreground="#dadada",
    background="#121212",
    surface="#1c1c1c",
    panel="#262626",
    variables={
        "muted": "#8a8a8a",
        "faint": "#585858",
        "cursor": "#005f87",
        "block-cursor-background": "#005f87",
    },
)
LIGHT = Theme(
    name="voicetui-light",
    primary="#005faf",
    secondary="#5f5faf",
    accent="#af5f00",
    success="#006f00",
    warning="#875f00",
    error="#af0000",
    foreground="#1c1c1c",
    background="#ffffff",
    surface="#f2f2f2",
    panel="#e4e4e4",
    dark=False,
    variables={
        "muted": "#626262",
        "faint": "#b2b2b2",
        "cursor": "#afd7ff",
        "block-cursor-background": "#afd7ff",
    },
)
CONTRAST = Theme(
    name="voicetui-contrast",
    primary="#00ffff",
    secondary="#ffffff",
    accent="#ffff00",
    success="#00ff00",
    warning="#ffff00",
    error="#ff5555",
    foreground="#ffffff",
    background="#000000",
    surface="#000000",
    panel="#000000",
    variables={
        "muted": "#c6c6c6",
        "faint": "#808080",
        "cursor": "#0000d7",
        "block-cursor-background": "#0000d7",
    },
)
THEMES = (DARK, LIGHT, CONTRAST)

# The 16 colours as Rich names them, so that each is taken as it is. Of those that terminals draw
# faintly on white, none carries text there.
_BLACK, _RED, _BLUE, _MAGENTA, _CYAN, _SILVER = (
    "#000000",
    "#aa0000",
    "#0000aa",
    "#aa00aa",
    "#00aaaa",
    "#aaaaaa",
)
_GREY, _ROSE, _GREEN, _YELLOW, _SKY, _WHITE = (
    "#555555",
    "#ff5555",
    "#55ff55",
    "#ffff55",
    "#55ffff",
    "#ffffff",
)


def _dark(name: str) -> Theme:
    return Theme(
        name=name,
        primary=_SKY,
        secondary=_SKY,
        accent=_YELLOW,
        success=_GREEN,
        warning=_YELLOW,
        error=_ROSE,
        foreground=_WHITE,
        background=_BLACK,
        surface=_BLACK,
        panel=_BLACK,
        variables={
            "muted": _SILVER,
            "faint": _GREY,
            "cursor": _BLUE,
            "block-cursor-background": _BLUE,
        },
    )


_LIGHT_16 = Theme(
    name=LIGHT.name,
    primary=_BLUE,
    secondary=_BLUE,
    accent=_MAGENTA,
    success=_BLACK,
    warning=_MAGENTA,
    error=_RED,
    foreground=_BLACK,
    background=_WHITE,
    surface=_WHITE,
    panel=_SILVER,
    dark=False,
    variables={
        "muted": _GREY,
        "faint": _GREY,
        "cursor": _CYAN,
        "block-cursor-background": _CYAN,
    },
)
THEMES_16 = (_dark(DARK.name), _LIGHT_16, _dark(CONTRAST.name))
