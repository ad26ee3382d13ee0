"""The portal's words in both languages, for the page that explains them. Meanings are in the reader's language."""

from __future__ import annotations

from dataclasses import dataclass

from django.utils.functional import Promise
from django.utils.text import slugify
from django.utils.translation import gettext_lazy as _


@dataclass(frozen=True, slots=True)
class Word:
    """One term: as the law has it in English, what Hindi texts call it, what it means."""

    english: str
    hindi: str
    meaning: Promise

    @property
    def slug(self) -> str:
        """Its place on the page."""
        return slugify(self.english)


WORDS = (
    Word("Accept", "स्वीकार", _("The record is right and counts in GSTR-2B.")),
    Word(
        "Add-back",
        "वापस जोड़ी गई देयता",
        _("Tax a supplier owes again because a recipient rejected its credit note. It comes with a later GSTR-3B."),
    ),
    Word("Amendment", "संशोधन", _("A later version of a document already reported, in an amendment table.")),
    Word("Bill of entry", "प्रवेश पत्र", _("The customs document of imported goods. It can be accepted or kept pending.")),
    Word(
        "Credit note",
        "क्रेडिट नोट",
        _("A document by which the supplier lowers its tax. Accepted, it lowers the recipient's credit."),
    ),
    Word("Debit note", "डेबिट नोट", _("A document by which the supplier raises its tax.")),
    Word(
        "Deemed accepted",
        "स्वीकृत माना गया",
        _("A record without any action when GSTR-2B was made or GSTR-3B was filed counts as accepted."),
    ),
    Word(
        "Effect",
        "प्रभाव",
        _("By how much accepting a version changes the recipient's credit, compared with the version before."),
    ),
    Word(
        "GSTR-1, GSTR-1A, IFF",
        "जीएसटीआर-1, जीएसटीआर-1ए, आईएफएफ",
        _("The forms in which suppliers report: the period, corrections to it, the first months of a quarter."),
    ),
    Word(
        "GSTR-2B",
        "जीएसटीआर-2बी",
        _("The statement of credit of a period. It is made from suppliers' filed records and the recipient's actions."),
    ),
    Word("GSTR-3B", "जीएसटीआर-3बी", _("The return of a period: tax in Table 3, credit in Table 4.")),
    Word("GSTIN", "जीएसटीआईएन", _("The number of a registration: 15 characters that begin with the State's code.")),
    Word(
        "IMS",
        "आईएमएस",
        _("The Invoice Management System: where a recipient decides on each record its suppliers reported."),
    ),
    Word("Input tax credit (ITC)", "इनपुट टैक्स क्रेडिट", _("Tax paid on purchases that is set off against tax on sales.")),
    Word("ITC reduction", "आईटीसी में कमी", _("How much credit already taken is given back when a record is accepted.")),
    Word("No action", "कोई कार्रवाई नहीं", _("Nothing was chosen. Without a choice the record counts as accepted.")),
    Word("Pending", "लंबित", _("Decided later. The record is left out of this GSTR-2B, within the law's time.")),
    Word("Place of supply", "आपूर्ति का स्थान", _("The State whose tax is charged.")),
    Word(
        "Recipient",
        "प्राप्तकर्ता",
        _("Who received the supply and decides on the record."),
    ),
    Word("Record", "अभिलेख", _("One reported version of one document, with what its recipient decided.")),
    Word("Reject", "अस्वीकार", _("The record is not ours or is wrong. It gives no credit.")),
    Word("Return period", "कर अवधि", _("A month, or a quarter for those who file by the quarter.")),
    Word("Reverse charge", "विपरीत प्रभार", _("The recipient pays the tax instead of the supplier.")),
    Word("Settled", "निपटाया गया", _("Decided for good by a filed GSTR-3B of the recipient.")),
    Word(
        "Specified record",
        "विनिर्दिष्ट अभिलेख",
        _("A record that lowers credit, such as a credit note: it can be kept pending for one period only."),
    ),
    Word("Statement", "विवरण", _("One version of a GSTR-2B.")),
    Word("Superseded", "प्रतिस्थापित", _("Replaced by a later version before it was settled.")),
    Word("Supplier", "आपूर्तिकर्ता", _("Who made the supply and reports the document.")),
)
