"""The 30 November after a financial year: recipients are warned of it (R7.9), after it suppliers are late (R6.6)."""

from __future__ import annotations

from datetime import date

from ims_portal.rules import gstr2b
from ims_portal.rules.periods import Filer, TaxPeriod, financial_year_of, month_of
from ims_portal.rules.table import Dated, Unit, always, otherwise, row

WARNED_FROM: Dated[int] = always(
    "month, after the end of a financial year, from whose first day on its credit is warned of",
    governed_by="the financial year of the document",
    unit=Unit.YEAR,
    facts={},
    rows=(otherwise(11, cite="R7.9: warn from 1 November", ours=True),),
)

TOO_LATE_TO_AMEND: Dated[bool] = always(
    "is it too late for a supplier to report a document again",
    governed_by="the financial year of the document",
    unit=Unit.YEAR,
    facts={"last_day_has_passed": (False, True)},
    rows=(
        row(True, last_day_has_passed=True, cite="R6.6; CGST Act s.37(3), s.39(9): until 30 November", ours=True),
        otherwise(False, cite="R6.6; CGST Act s.37(3), s.39(9)"),
    ),
)


def has_begun(day: date, credit_fy: int) -> bool:
    """Whether the warning of a financial year's credit has begun by a day."""
    return day >= date(credit_fy + 1, WARNED_FROM.decide(credit_fy).outcome, 1)


def latest_warned(day: date) -> int:
    """Return the latest financial year, by its first year, whose credit is warned of on a day."""
    latest = financial_year_of(month_of(day)) - 1
    return latest if has_begun(day, latest) else latest - 1


def warned_years(day: date, open_month: int) -> range:
    """Return the financial years, by their first year, whose credit is warned of on a day.

    Their 1 November has come, and the open period (YYYYMM of its last month) is still in time for them: in the usual
    order of filing one year in November and none otherwise, more where returns are overdue.
    """
    latest = latest_warned(day)
    earliest = latest + 1
    while not gstr2b.TIME_LIMIT.python(open_month, earliest - 1):
        earliest -= 1
    return range(earliest, latest + 1)


def last_amended_on(credit_fy: int) -> date:
    """Return the last day on which a supplier may report a document of a financial year again (R6.6; s.37(3), 39(9)).

    The 30 November of section 16(4), here a day: the supplier's own law knows no period.
    """
    return TaxPeriod(credit_fy * 100 + 100 + gstr2b.LIMIT_MONTH.decide(credit_fy).outcome).last_day


def is_too_late_to_amend(day: date, credit_fy: int) -> bool:
    """Whether a document of a financial year can no longer be reported again on a day, in the supplier's own law."""
    return TOO_LATE_TO_AMEND.decide(credit_fy, last_day_has_passed=day > last_amended_on(credit_fy)).outcome


def last_period(recipient: Filer, credit_fy: int) -> TaxPeriod:
    """Return the recipient's last period that is in time for the credit of a financial year."""
    month = credit_fy * 100 + 100 + gstr2b.LIMIT_MONTH.decide(credit_fy).outcome
    return recipient.previous(recipient.period(month))
