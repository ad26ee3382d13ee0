"""What readers of files write in English is told in Hindi on a page, whatever stands in the holes of a sentence."""

from __future__ import annotations

import pytest
from django.utils.translation import override

from ims_portal import complaints
from ims_portal.management.commands.messages import READERS
from tests import english

KEYS = """
    MMYYYY rt txval num itm_det importer_gstin icegate_ref_date boe_date AMEND_GSTIN AMEND_VALUE seq NEW original ISO
    doctyp odoctyp idt Status Accepted Rejected Pending No Action ITC to be reduced Yes Remarks Workbook OpenDocument
    entities xlsx xls xlsb ods zip UTF MB GR PDF XML omon JULY b2b,sez,de cdnr nature Liable collect pay tax
    Invoice Credit note Debit Bill of entry Regular gstin rtnprd docdata Read me fp cdn
""".split()  # noqa: SIM905 - they are read more easily so
"""What files call their own fields and values."""


def test_every_sentence_of_the_readers_is_found_again_and_told_in_hindi() -> None:
    written = complaints.forms(READERS)
    filled = [_filled(form) for form in written]
    with override("hi"):
        told = [complaints.tell(f"{text}.") for text in filled]
    assert len(written) > 150
    assert [text for text, hindi in zip(filled, told, strict=True) if hindi == f"{text}."] == []
    assert english.left_in("<br>".join(told), data=KEYS) == []


def _filled(form: str) -> str:
    for number in range(8):
        form = form.replace(f"{{{number}}}", f"{number}7/X")
    return form


@pytest.mark.parametrize(
    ("written", "hindi"),
    [
        (
            "Invoice KMF/1 is dated 3 May 2026, before GST began on 1 July 2017. Correct the date.",
            "बीजक KMF/1 की तिथि 03/05/2026 है, जो 01/07/2017 को GST के आरंभ से पहले की है। तिथि ठीक करें।",
        ),
        (
            "27AAACR5055K1Z8 has the check character 8, which must be 7.",
            "27AAACR5055K1Z8 का जाँच वर्ण 8 है, जो 7 होना चाहिए।",
        ),
        (
            'b2b[0].inv[1]: idt "32-13-2026" is not a day written DD-MM-YYYY. Write it like 05-10-2026.',
            'b2b[0].inv[1]: idt "32-13-2026" DD-MM-YYYY रूप में लिखी तिथि नहीं है। इसे 05-10-2026 की तरह लिखें।',
        ),
        ("The number consists of zeros only.", "संख्या में केवल शून्य हैं।"),
        ('Invoice A/1: ctin "27X" is empty.', 'बीजक A/1: ctin "27X" खाली है।'),
        ("Invoice A/1: the number consists of zeros only.", "बीजक A/1: संख्या में केवल शून्य हैं।"),
        ("The file is no longer on this server. Upload it again.", "फ़ाइल अब इस सर्वर पर नहीं है। इसे फिर अपलोड करें।"),
        ("Nobody wrote this sentence.", "Nobody wrote this sentence."),
    ],
)
def test_names_days_and_numbers_stand_in_their_places(written: str, hindi: str) -> None:
    with override("en"):
        assert complaints.tell(written) == written
    with override("hi"):
        assert complaints.tell(written) == hindi


def test_what_jobs_keep_of_the_pages_own_sentences_is_told_too() -> None:
    kept = (
        "records[1]: Bill of entry 7012346 is amended, but no such bill with this port and date is known here. "
        "Send the new bill first."
    )
    with override("hi"):
        told = complaints.tell(kept)
    assert english.left_in(told) == []
    assert told.startswith("records[1]: ")
    assert "7012346" in told
