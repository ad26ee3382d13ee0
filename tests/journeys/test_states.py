"""What pages look like with nothing on them, a form refused, a dialog open, in every language (docs/portal.md 5).

The states that links lead to are those of test_every_page.py. Each state here is axe-clean, names only what is in the
page, and says nothing on the console; a refused form moves the focus to a summary that leads to the wrong fields.
"""

from __future__ import annotations

import json
from collections.abc import Callable
from datetime import timedelta
from pathlib import Path
from tempfile import TemporaryDirectory
from uuid import uuid4

import pytest
from django.conf import settings
from django.core.files.uploadedfile import SimpleUploadedFile
from django.db import transaction
from playwright.sync_api import Page, expect

from ims_portal import one_time_codes
from ims_portal.one_time_codes import Purpose
from ims_portal.rules.actions import REMARK_LIMIT, Action
from ims_portal.rules.documents import Form, Section
from ims_portal.rules.periods import Frequency
from invoices import bulk, exchange, feed_uploads, locking, outward, uploads
from invoices.bulk import Which
from invoices.models import Batch, Draft, FeedKind, Message, Record
from returns import exports, gstr2b, gstr3b
from returns.export_files import Kind
from tests import factories
from tests.invoices import feed_files, gstr1_files, gstr1_workbook
from tests.journeys import states_of_people
from tests.journeys.desk import set_clock
from tests.journeys.states_of_people import STRANGER
from tests.journeys.tour import Tour

pytestmark = [pytest.mark.journey, pytest.mark.django_db(transaction=True)]

R, S = factories.RECIPIENT, factories.SUPPLIER
EMPTY, QUARTERLY = "33AAPCN0000E1Z5", "30AARCM0000B1ZG"
NOW, IN_NOVEMBER = "2025-11-16", "112025"
ASHA = "asha"

EMPTY_PAGES = (
    "",
    "ims/",
    "ims/inward/",
    *(f"ims/inward/?tab={tab}" for tab in ("isd", "import", "settled")),
    *(f"ims/inward/{section}/" for section in ("all", "b2bcn", "impg")),
    "ims/inward/all/?settled=1",
    "ims/inward/all/?q=NOBODY&action=R",
    "ims/files/",
    "exports/",
    "ims/find/",
    f"ims/find/?gstin={S}&number=NONE",
    "ims/deadlines/",
    "ims/deadlines/feed/",
    "ims/messages/",
    "ims/whatif/",
    *(f"ims/outward/{place}" for place in ("", "b2b/", "rejected/", "rejected-notes/", "forecast/", "repair/")),
    "ims/outward/?q=NOBODY",
    "people/",
    "jobs/",
    "returns/",
    *(f"returns/102025/gstr1/{part}" for part in ("", "b2b/", "file/")),
    *(f"returns/102025/gstr2b/{part}" for part in ("", "changes/")),
    *(f"returns/102025/gstr3b/{part}" for part in ("", "review/")),
)


@pytest.fixture
def world() -> None:
    """Asha with everything to do with R, S and a taxpayer nothing was reported to or by; somebody with nothing."""
    factories.user(ASHA, is_staff=True)
    factories.user("newcomer")
    for gstin, name in ((R, "Meera Traders"), (S, "Shree Balaji Traders"), (EMPTY, "Nilgiri Retail Stores")):
        factories.member(factories.taxpayer(gstin, name=name), "signatory", ASHA)
    factories.member(factories.taxpayer(QUARTERLY, frequency=Frequency.QUARTERLY), "viewer", ASHA)
    factories.taxpayer(STRANGER)
    notes = [factories.document(section=Section.CN, number=f"CN{n}", on="2025-10-20") for n in range(1, 4)]
    factories.filed(*notes, *(factories.document(number=f"INV{n}") for n in range(1, 3)))
    factories.saved(factories.document(number="NOV1", on="2025-11-05"), period=IN_NOVEMBER, on="2025-11-12")
    factories.act(Record.objects.get(number="CN3"), "R", reason="NOT_AGREED", remark="nothing came back")
    recipient = factories.taxpayer(R)
    outward.file(supplier=recipient, form=Form.GSTR1, period=factories.OCTOBER, actor=None, clock=factories.clock(NOW))
    factories.computed(recipient)


def batch(action: str) -> Batch:
    """Return the preview of an action on every credit note of R."""
    made = bulk.preview(
        taxpayer=factories.taxpayer(R),
        which=Which("b2bcn", "action=N", f"/en/t/{R}/ims/inward/b2bcn/", None),
        action=Action(action),
        actor=factories.user(ASHA),
        clock=factories.clock(NOW),
        request_id=uuid4(),
    )
    bulk.find(batch=made, clock=factories.clock(NOW), patience=timedelta(minutes=10))
    return made


def broken_file(content: bytes) -> str:
    """Return the page of an upload of S's that came to nothing, or to problems."""
    made = uploads.receive(
        taxpayer=factories.taxpayer(S),
        form=Form.GSTR1,
        period=factories.periods.parse(IN_NOVEMBER),
        file=SimpleUploadedFile("broken.json", content),
        actor=factories.user(ASHA),
        clock=factories.clock(NOW),
        request_id=uuid4(),
    )
    uploads.ingest(upload=made, clock=factories.clock(NOW))
    return f"t/{S}/uploads/{made.pk}/"


@pytest.fixture(params=[code for code, _name in settings.LANGUAGES])
def tour(
    request: pytest.FixtureRequest,
    world: None,  # noqa: ARG001 - what the tour goes through
    start_web: Callable[[], str],
    person: Callable[[], Page],
    complaints: list[str],
) -> Tour:
    """Return a way through the portal in a language; nobody is signed in."""
    set_clock(f"{NOW} 10:00")
    return Tour(person(), start_web(), request.param, complaints)


def test_every_state_no_link_leads_to_is_clean(tour: Tour) -> None:
    somebody_with_nothing_signs_in(tour)
    tour.page.context.clear_cookies()
    tour.sign_in(ASHA)
    for path in EMPTY_PAGES:
        tour.open(f"t/{EMPTY}/{path}")
        tour.look("empty")
    what_is_no_page_of_theirs(tour)
    addresses_that_cannot_be_read(tour)
    the_recipients_forms(tour)
    the_suppliers_forms(tour)
    states_of_people.peoples_forms(tour)
    states_of_people.own_and_administrators_forms(tour)
    dialogs_of_a_list(tour)
    many_at_once(tour)
    codes_for_programs(tour)
    files_out_and_in(tour)
    jobs_of_all(tour)
    filing(tour)
    what_a_step_leads_to(tour)
    while_another_writes(tour)
    assert tour.problems == [], "\n".join(tour.problems)


def somebody_with_nothing_signs_in(tour: Tour) -> None:
    tour.sign_in("newcomer", "not the password")
    tour.look_refused("wrong password")
    tour.sign_in("newcomer")
    tour.open("t/")
    tour.look("no taxpayer")
    tour.open("me/")
    tour.look("no calendar feeds")


def what_is_no_page_of_theirs(tour: Tour) -> None:
    tour.open(f"t/{STRANGER}/", status=404)
    tour.look("another's")
    tour.open(f"t/{R}/ims/inward/nothing/", status=404)
    tour.look("no such page")
    tour.open(f"t/{QUARTERLY}/returns/102025/gstr2b/")
    tour.look("month of a quarter")
    tour.open(f"t/{QUARTERLY}/ims/inward/all/")
    tour.post(f"t/{QUARTERLY}/ims/act/", 403, do="save")
    tour.look("right missing")
    tour.open(f"t/{R}/ims/act/", status=405)
    tour.look_refused("wrong method", is_linked=False)
    tour.open(f"t/{R}/")
    tour.post(f"t/{R}/ims/act/", 409, gstin=S)
    tour.look_refused("another GSTIN's form", is_linked=False)
    tour.post(f"t/{R}/ims/act/", 403, csrfmiddlewaretoken="x" * 64)
    tour.look_refused("old form", is_linked=False)
    tour.open(f"t/{EMPTY}/returns/{IN_NOVEMBER}/gstr2b/")
    tour.look("no GSTR-2B yet")
    tour.post(f"t/{EMPTY}/returns/{IN_NOVEMBER}/gstr2b/compute/", 409)
    tour.look_refused("computed too early", is_linked=False)


def addresses_that_cannot_be_read(tour: Tour) -> None:
    wrong = "supplier=XX&period=13/2025&date_from=31/31/2025&tax_from=much&lapses=soon&section=zz&type=Z&reduces=7"
    tour.open(f"t/{R}/ims/inward/all/?{wrong}", status=422)
    tour.look_refused("wrong filters")
    tour.open(f"t/{R}/ims/inward/all/?sort=sideways", status=422)
    tour.look("wrong order")
    tour.open(f"t/{R}/ims/find/?gstin=NONSENSE&number=", status=422)
    tour.look_refused("find nonsense")
    tour.open(f"t/{S}/ims/outward/?fy=soon&p=992025&form=gstr9&action=Q&status=Z&q={'x' * 41}", status=400)
    tour.look_refused("wrong filters of outward")
    tour.open(f"t/{S}/ims/outward/rejected/?effect=big&filed3b=7&recipient=NOBODY&in=soon", status=400)
    tour.look_refused("wrong filters of what is rejected")


def the_recipients_forms(tour: Tour) -> None:
    tour.open(f"t/{R}/returns/102025/gstr3b/table/t4A5/")
    tour.post(f"t/{R}/returns/102025/gstr3b/table/t4A5/", 422, igst="५", cgst="much", sgst="0", cess="0")
    tour.look_refused("3B amounts")
    tour.post(f"t/{R}/returns/102025/gstr3b/table/t4A5/", 422, igst="5.00", cgst="0", sgst="0", cess="0")
    tour.look_refused("3B without reason")
    tour.post(f"t/{R}/returns/102025/gstr3b/payment/t5_1/", 422, igst="much", cgst="", sgst="0", cess="0")
    tour.look_refused("interest")
    tour.open(f"t/{R}/ims/deadlines/")
    item = tour.page.locator("input[name=item]").first.get_attribute("value") or ""
    tour.post(f"t/{R}/ims/deadlines/", 422, item=item, until="soon")
    tour.look_refused("put off to no day")


def the_suppliers_forms(tour: Tour) -> None:
    note, saved = (Record.objects.get(number=number).pk for number in ("CN3", "NOV1"))
    ask, answer = f"t/{S}/ims/outward/records/{note}/message/", f"t/{R}/ims/records/{note}/message/"
    tour.open(ask)
    tour.post(ask, 422, text="x" * 501)
    tour.look_refused("message too long")
    tour.post(ask, 200, text="Please look again.")
    assert Message.objects.count() == 1
    tour.open(answer)
    tour.post(answer, 422, text="")
    tour.look_refused("empty answer")
    tour.post(f"t/{S}/ims/outward/records/{note}/repair/", 409, shown="gstr1a 102025")
    tour.look("repair of what can still be accepted")
    at = f"t/{S}/returns/{IN_NOVEMBER}/gstr1"
    tour.open(f"{at}/b2b/new/")
    tour.post(
        f"{at}/b2b/new/",
        422,
        do="save",
        recipient="27AAACR5055K1Z8",
        number="No. 1",
        dated="31/31/2025",
        pos="27",
        inv_type="R",
        lines="1",
        value="much",
        **{"line-0-rate": "", "line-0-taxable": "much", "line-0-igst": "५"},
    )
    tour.look_refused("entry with wrong fields")
    tour.open(f"{at}/cdnr/new/")
    tour.post(f"{at}/cdnr/new/", 422, do="save", lines="1")
    tour.look_refused("note with nothing in it")
    tour.post(f"{at}/records/{saved}/delete/", 409, version="99")
    tour.look_refused("deleted, but changed meanwhile", is_linked=False)
    tour.open(f"{at}/")
    tour.post(f"{at}/upload/", 422)
    tour.look_refused("no file")
    tour.open(broken_file(b"{"))
    tour.look("broken file")
    wrong = {"gstin": S, "fp": IN_NOVEMBER, "b2b": [{"ctin": R, "inv": [{"inum": "No. 1"}]}]}
    tour.open(broken_file(str(wrong).replace("'", '"').encode()))
    tour.look("file with wrong documents")
    late = {"b2b": [{"ctin": R, "inv": [gstr1_files.make_invoice(idt="05-12-2025")]}]}
    with TemporaryDirectory() as folder:
        tour.open(broken_file(gstr1_workbook.write(Path(folder, "late.xlsx"), late).read_bytes()))
    tour.look("workbook whose refused rows can be taken")


def dialogs_of_a_list(tour: Tour) -> None:
    page = tour.page
    for letter, *numbers in (("A", "CN1"), ("A", "CN1", "CN2"), ("R", "CN1"), ("R", "INV1", "CN2"), ("P", "INV1")):
        state = f"dialog {letter} of {', '.join(numbers)}"
        choose(tour, letter, *numbers)
        dialog(tour)
        tour.look(state)
        if letter == "P":
            page.locator("#answers input[name$=remark]").fill("x" * (REMARK_LIMIT + 1))
        page.locator("#answers .savebar button[type=submit]").last.click()
        expect(page.locator("#dialog .errors")).to_be_focused()
        tour.look_refused(f"{state}, refused")
    choose(tour, "A", "CN1", "CN2")
    dialog(tour)
    asked = f"t/{R}/ims/act/{Draft.objects.get().pk}/"
    tour.open(asked)
    tour.look("questions on a page")
    key = page.locator("input[name=line]").first.get_attribute("value") or ""
    prefix = (page.locator("#answers input[type=radio]").first.get_attribute("name") or "").removesuffix("-answer")
    told = {f"{prefix}-answer": "P", f"{prefix}-igst": "18000.01", "checked": "1"}
    tour.post(asked, 422, do="save", line=key, **told)
    tour.look_refused("questions on a page, refused")
    tour.open(f"t/{R}/ims/inward/all/")
    page.locator("tbody input[type=radio]").first.focus()
    page.keyboard.press("?")
    expect(page.locator("#keys")).to_be_visible()
    tour.look("keys of a list")
    page.keyboard.press("Escape")
    page.keyboard.press("w")
    expect(page.locator("#record-panel")).to_be_focused()
    tour.look("record beside the list")
    page.evaluate("document.getElementById('session').showModal()")
    tour.look("about to be signed out")


def choose(tour: Tour, letter: str, *numbers: str) -> None:
    """Open R's list with nothing chosen, and choose an action for documents."""
    tour.post(f"t/{R}/ims/act/", 200, do="discard", back=f"/{tour.language}/t/{R}/ims/inward/all/?action=N")
    for number in numbers:
        row = tour.page.get_by_role("row").filter(has=tour.page.get_by_role("link", name=number, exact=True))
        row.locator(f"input[type=radio][value={letter}]").check()


def dialog(tour: Tour) -> None:
    """Press Save, and wait for what it asks."""
    tour.page.locator("#save").click()
    expect(tour.page.locator("#answers-title")).to_be_focused()


def many_at_once(tour: Tour) -> None:
    for action, wrong in (("A", "answer"), ("R", "confirm")):
        at = f"t/{R}/ims/batches/{batch(action).pk}/"
        tour.open(at)
        tour.look(f"preview of {action}")
        tour.post(f"{at}{wrong}/", 422, remark="x" * (REMARK_LIMIT + 1))
        tour.look_refused(f"preview of {action}, refused")


def files_out_and_in(tour: Tour) -> None:
    """A file asked for and one of actions, at each of their steps."""
    firm, asha = factories.taxpayer(R), factories.user(ASHA)
    asked = {"month": 202510, "version": 1}
    export = exports.request(taxpayer=firm, kind=Kind.GSTR2B_XLSX, asked=asked, actor=asha, clock=factories.clock(NOW))
    for state in ("waiting", "made"):
        tour.open(f"t/{R}/exports/{export.pk}/")
        tour.look(f"file {state}")
        exports.write(export=export, clock=factories.clock(NOW))
    tour.open(f"t/{R}/exports/")
    tour.look("files")
    tour.open(f"t/{R}/ims/files/")
    tour.post(f"t/{R}/ims/files/", 422)
    tour.look_refused("no file of actions")
    for name, content in (("broken.json", b"{"), ("good.json", actions_of("INV1", "INV9"))):
        file = exchange.receive(
            taxpayer=firm,
            file=SimpleUploadedFile(name, content),
            actor=asha,
            clock=factories.clock(NOW),
            request_id=uuid4(),
        )
        for state in ("waiting", "read"):
            tour.open(f"t/{R}/ims/files/{file.pk}/")
            tour.look(f"{name} {state}")
            exchange.carry_out(file=file, clock=factories.clock(NOW))
    exchange.confirm(file=file, actor=asha, clock=factories.clock(NOW), request_id=uuid4())
    file.refresh_from_db()
    exchange.carry_out(file=file, clock=factories.clock(NOW))
    tour.open(f"t/{R}/ims/files/{file.pk}/")
    tour.look("actions by file saved")


def codes_for_programs(tour: Tour) -> None:
    """The page of codes before proof, after it without any, and with one; and the page of tokens with one."""
    firm, asha = factories.taxpayer(R), factories.user(ASHA)
    tour.open(f"t/{R}/codes/")
    tour.look("codes, none")
    one_time_codes.ask(user=asha, taxpayer=firm, purpose=Purpose.ENTER, at=factories.clock(NOW).now())
    for path in (f"t/{R}/codes/", "me/tokens/"):
        tour.open(path)
        tour.look(f"{path} with a code")


def actions_of(*numbers: str) -> bytes:
    """Return a file of the offline utility that keeps invoices of S pending; one that is not ours has no amounts."""
    plain = {"stin": S, "idt": "05-10-2025", "inv_typ": "R", "srcform": "R1", "rtnprd": "102025", "pos": "27"}
    amounts = {"val": "value", "txval": "taxable", "iamt": "igst", "camt": "cgst", "samt": "sgst", "cess": "cess"}
    ours = {invoice.number: invoice for invoice in Record.objects.filter(number__in=numbers)}
    rows = [{**plain, **dict.fromkeys(amounts, 0), "inum": number, "action": "P"} for number in numbers]
    for row in rows:
        if found := ours.get(str(row["inum"])):
            row |= {key: getattr(found, name) / 100 for key, name in amounts.items()}
            row["idt"] = f"{found.document_date:%d-%m-%Y}"
    return json.dumps({"rtin": R, "reqtyp": "SAVE", "invdata": {"b2b": rows}}).encode()


def jobs_of_all(tour: Tour) -> None:
    """Jobs in every state: for administrators with buttons, for a GSTIN's own people with links."""
    waiting, running, *_done = Batch.objects.order_by("pk")
    Batch.objects.filter(pk=waiting.pk).update(state="waiting")
    Batch.objects.filter(pk=running.pk).update(state="running")
    for state in ("", "?state=failed"):
        tour.open(f"control/jobs/{state}")
        tour.look(f"jobs of everybody {state}")
    tour.post("control/jobs/", 200, do="cancel", kind="batch", job=str(running.pk))
    tour.look("job that cannot be cancelled")
    tour.open(f"t/{R}/jobs/")
    tour.look("jobs")
    Batch.objects.filter(pk__in=[waiting.pk, running.pk]).update(state="done")


def filing(tour: Tour) -> None:
    tour.open(f"t/{R}/returns/102025/gstr3b/review/")
    tour.look("before filing")
    tour.post(f"t/{R}/returns/102025/gstr3b/file/", 409, digest="0" * 64)
    tour.look_refused("figures changed", is_linked=False)
    tour.open(f"t/{EMPTY}/returns/102025/gstr3b/")
    tour.post(f"t/{EMPTY}/returns/102025/gstr3b/file/", 409)
    tour.look_refused("nothing to file", is_linked=False)


def what_a_step_leads_to(tour: Tour) -> None:
    """Pages only a step of somebody leads to, as they usually look."""
    invoice, note, saved = (Record.objects.get(number=number) for number in ("INV1", "CN3", "NOV1"))
    tour.open(f"t/{R}/ims/whatif/?of=b2bcn&do=R")
    tour.look("what if")
    at = f"t/{S}/returns/"
    tour.open(f"{at}{IN_NOVEMBER}/gstr1/records/{saved.pk}/edit/")
    tour.look("editing a document")
    tour.open(f"{at}102025/gstr1/records/{invoice.pk}/amend/")
    tour.look("amending a document")
    made = batch("R")
    bulk.apply(
        batch=made,
        actor=factories.user(ASHA),
        clock=factories.clock(NOW),
        request_id=uuid4(),
        remark="",
        reason_code="NOT_AGREED",
    )
    bulk.carry_out(batch=made, clock=factories.clock(NOW))
    for part in ("", "rows/"):
        tour.open(f"t/{R}/ims/batches/{made.pk}/{part}")
        tour.look("many at once, done")
    tour.open(f"t/{R}/ims/inward/all/")
    tour.look("out of date")
    tour.open(f"t/{R}/returns/102025/gstr2b/changes/")
    tour.look("changes since")
    job = gstr2b.request(
        taxpayer=factories.taxpayer(R), period=factories.OCTOBER, actor=None, clock=factories.clock(NOW)
    )
    tour.open(f"t/{R}/jobs/{job.pk}/")
    tour.look("waiting for a computation")
    factories.computed(on=NOW)
    gstr3b.file(taxpayer=factories.taxpayer(R), period=factories.OCTOBER, actor=None, clock=factories.clock(NOW))
    tour.open(f"t/{R}/returns/102025/gstr3b/receipt/")
    tour.look("receipt")
    tour.open(f"t/{S}/ims/outward/records/{note.pk}/repair/")
    tour.look("repair of what is final")
    tour.open(f"t/{S}/ims/outward/forecast/")
    tour.look("forecast with an add-back")
    feed = SimpleUploadedFile("feed.json", json.dumps(feed_files.bills(feed_files.bill())).encode())
    taken = feed_uploads.receive(
        kind=FeedKind.BILLS, file=feed, actor=factories.user(ASHA), clock=factories.clock(NOW), request_id=uuid4()
    )
    for state in ("waiting", "with problems"):
        tour.open(f"control/feeds/{taken.pk}/")
        tour.look(f"feed {state}")
        feed_uploads.ingest(batch=taken, clock=factories.clock(NOW))


def while_another_writes(tour: Tour) -> None:
    """R's inbox is held by another for longer than a save waits."""
    tour.open(f"t/{R}/ims/inward/b2b/?settled=1")
    invoice = Record.objects.get(number="NOV1")
    tour.open(f"t/{R}/ims/inward/all/")
    with transaction.atomic():
        locking.lock([factories.taxpayer(R).pk])
        tour.post(f"t/{R}/ims/act/", 503, do="save", **{f"a.{invoice.pk}.{invoice.version}": "A"})
    tour.look_refused("busy", is_linked=False)
