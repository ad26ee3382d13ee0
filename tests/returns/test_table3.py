"""Which row of Table 3 the sums of a return feed, and on which side (R8.1)."""

import pytest

from ims_portal.rules import gstr3b as rules
from ims_portal.rules.documents import Form
from ims_portal.rules.money import Tax
from invoices import outward
from invoices.staging import Summary
from returns import table3
from tests import factories

TAX = Tax(igst=1000_00)
FEEDS = [
    ("b2cs", "INTRA 27", ["t3_1_a"]),
    ("b2cs", "INTER 29", ["t3_1_a", "t3_2"]),
    ("b2cl", "INTER 29", ["t3_1_a", "t3_2"]),
    ("cdnur", "INTER 29 B2CL", ["t3_1_a", "t3_2"]),
    ("cdnur", "INTER EXPWP", ["t3_1_b"]),
    ("exp", "INTER WPAY", ["t3_1_b"]),
    ("nil", "INTRAB2C exempt", []),
    ("at", "INTRA 27", ["t3_1_a"]),
    ("ecom.b2c", "INTRA 27", ["t3_1_1_i"]),
    ("b2csa", "INTER 29 082025", []),
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
