"""What is said of a document that cannot stand beside others: a number twice, no original, another recipient."""

from __future__ import annotations

from django.utils.translation import gettext as _

from ims_portal.rules import documents
from ims_portal.rules.actions import Refusal
from ims_portal.rules.documents import Problem


def problem(problem: str, position: str, number: str, section: str, _place: int) -> Problem:
    """Return the problem of a document that cannot stand beside others, in words."""
    refusal = Refusal(problem)
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
    if section in documents.NOTES:
        field_name = {"inum": "nt_num", "oinum": "ont_num"}.get(field_name, field_name)
    return Problem(
        code=code,
        refusal=refusal.value,
        field=field_name,
        number=number,
        position=position,
        message=text % {"number": number},
    )
