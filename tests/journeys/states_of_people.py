"""Forms about people, refused and carried out: a taxpayer's people, engagements, one's own page, administrators' lists.

Part of the tour of test_states.py, by an administrator who is a signatory of R.
"""

from __future__ import annotations

from tests import factories
from tests.journeys.tour import Tour

R = factories.RECIPIENT
STRANGER = "36AATCM0000C1Z0"
"""A taxpayer the administrator has nothing to do with."""


def peoples_forms(tour: Tour) -> None:
    at = f"t/{R}/people/"
    tour.open(at)
    tour.post(at, 422, do="give", username="nobody", role="viewer")
    tour.look_refused("role for nobody")
    tour.post(at, 422, do="offer", username="nobody", first="31/31/2025", last="soon")
    tour.look_refused("engagement of nobody")
    tour.post(at, 200, do="offer", username="newcomer", rights="act", last="31/12/2025")
    tour.look("engagement that waits")
    tour.post(at, 422, do="give", username="newcomer", role="viewer")
    tour.look_refused("role beside an engagement")
    tour.open("clients/engagements/")
    tour.look("no engagement of one's own")
    tour.post("clients/engagements/", 422, do="ask", gstin="27AAACR5055K1Z8", first="31/31/2025")
    tour.look_refused("engagement asked of no GSTIN")
    tour.post("clients/engagements/", 422, do="ask", gstin=STRANGER)
    tour.look_refused("engagement asked by an administrator", is_linked=False)


def own_and_administrators_forms(tour: Tour) -> None:
    tour.open("me/")
    tour.post("me/", 422, rows="3")
    tour.look_refused("rows nobody offers")
    tour.open("rules/?on=soon", status=422)
    tour.look_refused("law of no day")
    tour.open("control/clock/")
    tour.post("control/clock/", 422, on="31/31/2025", time="25:00")
    tour.look_refused("no day")
    tour.open("control/feeds/")
    tour.look("no feed yet")
    tour.post("control/feeds/", 422, kind="isd")
    tour.look_refused("no feed chosen")
    tour.open("control/calendar/")
    tour.look("no extension yet")
    tour.open("control/jobs/?state=running")
    tour.look("no job at work")
    tour.open("control/audit/?actor=newcomer")
    tour.look("no event")
    tour.open("control/audit/?actor=nobody&event=none&gstin=27AAACR5055K1Z8&first=soon&last=31/12/9999", status=422)
    tour.look_refused("wrong filters of the log")
    tour.open("control/audit/")
    tour.post("control/audit/", 422, do="open", gstin="27AAACR5055K1Z8", reason="")
    tour.look_refused("break-glass for no reason")
    tour.post("control/audit/", 200, do="open", gstin=R, reason="A ticket asks who filed.")
    tour.look("under break-glass")
    for place in ("", "people/"):
        tour.open(f"t/{R}/{place}")
        tour.look("told of a break-glass")
    administrators_lists(tour)


def administrators_lists(tour: Tour) -> None:
    at = "control/taxpayers/"
    tour.open(f"{at}?q=nobody")
    tour.look("no registration begins so")
    tour.open(at)
    tour.post(at, 422, do="create", gstin="27AAACR5055K1Z8", legal_name="", first="soon")
    tour.look_refused("registration with wrong fields")
    tour.post(at, 422, do="name", gstin=R, username="newcomer")
    tour.look_refused("first signatory where there is one")
    tour.post(at, 200, do="name", gstin=STRANGER, username="newcomer")
    tour.look("signatory that waits")
    at = "control/users/"
    tour.open(f"{at}?q=nobody")
    tour.look("no user begins so")
    tour.open(at)
    tour.post(at, 422, do="create", username="a b", name="")
    tour.look_refused("user with wrong fields")
    tour.post(at, 200, do="create", username="lakshmi", name="Lakshmi Iyer")
    tour.look("link to choose a password")
