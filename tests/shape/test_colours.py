"""The contrast of every pair of tokens that meet, worked out again from the stylesheet.

Sections 4 and 5 of docs/portal.md; WCAG 1.4.3 and 1.4.11.
"""

import re
from pathlib import Path

import pytest

CSS = (Path(__file__).resolve().parents[2] / "static/app.css").read_text()
TOKENS = dict(re.findall(r"--([a-z-]+): (#[0-9A-Fa-f]{6});", CSS)) | {"white": "#FFFFFF"}

TEXT = [
    *(
        ("text", ground)
        for ground in ("ground", "panel", "zebra", "good-ground", "bad-ground", "warn-ground", "info-ground")
    ),
    *(("muted", ground) for ground in ("ground", "panel", "zebra")),
    *(("link", ground) for ground in ("ground", "panel", "zebra")),
    *(("white", ground) for ground in ("navy", "blue", "card-head", "teal-dark", "bad")),
    ("navy", "teal"),
    *((name, f"{name}-ground") for name in ("good", "bad", "warn", "calm", "info")),
]
CONTROLS = [
    ("control", "panel"),
    ("control", "ground"),
    ("navy", "panel"),
    ("navy", "ground"),
    ("teal", "navy"),
    ("blue", "panel"),
]


def light(colour: str) -> float:
    """Return the relative luminance of #RRGGBB, 0 to 1."""
    parts = [int(colour[at : at + 2], 16) / 255 for at in (1, 3, 5)]
    red, green, blue = (part / 12.92 if part <= 0.04045 else ((part + 0.055) / 1.055) ** 2.4 for part in parts)
    return 0.2126 * red + 0.7152 * green + 0.0722 * blue


def contrast(one: str, other: str) -> float:
    """Return the contrast ratio of two tokens, 1 to 21."""
    dark, bright = sorted((light(TOKENS[one]), light(TOKENS[other])))
    return (bright + 0.05) / (dark + 0.05)


@pytest.mark.parametrize(("text", "ground"), TEXT)
def test_text_is_read_on_every_ground_it_stands_on(text: str, ground: str) -> None:
    assert contrast(text, ground) >= 4.5


@pytest.mark.parametrize(("control", "ground"), CONTROLS)
def test_controls_and_the_focus_stand_out(control: str, ground: str) -> None:
    assert contrast(control, ground) >= 3


def test_white_never_stands_on_teal() -> None:
    assert contrast("white", "teal") < 3  # why the rule is there
    for rule in re.findall(r"\{[^}]*background(?:-color)?: var\(--teal\)[^}]*\}", CSS):
        assert not re.search(r"[^-]color: (#fff|white|var\(--panel\))", rule, re.IGNORECASE), rule
