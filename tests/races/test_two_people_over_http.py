"""Two people act on one record over HTTP at one moment, against a live gunicorn: one wins, the other is told who."""

import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor

import pytest
from django.utils import timezone

from ims_portal.models import PortalClock
from invoices.models import ActionEvent, Record
from tests import factories
from tests.visitor import Page, Visitor

ROUNDS = 12


@pytest.fixture
def records(transactional_db: None) -> list[Record]:  # noqa: ARG001 - the rows need the database
    PortalClock.objects.create(ahead=factories.at("2025-11-12") - timezone.now())
    found = factories.filed(*(factories.document(number=f"N{n:02d}") for n in range(ROUNDS)))
    for record in found:
        # From Pending, Accept and No action are both saved at once, so that both clicks race to the lock.
        factories.act(record, "P")
        record.refresh_from_db()
    return found


def test_one_wins_and_the_other_reads_who_chose_what(records: list[Record], start_web: Callable[[], str]) -> None:
    recipient = records[0].recipient
    for name in ("ravi", "mina"):
        factories.member(recipient, "preparer", name)
    base = start_web()
    ravi, mina = Visitor(base).sign_in("ravi"), Visitor(base).sign_in("mina")
    for record in records:
        pages = _both_save(recipient.gstin, record, (ravi, "A"), (mina, "N"))
        record.refresh_from_db()
        event = ActionEvent.objects.get(record=record, version=2)
        winner = event.actor.username
        assert (record.version, record.action) == (2, "A" if winner == "ravi" else "N")
        loser = pages["mina" if winner == "ravi" else "ravi"]
        assert winner.title() in loser.text, loser.text
        assert "12/11/2025" in loser.text


def _both_save(gstin: str, record: Record, *people: tuple[Visitor, str]) -> dict[str, Page]:
    """Let both open the list, then save their choice for one record at the same moment."""
    path = f"/en/t/{gstin}/ims/inward/b2b/"
    forms = [visitor.get(path).form("/ims/act/") for visitor, _action in people]
    barrier = threading.Barrier(len(people))

    def save(number: int) -> Page:
        visitor, action = people[number]
        fields = forms[number] | {f"a.{record.pk}.{record.version}": action}
        barrier.wait(timeout=10)
        return visitor.post(f"/en/t/{gstin}/ims/act/", fields)

    with ThreadPoolExecutor(len(people)) as pool:
        first, second = pool.map(save, range(len(people)))
    return {"ravi": first, "mina": second}


def test_a_double_click_has_one_effect(records: list[Record], start_web: Callable[[], str]) -> None:
    record, recipient = records[0], records[0].recipient
    factories.member(recipient, "preparer", "ravi")
    base = start_web()
    ravi = Visitor(base).sign_in("ravi")
    form = ravi.get(f"/en/t/{recipient.gstin}/ims/inward/b2b/").form("/ims/act/")
    fields = form | {f"a.{record.pk}.{record.version}": "A"}
    with ThreadPoolExecutor(4) as pool:
        pages = list(pool.map(lambda _: ravi.post(f"/en/t/{recipient.gstin}/ims/act/", fields), range(4)))
    assert {page.status for page in pages} == {200}
    assert ActionEvent.objects.filter(record=record).count() == 2
