"""The story of the demo: played in order, once, with the figures the samples tell."""

from __future__ import annotations

import json
from decimal import Decimal
from io import StringIO
from pathlib import Path
from typing import Any

import pytest
from django.core.management import CommandError, call_command
from django.utils import timezone
from pytest_django.fixtures import Settings

from ims_portal import clock
from ims_portal.clock import Fixed
from ims_portal.models import PortalClock, User
from ims_portal.rules import periods
from ims_portal.rules.money import to_paise
from invoices import standing
from invoices.models import ActionEvent, Record, SupplierReturn
from returns import demo, gstr2b, gstr3b, table3
from returns.models import Addback, Filing

pytestmark = pytest.mark.django_db


TAX_KEYS = ("iamt", "camt", "samt", "csamt")


def in_paise(value: Any) -> Any:  # noqa: ANN401 whatever a JSON file holds
    """Return a JSON value with its amounts in whole paise."""
    if isinstance(value, dict):
        return {key: in_paise(each) for key, each in value.items()}
    if isinstance(value, list):
        return [in_paise(each) for each in value]
    return to_paise(value) if isinstance(value, int | Decimal) else value


def told(*words: str) -> str:
    """Return what the command prints."""
    out = StringIO()
    call_command("demo", *words, stdout=out)
    return out.getvalue()


def counts() -> list[int]:
    """Return how much there is of everything the story makes."""
    return [
        model.objects.count() for model in (User, SupplierReturn, Record, ActionEvent, Filing, Addback, PortalClock)
    ]


def test_the_story_shows_the_recipient_what_the_sample_shows() -> None:
    printed = told()
    assert "The story is set" in printed
    recipient = demo._taxpayer(demo.RECIPIENT)
    today = standing.of(recipient, demo.moment(demo.BEGINS))
    sample = json.loads((demo.STORY / "ims-inward.json").read_text())
    expected = {
        (section, demo.number_of(row), row["action"], row.get("srcfilstatus", "Filed") == "Filed")
        for section, rows in sample.items()
        for row in rows
    }
    found = {
        (record.section, record.number, today.effective_action(record).value, record.is_filed)
        for record in Record.objects.filter(recipient=recipient, settled_month=None, superseded_by=None)
        if not today.bypass(record)
    }
    assert found == expected


def test_the_story_ends_on_the_13th_of_november_and_goes_on_with_the_real_clock() -> None:
    told()
    ahead = clock.portal().now() - demo.moment(demo.BEGINS)
    assert 0 <= ahead.total_seconds() < 60
    assert abs((PortalClock.objects.get().ahead - (demo.moment(demo.BEGINS) - timezone.now())).total_seconds()) < 60


def test_earlier_rejections_cost_their_suppliers_and_settled_periods_are_filed() -> None:
    told()
    costs = dict(Addback.objects.values_list("record__number", "igst"))
    assert costs == {"WMA/CN/71": 90000}
    recipient = Filing.objects.filter(taxpayer__gstin=demo.RECIPIENT)
    assert sorted(recipient.values_list("month", flat=True)) == list(range(202601, 202610))
    open_month = demo._taxpayer(demo.RECIPIENT).inbox.open_month
    assert periods.TaxPeriod(open_month).name == "102026"


def test_table_3_of_the_recipient_has_the_figures_of_the_sample_to_the_paisa() -> None:
    told()
    recipient, period = demo._taxpayer(demo.RECIPIENT), periods.parse("102026")
    gstr2b.compute(taxpayer=recipient, period=period, actor=None, clock=Fixed(demo.moment("2026-11-14")))
    shown = gstr3b.draft(taxpayer=recipient, period=period, at=demo.moment("2026-11-17"))

    def row(name: str, *keys: str) -> dict[str, int]:
        figures = {"txval": shown.declared_taxable[name], **dict(zip(TAX_KEYS, shown.declared[name], strict=True))}
        return {key: figures[key] for key in keys or figures}

    def places(*, is_uin: bool) -> list[dict[str, object]]:
        found = table3.by_place(shown.outward)[is_uin]
        return [{"pos": place.pos, "txval": place.taxable, "iamt": place.igst} for place in found]

    sample = in_paise(json.loads((Path(__file__).parents[1] / "data" / "gstr3b.json").read_text(), parse_float=Decimal))
    assert sample["sup_details"] == {
        "osup_det": row("t3_1_a"),
        "osup_zero": row("t3_1_b", "txval", "iamt", "csamt"),
        "osup_nil_exmp": row("t3_1_c", "txval"),
        "isup_rev": row("t3_1_d"),
        "osup_nongst": row("t3_1_e", "txval"),
    }
    assert sample["eco_dtls"] == {"eco_sup": row("t3_1_1_i"), "eco_reg_sup": row("t3_1_1_ii", "txval")}
    assert sample["inter_sup"] == {
        "unreg_details": places(is_uin=False),
        "comp_details": [],
        "uin_details": places(is_uin=True),
    }
    assert (shown.declared_taxable["t3_2"], shown.declared["t3_2"].igst) == (40_000_00, 7_200_00)


def test_a_second_run_changes_nothing_and_prints_the_sign_ins_again() -> None:
    told()
    before = counts()
    printed = told()
    assert counts() == before
    assert "meera" in printed
    assert "The story is set" not in printed


def test_a_story_cut_off_goes_on_where_it_stopped(monkeypatch: pytest.MonkeyPatch) -> None:
    whole = demo._from_inward

    def stop() -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr(demo, "_from_inward", stop)
    with pytest.raises(KeyboardInterrupt):
        told()
    assert not demo.is_seeded()
    monkeypatch.setattr(demo, "_from_inward", whole)
    assert "The story is set" in told()
    assert Filing.objects.count() == len(demo.CLOSED)


def test_signins_alone_plays_nothing() -> None:
    assert "raghav" in told("--signins")
    assert not Record.objects.exists()


def test_everybody_can_sign_in_with_the_password_told(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("IMS_DEMO_PASSWORD", "another fine password")
    printed = told()
    assert "another fine password" in printed
    for username, *_ in demo.PEOPLE:
        assert User.objects.get(username=username).check_password("another fine password")
    assert set(User.objects.filter(is_staff=True).values_list("username", flat=True)) == {"admin1", "admin2"}


def test_production_is_refused(settings: Settings) -> None:
    settings.IMS_SANDBOX = False
    with pytest.raises(CommandError, match="sandbox"):
        told()
    assert not User.objects.exists()
