"""GSTR-3B as existing software reads, fills and files it."""

from __future__ import annotations

import pytest

from ims_portal.access import Right
from ims_portal.models import User
from ims_portal.rules import periods
from ims_portal.rules.documents import Form
from invoices import outward
from returns.models import Adjustment, Filing
from tests import factories
from tests.api.client import token
from tests.api.test_gstn import Software, asha  # noqa: F401 a fixture

pytestmark = pytest.mark.django_db
R = factories.RECIPIENT
PATH = "returns/gstr3b"
ASKED = {"path": PATH, "ret_period": "102025"}


@pytest.fixture
def software(asha: User) -> Software:  # noqa: F811
    """A program of R's signatory, with a GSTR-2B of October."""
    factories.computed()
    return Software(token(asha, R))


def test_a_draft_is_read_filled_and_read_again(software: Software) -> None:
    told = software.result(software.get("RETSUM", **ASKED))
    assert (told["gstin"], told["ret_period"]) == (R, "102025")
    (other,) = [line for line in told["itc_elg"]["itc_avl"] if line["ty"] == "OTH"]
    assert other["iamt"] == 18400
    derived = software.result(software.get("AUTOLIAB", **ASKED))["r3bautopop"]["liabitc"]
    assert derived["elgitc"]["itc4a5"] == {
        "subtotal": {"iamt": 18400, "camt": 0, "samt": 0, "csamt": 0},
        "det": {
            "itcavl": {"igst": 18900, "cgst": 0, "sgst": 0, "cess": 0, "form": "GSTR2B"},
            "itcavl_cn": {"igst": 500, "cgst": 0, "sgst": 0, "cess": 0, "form": "GSTR2B"},
        },
    }
    assert derived["elgitc"]["itc4a1"].keys() == {"subtotal"}
    assert software.result(software.put({"action": "RETSAVE", "data": told}, PATH))["reference_id"]
    assert not Adjustment.objects.exists()
    (ineligible,) = [line for line in told["itc_elg"]["itc_rev"] if line["ty"] == "RUL"]
    ineligible["iamt"] = 100
    software.result(software.put({"action": "RETSAVE", "data": told}, PATH))
    kept = Adjustment.objects.get()
    assert (kept.row, kept.igst) == ("t4B1", 10000)
    again = software.result(software.get("RETSUM", **ASKED))
    assert again["itc_elg"]["itc_net"]["iamt"] == 18300


@pytest.mark.parametrize(
    ("change", "code"),
    [({"ret_period": "2025"}, "APP-G103"), ({"itc_elg": {"itc_rev": [{"ty": "RUL", "iamt": "1"}]}}, "APP-G102")],
)
def test_a_body_that_cannot_be_kept_is_refused_whole(software: Software, change: dict[str, object], code: str) -> None:
    data = {"gstin": R, "ret_period": "102025", "sup_details": {}, **change}
    assert software.error(software.put({"action": "RETSAVE", "data": data}, PATH)) == code
    assert not Adjustment.objects.exists()


def test_filing_needs_what_was_read_the_right_and_a_code(asha: User, software: Software) -> None:  # noqa: F811
    outward.file(
        supplier=factories.taxpayer(),
        form=Form.GSTR1,
        period=periods.parse("102025"),
        actor=None,
        clock=factories.clock("2025-11-10"),
    )
    told = software.result(software.get("RETSUM", **ASKED))
    request = {"action": "RETFILE", "data": told, "st": "EVC", "sid": "AAACR5055K|123456"}
    assert software.error(software.put(request, PATH), 403) == "APP-RIGHT_MISSING"
    filer = Software(token(asha, R, rights=[Right.FILE]))
    assert filer.error(filer.put(request, PATH)) == "RET13506"
    told["itc_elg"]["itc_rev"][0]["iamt"] = 1
    assert filer.error(filer.put(request, PATH)) == "APP-CHANGED_SINCE_SHOWN"
    assert not Filing.objects.exists()
