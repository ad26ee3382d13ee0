"""What is said of a record of a feed that cannot be taken: unknown here, out of order, another content, too much."""

from __future__ import annotations

from django.utils.translation import gettext as _

from ims_portal.rules.documents import Problem, day_in_words
from ims_portal.rules.money import HEADS, to_rupees
from ims_portal.rules.periods import TaxPeriod
from invoices import bills_sql, isd_sql, reversals_sql
from invoices.feeds_json.bills import Bill
from invoices.models import Record

NOT_KNOWN, NO_ORIGINAL, OTHER_CONTENT = "APP-G104", "APP-B02", "APP-B03"
TWICE, OUT_OF_DAYS, TOO_LARGE, OTHER_PERIOD, OTHER_RECIPIENT = (
    "APP-G107",
    "APP-G108",
    "APP-G113",
    "APP-G117",
    "APP-G118",
)


def longer(told: Bill, name: str) -> Problem | None:
    """Return what is wrong with a `number` or `port` longer than any that is kept, or None."""
    text, longest = getattr(told, name), getattr(Record, name).field.max_length
    if len(text) <= longest:
        return None
    said = _("The %(name)s %(text)s has %(count)d characters; at most %(longest)d are kept. Correct it at its source.")
    names = {"name": name, "text": text, "count": len(text), "longest": longest}
    return Problem("APP-G106", said % names, field=name, number=told.number, position=told.position)


def bill(row: bills_sql.Refused) -> Problem:
    """Return the problem of an event of a bill of entry, in words."""
    names = {"number": row.number, "seq": row.seq, "importer": row.importer}
    code, field, text = {
        "UNKNOWN_IMPORTER": (
            NOT_KNOWN,
            "importer_gstin",
            _(
                "Bill of entry %(number)s: %(importer)s is not known to this portal. Correct the GSTIN, or have the "
                "taxpayer created first."
            ),
        ),
        "ISD": (
            NOT_KNOWN,
            "importer_gstin",
            _(
                "Bill of entry %(number)s: %(importer)s is the registration of an input service distributor, which has "
                "no GSTR-2B. Name the registration that imported."
            ),
        ),
        "OTHER_CONTENT": (
            OTHER_CONTENT,
            "seq",
            _(
                "Bill of entry %(number)s with seq %(seq)s was told before with other content; the first stands. Send "
                "a change as an amendment with the next seq."
            ),
        ),
        "TO_COME": (
            OUT_OF_DAYS,
            "icegate_ref_date",
            _("Bill of entry %(number)s counts from a day that is still to come. Correct the day, or send it later."),
        ),
        "NO_ORIGINAL": (NO_ORIGINAL, "seq", ""),
        "OTHER_ORIGINAL": (NO_ORIGINAL, "original", ""),
    }[row.problem]
    said = _out_of_order(row) if row.problem == "NO_ORIGINAL" else _before(row) if not text else text % names
    return Problem(code, f"{row.position}: {said}", field=field, number=row.number, position=row.position)


def _out_of_order(row: bills_sql.Refused) -> str:
    if row.last_seq is None:
        return _(
            "Bill of entry %(number)s is amended, but no such bill with this port and date is known here. Send the "
            "new bill first."
        ) % {"number": row.number}
    return _(
        "Bill of entry %(number)s: amendment %(seq)s came before amendment %(missing)s; the last one known here is "
        "%(last)s. Send the missing one first."
    ) % {"number": row.number, "seq": row.seq, "missing": row.last_seq + 1, "last": row.last_seq}


def _before(row: bills_sql.Refused) -> str:
    taxable, igst, cess = row.before_amounts or (0, 0, 0)
    return _(
        "Bill of entry %(number)s: original is not what is stored before this amendment: importer %(importer)s, "
        "reference date %(day)s, taxable value %(taxable)s, IGST %(igst)s, cess %(cess)s. Ask the sender which holds."
    ) % {
        "number": row.number,
        "importer": row.before_importer,
        "day": day_in_words(row.before_date) if row.before_date else "",
        "taxable": to_rupees(taxable),
        "igst": to_rupees(igst),
        "cess": to_rupees(cess),
    }


def isd(row: isd_sql.Refused) -> Problem:
    """Return the problem of a document of a GSTR-6, in words."""
    code, field, text = {
        "ITSELF": (
            NOT_KNOWN,
            "ctin",
            _("%(number)s is distributed to the distributor itself. Name the receiving GSTIN."),
        ),
        "ISD": (
            NOT_KNOWN,
            "ctin",
            _("%(number)s is distributed to %(recipient)s, another distributor. Name one that takes credit."),
        ),
        "AFTER_PERIOD": (
            OUT_OF_DAYS,
            "docdt",
            _("%(number)s is dated after the period of this GSTR-6. Correct the date or file it in a later period."),
        ),
        "NO_ORIGINAL": (
            NO_ORIGINAL,
            "odocnum",
            _(
                "%(number)s amends %(original)s, but no earlier GSTR-6 distributed a document of that kind, number and "
                "date, or it was amended since. Name the latest version."
            ),
        ),
        "OTHER_RECIPIENT": (
            OTHER_RECIPIENT,
            "ctin",
            _(
                "%(number)s amends a document to another GSTIN than %(recipient)s. An amendment keeps its recipient: "
                "reduce the one to zero and distribute anew."
            ),
        ),
        "TWICE": (
            TWICE,
            "docnum",
            _("%(number)s stands twice in this file, or amends the same document twice. Keep one."),
        ),
        "USED": (
            TWICE,
            "docnum",
            _("%(number)s was distributed before in this financial year. Give it its own number, or amend it."),
        ),
    }[row.problem]
    said = text % {"number": row.number, "recipient": row.recipient, "original": row.original}
    return Problem(code, f"{row.position}: {said}", field=field, number=row.number, position=row.position)


def reversal(row: reversals_sql.Refused) -> Problem:
    """Return the problem of a Rule 37A reversal, in words."""
    code, field, text = {
        "UNKNOWN_RECIPIENT": (
            NOT_KNOWN,
            "gstin",
            _("%(recipient)s is not known to this portal, so it took no credit of %(number)s here. Correct the GSTIN."),
        ),
        "PERIOD_FILED": (
            OTHER_PERIOD,
            "itcprd",
            _(
                "GSTR-3B of %(period)s of %(recipient)s is filed, so %(number)s can no longer be reversed in it. Give "
                "a later period."
            ),
        ),
        "NO_DOCUMENT": (
            NO_ORIGINAL,
            "docnum",
            _(
                "%(number)s is not known to this portal as a filed document to %(recipient)s with this section, "
                "supplier, period and date. Correct the keys."
            ),
        ),
        "NEVER_COUNTED": (
            NO_ORIGINAL,
            "docnum",
            _(
                "No GSTR-2B of %(recipient)s before %(period)s counted %(number)s as available credit, so there is "
                "nothing to reverse. Take it out of the list."
            ),
        ),
        "TOO_MUCH": (
            TOO_LARGE,
            "",
            _("%(number)s: at most %(room)s of its credit can still be reversed. Correct the amounts."),
        ),
        "OTHER_CONTENT": (
            OTHER_CONTENT,
            "docnum",
            _("%(number)s is reversed in %(period)s already with other amounts; those stand. Give a later period."),
        ),
    }[row.problem]
    said = text % {
        "number": row.number,
        "recipient": row.recipient,
        "period": TaxPeriod(row.month).label,
        "room": _room(row),
    }
    return Problem(code, f"{row.position}: {said}", field=field, number=row.number, position=row.position)


def _room(row: reversals_sql.Refused) -> str:
    pairs = zip(HEADS, row.room or (), strict=False)
    return ", ".join(f"{head.upper()} {to_rupees(amount)}" for head, amount in pairs)
