"""Which row of Table 3 the sums of a return feed, and on which side (R8.1)."""

import pytest

from ims_portal.models import Taxpayer
from ims_portal.rules import gstin, periods
from ims_portal.rules import table3 as rules
from ims_portal.rules.documents import Document, Form
from ims_portal.rules.money import Tax
from ims_portal.rules.periods import TaxPeriod
from invoices import outward
from invoices.staging import Summary
from returns import gstr3b, table3, why
from tests import factories
from tests.factories import OCTOBER

TAX = Tax(igst=1000_00)
FEEDS = [
    ("b2cs", "INTRA 27", ["t3_1_a"]),
    ("b2cs", "INTER 29", ["t3_1_a", "t3_2"]),
    ("b2cl", "INTER 29", ["t3_1_a", "t3_2"]),
    ("cdnur", "INTER 29 B2CL", ["t3_1_a", "t3_2"]),
    ("cdnur", "INTER EXPWP", ["t3_1_b"]),
    ("exp", "INTER WPAY", ["t3_1_b"]),
    ("nil", "INTRAB2C exempt", ["t3_1_c"]),
    ("nil", "INTRB2B nil", ["t3_1_c"]),
    ("nil", "INTRAB2C non_gst", ["t3_1_e"]),
    ("supeco", "paytx | 29AAKCT0000P1C6", ["t3_1_1_ii"]),
    ("supeco", "clttx | 29AAKCT0000P1C6", []),
    ("supecoa", "paytx 082025 | 29AAKCT0000P1C6 | 29AAKCT0000P1C6", ["t3_1_1_ii"]),
    ("at", "INTRA 27", ["t3_1_a"]),
    ("ecom.b2c", "INTRA 27", ["t3_1_1_i"]),
    ("ecom.urp2c", "INTER 29", ["t3_1_1_i", "t3_2"]),
    ("ecoma.b2ca", "INTER 29 082025 | 24AAACS2718C1ZX | 24AAACS2718C1ZX", ["t3_1_1_i", "t3_2"]),
    ("b2csa", "INTER 29 082025", ["t3_1_a", "t3_2"]),
    ("b2cla", "INTER 29 | L2 05-10-2025 | L1 05-09-2025", ["t3_1_a", "t3_2"]),
    ("expa", "INTER WPAY | E2 05-10-2025 | E1 05-09-2025", ["t3_1_b"]),
    ("cdnura", "INTER EXPWP | N2 05-10-2025 | N1 05-09-2025", ["t3_1_b"]),
    ("ata", "INTRA 24 082025", ["t3_1_a"]),
    ("other", "", ["t3_1_a"]),
]


@pytest.mark.parametrize(("section", "detail", "feeds"), FEEDS)
def test_a_sum_feeds_the_rows_of_its_section(section: str, detail: str, feeds: list[str]) -> None:
    assert rules.rows_of_summary(202510, section, detail) == feeds


@pytest.mark.django_db(transaction=True)
def test_advances_add_and_their_adjustment_takes_from_liability() -> None:
    supplier = factories.taxpayer(factories.SUPPLIER)
    found = [
        Summary("at", "INTRA 24", 0, Tax(igst=500_00)),
        Summary("txpd", "INTRA 24", 0, Tax(igst=200_00)),
        Summary("b2cs", "INTER 29", 0, TAX),
        Summary("cdnur", "INTER 29 B2CL", 0, Tax(igst=-100_00)),
    ]
    outward.file(
        supplier=supplier,
        form=Form.GSTR1,
        period=factories.OCTOBER,
        actor=None,
        found=found,
        clock=factories.clock("2025-11-10"),
    )
    sums = table3.sums(table3.entries(taxpayer=supplier, period=factories.OCTOBER))
    assert sums == {"t3_1_a": Tax(igst=1200_00), "t3_2": Tax(igst=900_00)}


SEPTEMBER, NOVEMBER = periods.parse("092025"), periods.parse("112025")


def report(period: TaxPeriod, *found: Summary | Document, form: Form = Form.GSTR1, on: str = "") -> Taxpayer:
    """Return the supplier, having filed a form of a period on the tenth of the month after it."""
    supplier = factories.taxpayer(factories.SUPPLIER, first=period.month)
    following = periods.add_months(period.month, 1)
    day = on or f"{following // 100}-{following % 100:02d}-10"
    outward.file(supplier=supplier, form=form, period=period, actor=None, found=found, clock=factories.clock(day))
    return supplier


def rows(supplier: Taxpayer, period: TaxPeriod) -> dict[str, tuple[int, int]]:
    """Return row -> taxable value and IGST in rupees, of the rows that have any."""
    found = table3.entries(taxpayer=supplier, period=period)
    values, taxes = table3.taxable(found, liable=0), table3.sums(found)
    return {
        name: (values[name] // 100, taxes.get(name, Tax()).igst // 100)
        for name in values
        if values[name] or taxes.get(name)
    }


def closed(supplier: Taxpayer, *periods_: TaxPeriod) -> None:
    """File GSTR-3B of these periods, so that the next GSTR-1 can be filed."""
    for period in periods_:
        following = periods.add_months(period.month, 1)
        on = f"{following // 100}-{following % 100:02d}-20"
        factories.computed(supplier, period=period.name, on=on)
        gstr3b.file(taxpayer=supplier, period=period, actor=None, clock=factories.clock(on))


AMENDMENTS = [
    ("b2cs", "INTER 29", "b2csa", "INTER 29 092025"),
    ("b2cl", "INTER 29 | L1 05-09-2025", "b2cla", "INTER 29 | L2 05-09-2025 | L1 05-09-2025"),
    ("cdnur", "INTER 29 B2CL | N1 05-09-2025", "cdnura", "INTER 29 B2CL | N1 05-09-2025 | N1 05-09-2025"),
    ("exp", "INTER WPAY | E1 05-09-2025", "expa", "INTER WPAY | E1 05-09-2025 | E1 05-09-2025"),
    ("at", "INTER 29", "ata", "INTER 29 092025"),
    ("ecom.b2c", "INTER 29 | 24AAACS2718C1ZX", "ecoma.b2ca", "INTER 29 092025 | 24AAACS2718C1ZX | 24AAACS2718C1ZX"),
    ("ecom.urp2c", "INTER 29", "ecoma.urp2ca", "INTER 29 092025"),
]


@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize(("section", "detail", "amending", "amended"), AMENDMENTS)
def test_an_amended_sum_counts_by_its_change(section: str, detail: str, amending: str, amended: str) -> None:
    supplier = report(SEPTEMBER, Summary(section, detail, 5000_00, Tax(igst=900_00)))
    before = rows(supplier, SEPTEMBER)
    assert set(before.values()) == {(5000, 900)}
    closed(supplier, SEPTEMBER)
    report(OCTOBER, Summary(amending, amended, 4000_00, Tax(igst=720_00)))
    assert rows(supplier, OCTOBER) == dict.fromkeys(before, (-1000, -180))
    assert rows(supplier, SEPTEMBER) == before


@pytest.mark.django_db(transaction=True)
def test_amended_adjustments_of_advances_and_operators_count_by_their_change_in_their_rows() -> None:
    operator = "29AAKCT0000P1C6"
    supplier = report(
        SEPTEMBER,
        Summary("txpd", "INTER 29", 500_00, Tax(igst=90_00)),
        Summary("supeco", f"paytx | {operator}", 300_00, Tax(igst=15_00)),
    )
    assert rows(supplier, SEPTEMBER) == {"t3_1_a": (-500, -90), "t3_1_1_ii": (300, 0)}
    closed(supplier, SEPTEMBER)
    report(
        OCTOBER,
        Summary("txpda", "INTER 29 092025", 400_00, Tax(igst=72_00)),
        Summary("supecoa", f"paytx 092025 | {operator} | {operator}", 350_00, Tax(igst=17_50)),
    )
    assert rows(supplier, OCTOBER) == {"t3_1_a": (100, 18), "t3_1_1_ii": (50, 0)}


@pytest.mark.django_db(transaction=True)
def test_a_second_amendment_counts_against_the_first() -> None:
    supplier = report(
        SEPTEMBER,
        Summary("b2cl", "INTER 29 | L1 05-09-2025", 100_00, Tax(igst=18_00)),
        Summary("b2cs", "INTER 29", 100_00, Tax(igst=18_00)),
    )
    closed(supplier, SEPTEMBER)
    report(
        OCTOBER,
        Summary("b2cla", "INTER 29 | L2 05-09-2025 | L1 05-09-2025", 200_00, Tax(igst=36_00)),
        Summary("b2csa", "INTER 29 092025", 200_00, Tax(igst=36_00)),
    )
    closed(supplier, OCTOBER)
    report(
        NOVEMBER,
        Summary("b2cla", "INTER 29 | L3 05-09-2025 | L2 05-09-2025", 250_00, Tax(igst=45_00)),
        Summary("b2csa", "INTER 29 092025", 150_00, Tax(igst=27_00)),
    )
    kept = [entry.taxable for entry in table3.entries(taxpayer=supplier, period=NOVEMBER) if entry.row == "t3_1_a"]
    assert sorted(kept) == [-50_00, 50_00]


@pytest.mark.django_db(transaction=True)
def test_an_amendment_whose_original_no_return_reports_counts_against_nothing_and_says_so() -> None:
    supplier = report(OCTOBER, Summary("b2cla", "INTER 29 | L2 05-09-2025 | L1 05-09-2025", 200_00, Tax(igst=36_00)))
    assert rows(supplier, OCTOBER) == {"t3_1_a": (200, 36), "t3_2": (200, 36)}
    entry = table3.entries(taxpayer=supplier, period=OCTOBER)[0]
    assert entry.original_is_kept is False
    told = why.row(202510, "t3_1_a", {}, [entry])["summands"]
    assert "no return kept here reports its original" in told[0][0]
    assert "our reading" in told[0][0]
    assert rules.AGAINST.decide(202510, original_is_kept=False).ours


@pytest.mark.django_db(transaction=True)
def test_an_original_of_another_month_place_or_number_is_not_taken_for_it() -> None:
    supplier = report(
        SEPTEMBER,
        Summary("b2cs", "INTER 27", 100_00, Tax(igst=18_00)),
        Summary("b2cl", "INTER 29 | L1 06-09-2025", 100_00, Tax(igst=18_00)),
    )
    closed(supplier, SEPTEMBER)
    report(
        OCTOBER,
        Summary("b2csa", "INTER 29 092025", 10_00, Tax()),
        Summary("b2csa", "INTER 27 082025", 20_00, Tax()),
        Summary("b2cla", "INTER 29 | L1 05-09-2025 | L1 05-09-2025", 30_00, Tax()),
    )
    assert rows(supplier, OCTOBER)["t3_1_a"] == (60, 0)


@pytest.mark.django_db(transaction=True)
def test_gstr_1a_amends_the_sums_of_its_own_period() -> None:
    supplier = report(OCTOBER, Summary("b2cs", "INTER 29", 100_00, Tax(igst=18_00)))
    report(OCTOBER, Summary("b2csa", "INTER 29 102025", 300_00, Tax(igst=54_00)), form=Form.GSTR1A, on="2025-11-12")
    assert rows(supplier, OCTOBER) == {"t3_1_a": (300, 54), "t3_2": (300, 54)}


@pytest.mark.django_db(transaction=True)
def test_documents_bring_their_taxable_value_and_those_under_reverse_charge_no_row() -> None:
    factories.taxpayer(factories.RECIPIENT)
    charged = factories.document(number="RC1", tax=900, reverse_charge=True)
    supplier = report(OCTOBER, factories.document(number="INV1", tax=18000), charged)
    assert rows(supplier, OCTOBER) == {"t3_1_a": (100000, 18000)}


UIN = "2717USA00012UN8"


@pytest.mark.django_db(transaction=True)
def test_3_2_is_by_place_and_class_with_uin_holders_and_section_9_5() -> None:
    uin = UIN[:14] + gstin.check_char(UIN[:14])
    assert gstin.kind_of(uin) is gstin.Kind.UIN
    supplier = report(
        OCTOBER,
        factories.document(number="U1", tax=1800, recipient=uin),
        factories.document(number="R1", tax=3600),
        Summary("ecom.urp2c", "INTER 29", 100_00, Tax(igst=5_00)),
        Summary("b2cs", "INTER 29", 200_00, Tax(igst=36_00)),
        Summary("b2cs", "INTER 07", 300_00, Tax(igst=54_00)),
    )
    found = table3.by_place(table3.entries(taxpayer=supplier, period=OCTOBER))
    assert found[True] == [table3.Place("27", 10000_00, 1800_00)]
    assert found[False] == [table3.Place("07", 300_00, 54_00), table3.Place("29", 300_00, 41_00)]
    assert rows(supplier, OCTOBER)["t3_2"] == (10600, 1895)
