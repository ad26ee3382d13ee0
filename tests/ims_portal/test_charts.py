"""Charts are pictures of numbers that also stand as text: no style, a name, patterns, whole positions."""

from __future__ import annotations

import re
from xml.etree import ElementTree as ET

import pytest
from django.template.loader import render_to_string

from ims_portal import charts
from ims_portal.charts import AddBack, Bar, Kind, Mark, Step


def parsed(svg: str) -> ET.Element:
    return ET.fromstring(svg)  # noqa: S314 - our own markup


def rects(svg: str, kind: str) -> list[tuple[int, int]]:
    """Return left edge and width of each bar of a kind, without the legend's squares."""
    return [
        (int(one.attrib["x"]), int(one.attrib["width"]))
        for one in parsed(svg).iter("rect")
        if one.attrib.get("class") == f"k-{kind}" and one.attrib["height"] == str(charts.BAR)
    ]


def test_a_chart_has_a_name_a_description_and_no_style() -> None:
    svg = charts.bars("c0", "Name", "What it finds", [Bar("a", "₹1.00", ((Kind.ACCEPTED, 100),))])
    tree = parsed(svg)
    assert tree.attrib["role"] == "img"
    named = [tree.find(f".//*[@id='{found}']") for found in tree.attrib["aria-labelledby"].split()]
    assert [one.text for one in named if one is not None] == ["Name", "What it finds"]
    assert "style" not in svg
    assert "<script" not in svg


def test_states_differ_by_pattern_not_by_colour_alone() -> None:
    kinds = (Kind.ACCEPTED, Kind.NONE, Kind.PENDING, Kind.REJECTED)
    svg = charts.bars("c1", "n", "t", [Bar("a", "", tuple((kind, 100) for kind in kinds))])
    patterns = {one.attrib["id"]: ET.tostring(one[1]) for one in parsed(svg).iter("pattern")}
    assert set(patterns) == {"c1-none", "c1-pending", "c1-rejected"}
    assert len(set(patterns.values())) == 3
    assert 'class="k-accepted"' in svg


def test_parts_stand_side_by_side_with_a_gap_and_in_proportion() -> None:
    svg = charts.bars("c1", "n", "t", [Bar("a", "", ((Kind.ACCEPTED, 300), (Kind.PENDING, 100)))])
    (left, wide), (second, second_wide) = rects(svg, "accepted")[0], rects(svg, "pending")[0]
    assert (left, wide) == (0, 300 * charts.WIDTH // 400 - charts.GAP)
    assert second == left + wide + charts.GAP
    assert second_wide == 100 * charts.WIDTH // 400 - charts.GAP


def test_what_reduces_stands_left_of_zero() -> None:
    svg = charts.bars("c1", "n", "t", [Bar("a", "", ((Kind.ACCEPTED, 300),)), Bar("b", "", ((Kind.REJECTED, -100),))])
    zero = 100 * charts.WIDTH // 400
    assert rects(svg, "accepted")[0][0] == zero
    assert rects(svg, "rejected")[0] == (0, zero - charts.GAP)


def test_what_is_not_nothing_is_seen() -> None:
    svg = charts.bars("c1", "n", "t", [Bar("a", "", ((Kind.ACCEPTED, 10**12), (Kind.REJECTED, 1)))])
    assert rects(svg, "rejected")[0][1] >= charts.LEAST
    nothing = charts.bars("c1", "n", "t", [Bar("a", "", ((Kind.ACCEPTED, 0),))])
    assert rects(nothing, "accepted") == []


def test_no_bar_leaves_the_picture() -> None:
    parts = tuple((kind, 10**12 if kind is Kind.ACCEPTED else 1) for kind in Kind)
    for kind in Kind:
        for x, wide in rects(charts.bars("c1", "n", "t", [Bar("a", "", parts)]), kind.value):
            assert x >= 0
            assert x + wide <= charts.WIDTH


def test_a_name_that_is_markup_stays_text() -> None:
    svg = charts.bars("c1", "<b>", "t", [Bar("<script>x", "", ((Kind.ACCEPTED, 1),))])
    assert "<script" not in svg
    assert any(one.text == "<script>x" for one in parsed(svg).iter("text"))


def test_a_waterfall_s_changes_begin_where_the_step_before_ended() -> None:
    steps = [Step("v1", "", 600, is_total=True), Step("up", "", 200), Step("down", "", -400), Step("v2", "", 400, True)]
    svg = charts.waterfall("c4", "n", "t", steps)
    unit = charts.WIDTH
    assert rects(svg, "total") == [(0, 600 * unit // 800), (0, 400 * unit // 800)]
    assert rects(svg, "accepted")[0] == (600 * unit // 800, unit - 600 * unit // 800)
    assert rects(svg, "rejected")[0] == (400 * unit // 800, unit - 400 * unit // 800)
    assert not charts.is_cut(steps)


def test_a_waterfall_of_small_changes_is_cut_so_that_they_are_seen() -> None:
    steps = [Step("v1", "", 10_000_000, is_total=True), Step("down", "", -1_000), Step("v2", "", 9_999_000, True)]
    assert charts.is_cut(steps)
    assert rects(charts.waterfall("c4", "n", "t", steps), "rejected")[0][1] > charts.WIDTH // 4


@pytest.mark.parametrize(("days", "x"), [(-3, charts.DOT), (0, charts.DOT), (30, charts.WIDTH - charts.DOT)])
def test_a_deadline_stands_at_its_day(days: int, x: int) -> None:
    svg = charts.timeline("c2", "n", "t", [Mark("14/12", "", days)], 30)
    assert [int(one.attrib["cx"]) for one in parsed(svg).iter("circle")] == [x]


def test_add_backs_rank_recipients_and_tell_fixed_from_provisional() -> None:
    figure = charts.add_backs([AddBack("Asha", 0, 900_00, "/a"), AddBack("Bela", 18_000_00, 2_000_00, "/b")])
    assert figure.finding == (
        "Rejections add ₹20,900.00 to your tax: ₹18,000.00 is fixed, ₹2,900.00 is provisional. The most, "
        "₹20,000.00, comes from Bela."
    )
    assert [(row.name, row.cells, row.url) for row in figure.rows] == [
        ("Bela", ("₹18,000.00", "₹2,000.00", "₹20,000.00"), "/b"),
        ("Asha", ("₹0.00", "₹900.00", "₹900.00"), "/a"),
    ]
    assert 'fill="url(#c6-provisional)"' in figure.svg
    assert charts.add_backs([]).finding == "No rejection adds to your tax."


def test_the_figure_says_its_numbers_again_as_a_linked_table() -> None:
    page = render_to_string("ims_portal/_figure.html", {"figure": charts.add_backs([AddBack("Bela", 100, 0, "/b")])})
    assert '<a href="/b">Bela</a>' in page
    assert "<figcaption>" in page
    assert re.search(r"<details>.*<caption>Add-backs by recipient</caption>.*₹1.00.*</details>", page, re.DOTALL)
