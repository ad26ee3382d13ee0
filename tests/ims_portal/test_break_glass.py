"""Break-glass: one GSTIN's details for half an hour, with a reason, logged and told to its people."""

from __future__ import annotations

from datetime import timedelta
from uuid import uuid4

import pytest
from django.db import IntegrityError, transaction
from django.http import Http404
from django.test import Client

from ims_portal import break_glass
from ims_portal.clock import Fixed
from ims_portal.models import AuditEvent, BreakGlass, Engagement, Taxpayer
from ims_portal.roles import RefusedError
from tests import factories
from tests.ims_portal import log_desk
from tests.ims_portal.log_desk import GSTIN, OTHER, PAGE, REASON, SECRET, adm, as_, at, log, opened, text, told

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("now")]
TODAY = log_desk.TODAY


@pytest.mark.usefixtures("meera")
def test_details_show_for_half_an_hour_of_one_gstin_only(real: Fixed) -> None:
    client, here = as_(), f"{PAGE}?gstin={GSTIN}"
    answer = opened(client)
    assert answer.redirect_chain == [(here, 303)]
    assert f"export: {SECRET}" in text(answer)
    assert f"Break-glass for {GSTIN} until" in text(answer)
    assert SECRET not in client.get(PAGE).text
    assert "another's" not in text(client.get(f"{PAGE}?gstin={OTHER}"))
    assert SECRET not in as_("adm2").get(here).text
    real.at += timedelta(minutes=29, seconds=59)
    assert SECRET in as_().get(here).text
    real.at += timedelta(seconds=1)
    assert SECRET not in as_().get(here).text
    assert "Break-glass for" not in text(as_().get(here))


@pytest.mark.usefixtures("meera")
def test_the_portal_date_does_not_make_it_longer_or_shorter(real: Fixed, now: Fixed) -> None:
    client, here = as_(), f"{PAGE}?gstin={GSTIN}"
    opened(client)
    now.at += timedelta(days=40)
    assert SECRET in client.get(here).text
    real.at += timedelta(minutes=30)
    assert SECRET not in as_().get(here).text


@pytest.mark.usefixtures("meera")
def test_it_is_ended_by_its_button(real: Fixed) -> None:
    client = as_()
    opened(client)
    glass = BreakGlass.objects.get()
    real.at += timedelta(minutes=5)
    key = uuid4()
    for _again in range(2):
        answer = client.post(PAGE, {"do": "end", "glass": glass.pk, "request_id": key}, follow=True)
        assert "The break-glass is ended." in text(answer)
    assert SECRET not in client.get(f"{PAGE}?gstin={GSTIN}").text
    glass.refresh_from_db()
    assert glass.ends_at - glass.began_at == timedelta(minutes=5)
    over = client.post(PAGE, {"do": "end", "glass": glass.pk, "request_id": uuid4()}, follow=True)
    assert "This break-glass is over." in text(over)
    assert log().count("break_glass.ended") == 1


@pytest.mark.usefixtures("meera", "real")
def test_nobody_ends_anothers() -> None:
    opened(as_())
    glass = BreakGlass.objects.get()
    other = as_("adm2").post(PAGE, {"do": "end", "glass": glass.pk, "request_id": uuid4()})
    assert other.status_code == 404
    glass.refresh_from_db()
    assert glass.ends_at == glass.began_at + timedelta(minutes=30)


@pytest.mark.usefixtures("real")
def test_opening_each_look_and_ending_are_logged_under_the_taxpayer(meera: Taxpayer) -> None:
    client = as_()
    opened(client)  # and leads to the first look
    client.get(f"{PAGE}?gstin={GSTIN}&event=role.given")
    client.get(PAGE)
    client.post(PAGE, {"do": "end", "glass": BreakGlass.objects.get().pk, "request_id": uuid4()})
    found = AuditEvent.objects.filter(event__startswith="break_glass.").order_by("pk")
    assert [row.event.partition(".")[2] for row in found] == ["opened", "looked", "looked", "ended"]
    assert {(row.taxpayer, row.actor.username, row.capacity) for row in found} == {(meera, "adm1", "administrator")}
    assert {row.subject for row in found} == {f"break-glass {BreakGlass.objects.get().pk}"}
    assert found[0].details["reason"] == REASON
    ended, *_looks, began = told(as_("adm2"), f"?gstin={GSTIN}&actor=adm1")
    assert "Break-glass ended early Adm1 adm1 Administrator" in ended
    assert REASON in began
    assert "until: " in began


@pytest.mark.usefixtures("meera", "real")
def test_the_same_request_twice_opens_once() -> None:
    client, key = as_(), uuid4()
    for _again in range(2):
        assert "You may see the details" in text(opened(client, request_id=key))
    assert (BreakGlass.objects.count(), log().count("break_glass.opened")) == (1, 1)
    assert opened(client, request_id=key, reason="Another reason altogether").status_code == 409


@pytest.mark.usefixtures("meera")
def test_one_at_a_time(real: Fixed) -> None:
    client = as_()
    opened(client)
    again = opened(client, gstin=OTHER)
    assert again.status_code == 422
    assert f"You have a break-glass for {GSTIN} open until" in text(again)
    assert opened(as_("adm2"), gstin=OTHER).status_code == 200
    real.at += timedelta(minutes=30)
    assert "You may see the details" in text(opened(as_(), gstin=OTHER))
    assert BreakGlass.objects.count() == 3


@pytest.mark.parametrize(
    ("change", "says"),
    [
        ({"reason": ""}, "Say why you have to look"),
        ({"reason": " short  "}, "Say why in 10 to 300 characters"),
        ({"reason": "x" * 301}, "at most 300 characters"),
        ({"reason": "turned \u202e round text"}, "a character that cannot be shown"),
        ({"gstin": ""}, "Write the GSTIN of the taxpayer"),
        ({"gstin": "27AAACR5055K1Z8"}, "check character 8"),
        ({"gstin": "33AAPCN0000E1Z5"}, "No taxpayer here has the GSTIN"),
    ],
)
@pytest.mark.usefixtures("meera")
def test_what_is_wrong_is_told_at_its_field_and_opens_nothing(change: dict[str, str], says: str) -> None:
    answer = opened(as_(), **change)
    assert answer.status_code == 422
    field = f"glass-{next(iter(change))}"
    assert f'<a href="#{field}">' in answer.text
    assert f'id="{field}-error"' in answer.text
    assert says in text(answer)
    assert not BreakGlass.objects.exists()


@pytest.mark.parametrize(
    "fields", [{"do": "open"}, {"do": "burn", "request_id": "ok"}, {"do": "end", "glass": "٣", "request_id": "ok"}]
)
@pytest.mark.usefixtures("meera")
def test_a_form_that_is_none_of_the_pages_is_refused(fields: dict[str, str]) -> None:
    sent = {"gstin": GSTIN, "reason": REASON} | fields
    sent |= {"request_id": str(uuid4())} if fields.get("request_id") else {}
    assert as_().post(PAGE, sent).status_code == 409
    assert not BreakGlass.objects.exists()


@pytest.mark.usefixtures("meera")
def test_the_right_is_read_again_when_it_opens(real: Fixed) -> None:
    was = factories.user("was", is_staff=True)
    type(was).objects.filter(pk=was.pk).update(is_staff=False)
    with pytest.raises(Http404):
        begin(was, real)
    with pytest.raises(RefusedError, match="Say why"):
        begin(adm(), real, reason="          ")
    assert not BreakGlass.objects.exists()


def begin(actor: object, real: Fixed, *, reason: str = REASON) -> None:
    break_glass.begin(
        gstin=GSTIN, reason=reason, actor=actor, clock=factories.clock(TODAY), real=real.now, request_id=uuid4()
    )


@pytest.mark.parametrize(
    "wrong",
    [{"reason": " "}, {"ends_at": factories.at("2025-11-11")}, {"ends_at": factories.at("2025-11-12 10:31")}],
)
def test_the_database_keeps_its_shape(meera: Taxpayer, wrong: dict[str, object]) -> None:
    right = {"actor": adm(), "taxpayer": meera, "reason": REASON, "began_at": at(), "ends_at": at("2025-11-12 10:30")}
    BreakGlass.objects.create(**right)
    with pytest.raises(IntegrityError), transaction.atomic():
        BreakGlass.objects.create(**right | wrong)


@pytest.fixture
def was_looked_at(meera: Taxpayer) -> Taxpayer:
    """Return a taxpayer into whose log an administrator looked."""
    opened(as_())
    return meera


def test_its_people_are_told_for_a_month_and_listed_for_ever(was_looked_at: Taxpayer, real: Fixed) -> None:
    home, people = f"/en/t/{GSTIN}/", f"/en/t/{GSTIN}/people/"
    for role in ("viewer", "owner"):
        factories.member(was_looked_at, "viewer", role)
        assert "An administrator (Adm1) looked at this GSTIN's log from" in text(as_(role).get(home))
        assert REASON in text(as_(role).get(home))
        assert REASON in text(as_(role).get(people))
    real.at += timedelta(days=30, minutes=30)
    client = Client()
    client.force_login(factories.user("owner"))
    assert REASON not in text(client.get(home))
    assert "Looks by administrators" in text(client.get(people))
    assert REASON in text(client.get(people))


def test_other_taxpayers_and_practitioners_are_told_nothing(was_looked_at: Taxpayer) -> None:
    acct = factories.user("acct")
    Engagement.objects.create(
        user=acct,
        taxpayer=was_looked_at,
        rights=["view"],
        valid_from=factories.LONG_AGO,
        asked_by=acct,
        accepted_by=acct,
    )
    for username, gstin in (("acct", GSTIN), ("other", OTHER)):
        if username == "other":
            factories.member(factories.taxpayer(OTHER), "signatory", "other")
        for page in ("", "people/"):
            assert REASON not in text(as_(username).get(f"/en/t/{gstin}/{page}"))


@pytest.mark.usefixtures("was_looked_at")
def test_it_opens_no_page_of_the_taxpayer() -> None:
    for page in ("", "people/", "jobs/", "ims/inward/"):
        assert as_().get(f"/en/t/{GSTIN}/{page}").status_code == 404
