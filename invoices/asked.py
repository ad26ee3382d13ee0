"""What a row of a file asks for one record: which record, what is chosen on it, or why the row cannot be read."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date

from ims_portal.rules.actions import Action, Answer
from ims_portal.rules.money import NIL, Tax


@dataclass(frozen=True, slots=True)
class Asked:
    """A row of a file of actions; amounts are paise.

    `position` says where it stands, `place` counts rows. A record is told by `record_id` and the `version` its writer
    saw, or else by section, supplier's GSTIN, number and day; a bill of entry by its port instead of a supplier.
    `previous` is the action its writer took it to have, `taxable` and `tax` the amounts, None and nothing where not
    told. `is_old_answer` and `is_old_remark` say that these only stand there still from another choice: where the rules
    have no place for them they are dropped, not refused (decision F3).
    With a `problem` nothing is chosen; `code` is of formats 8.5.
    """

    position: str
    place: int
    section: str
    supplier: str = ""
    number: str = ""
    day: date | None = None
    port: str = ""
    record_id: int | None = None
    version: int | None = None
    previous: Action | None = None
    taxable: int | None = None
    tax: Tax = NIL
    action: Action = Action.NONE
    answer: Answer = Answer.NOT_GIVEN
    declared: Tax = NIL
    remark: str = ""
    is_old_answer: bool = False
    is_old_remark: bool = False
    code: str = ""
    problem: str = ""
