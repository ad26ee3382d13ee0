"""What is said of a document that cannot stand beside others: a number twice, no original, another recipient."""

from __future__ import annotations

from django.utils.translation import gettext as _

from ims_portal.rules import documents
from ims_portal.rules.actions import Refusal
from ims_portal.rules.documents import Problem
from invoices.staging_sql import Refused


def problem(refused: Refused) -> Problem:
    """Return the problem of a document that cannot stand beside others, in words."""
    refusal = Refusal(refused.problem)
    code, field_name, text = {
        Refusal.DUPLICATE_DOCUMENT: (
            "APP-G107",
            "inum",
            _(
                "Document number %(number)s is used already in this financial year; letter case does not count. The "
                "first one stands. Give this one its own number, or amend the first."
            ),
        ),
        Refusal.ORIGINAL_NOT_FOUND: (
            "APP-G114",
            "oinum",
            _(
                "%(number)s refers to a document that is not filed under that number and date, or is no longer its "
                "latest version. Name the latest filed version."
            ),
        ),
        Refusal.RECIPIENT_CHANGE_NOT_ALLOWED: (
            "APP-G118",
            "ctin",
            _(
                "%(number)s names another recipient than the document it amends. Keep the recipient, or report a new "
                "document."
            ),
        ),
    }[refusal]
    if refused.withdraw:
        field_name, text = "flag", _("%(number)s is to be deleted, but no such document is saved in this return.")
    elif refused.section in documents.NOTES:
        field_name = {"inum": "nt_num", "oinum": "ont_num"}.get(field_name, field_name)
    return Problem(
        code=code,
        refusal=refusal.value,
        field=field_name,
        number=refused.number,
        position=refused.position,
        message=text % {"number": refused.number},
        counterparty=refused.recipient,
        dated=f"{refused.day:%d-%m-%Y}",
        place=refused.place,
    )
