"""A file of actions: out, changed, in, shown, applied; the refused rows come back and can be mended."""

from __future__ import annotations

import json
from collections.abc import Callable
from datetime import timedelta
from pathlib import Path
from typing import Any
from uuid import uuid4

import openpyxl
import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from openpyxl.workbook import Workbook
from openpyxl.worksheet.worksheet import Worksheet

from ims_portal.clock import Fixed
from ims_portal.models import Taxpayer, User
from invoices import exchange, exchange_words, standing
from invoices.kept_files import UploadRefusedError
from invoices.models import ActionEvent, ActionFile, Record
from returns import demo, exports
from returns.export_files import Kind, NothingToWriteError
from tests.returns import story

pytestmark = pytest.mark.django_db(transaction=True)
NOON = Fixed(demo.moment("2026-11-16 12:00"))


@pytest.fixture
def firm(settings: Any, tmp_path: Path) -> Taxpayer:  # noqa: ANN401 pytest-django's settings
    """The story's recipient on 16 November."""
    settings.IMS_EXPORT_DIR = str(tmp_path / "exports")
    return story.told_so_far()


def owner(firm: Taxpayer) -> User:
    return User.objects.filter(memberships__taxpayer=firm).order_by("pk")[0]


def written(firm: Taxpayer, kind: Kind = Kind.IMS_XLSX, **asked: object) -> Path:
    """Return a written file of a taxpayer."""
    export = exports.request(
        taxpayer=firm, kind=kind, asked=asked or {"section": "all", "query": ""}, actor=owner(firm), clock=NOON
    )
    exports.write(export=export, clock=NOON)
    assert export.problem == ""
    return Path(export.path)


def handed_in(firm: Taxpayer, content: bytes, name: str = "actions.xlsx") -> ActionFile:
    """Return a file that was uploaded and read."""
    file = exchange.receive(
        taxpayer=firm,
        file=SimpleUploadedFile(name, content),
        actor=owner(firm),
        clock=NOON,
        request_id=uuid4(),
    )
    exchange.carry_out(file=file, clock=NOON)
    file.refresh_from_db()
    return file


def applied(file: ActionFile) -> ActionFile:
    """Return a file after it was confirmed and applied."""
    exchange.confirm(file=file, actor=file.requested_by, clock=NOON, request_id=uuid4())
    file.refresh_from_db()
    exchange.carry_out(file=file, clock=NOON)
    file.refresh_from_db()
    assert (file.phase, file.state, file.problem) == ("applied", "done", "")
    return file


def changed(path: Path, change: Callable[[Workbook], None]) -> bytes:
    """Return a workbook as somebody saved it after changing cells."""
    book = openpyxl.load_workbook(path)
    change(book)
    book.save(path)
    return path.read_bytes()


def cell(sheet: Worksheet, number: str, label: str) -> Any:  # noqa: ANN401 openpyxl's cell
    """Return a cell by its document's number and its label; of two labels alike the later is the declared one."""
    bottom = 8 if sheet.title in ("B2BA", "B2B-DNA", "B2B-CNA", "ECOA") else 7
    heads = {}
    for column in range(1, sheet.max_column + 1):
        for tier in range(5, bottom):
            if sheet.cell(tier, column).value:
                heads[column] = sheet.cell(tier, column).value
    wanted = max(column for column, name in heads.items() if name == label)
    row = next(row for row in range(bottom, sheet.max_row + 1) if number in [one.value for one in sheet[row]])
    return sheet.cell(row, wanted)


def texts(file: ActionFile) -> dict[str, str]:
    """Return number -> why its row was refused."""
    today = standing.of(file.taxpayer, NOON.now())
    return {one.row.number: one.text for one in exchange_words.problems(file, today)}


def test_a_workbook_uploaded_as_it_came_changes_nothing(firm: Taxpayer) -> None:
    path = written(firm)
    file = handed_in(firm, path.read_bytes())
    assert (file.phase, file.counts, file.untouched) == ("ready", {}, 29)
    saved_again = changed(path, lambda _book: None)  # as another program writes it
    assert (handed_in(firm, saved_again).counts, handed_in(firm, saved_again).untouched) == ({}, 29)
    with pytest.raises(exchange.FileRefusedError, match="Nothing of this file would change"):
        exchange.confirm(file=file, actor=owner(firm), clock=NOON, request_id=uuid4())


def edits(book: Workbook) -> None:
    """Make the edits of journey 14: a barred Pending, a remark like a formula, an unanswered note, a good one."""
    cell(book["B2B"], "KMF/26-27/1004", "Status").value = "Rejected"
    remark = cell(book["B2B"], "KMF/26-27/1004", "Remarks")
    remark.value, remark.data_type = "=1+1", "s"
    cell(book["B2B-CN"], "KMF/CN/041", "Status").value = "accepted"
    cell(book["B2B-CN"], "NCL-CN-0031", "Status").value = "Accepted"
    cell(book["B2B-CN"], "NCL-CN-0031", "ITC to be reduced").value = "Yes"
    cell(book["B2B"], "KMF/26-27/1001", "Status").value = "Keep"


def test_changed_rows_are_shown_and_saved_and_refused_ones_come_back(firm: Taxpayer) -> None:
    file = handed_in(firm, changed(written(firm), edits))
    assert file.counts == {"will": 2, "ITC_REDUCTION_REQUIRED": 1, "APP-G104": 1}
    assert file.untouched == 25
    assert ActionEvent.objects.filter(request_id=file.pk).count() == 0
    told = texts(file)
    assert set(told) == {"KMF/CN/041", "KMF/26-27/1001"}
    assert 'Status says "Keep"' in told["KMF/26-27/1001"]
    before = Record.objects.get(number="KMF/26-27/1001", recipient=firm).action
    applied(file)
    assert file.counts == {"ok": 2, "ITC_REDUCTION_REQUIRED": 1, "APP-G104": 1}
    invoice, note = (Record.objects.get(number=number, recipient=firm) for number in ("KMF/26-27/1004", "NCL-CN-0031"))
    assert (invoice.action, invoice.remark) == ("R", "=1+1")
    assert (note.action, note.answer) == ("A", "F")
    assert Record.objects.get(number="KMF/26-27/1001", recipient=firm).action == before
    event = ActionEvent.objects.filter(record=invoice).latest("at")
    assert event.actor == owner(firm)


def test_the_refused_rows_corrected_and_uploaded_again_are_saved(firm: Taxpayer) -> None:
    file = applied(handed_in(firm, changed(written(firm), edits)))
    back = written(firm, Kind.REFUSED_XLSX, file=str(file.pk))
    book = openpyxl.load_workbook(back)
    assert book.sheetnames == ["Home", "B2B", "B2B-CN"]
    assert "Say whether ITC is reduced" in cell(book["B2B-CN"], "KMF/CN/041", "Problem").value
    assert cell(book["B2B-CN"], "KMF/CN/041", "Status").value == "Accepted"

    def corrected(book: Workbook) -> None:
        cell(book["B2B-CN"], "KMF/CN/041", "ITC to be reduced").value = "No"
        cell(book["B2B-CN"], "KMF/CN/041", "Remarks").value = "Never taken"
        cell(book["B2B"], "KMF/26-27/1001", "Status").value = "Pending"

    again = applied(handed_in(firm, changed(back, corrected)))
    assert again.counts == {"ok": 2}
    note = Record.objects.get(number="KMF/CN/041", recipient=firm)
    assert (note.action, note.answer, note.remark) == ("A", "N", "Never taken")
    with pytest.raises(NothingToWriteError):
        written(firm, Kind.REFUSED_XLSX, file=str(again.pk))


def test_a_partial_reduction_is_read_to_the_paisa(firm: Taxpayer) -> None:
    def edit(book: Workbook) -> None:
        sheet = book["B2B-CN"]
        for label, value in {
            "Status": "A",
            "ITC to be reduced": "yes",
            "Central tax (₹)": 900.5,
            "State/UT tax (₹)": "900.50",
            "Remarks": "half of it",
        }.items():
            cell(sheet, "KMF/CN/041", label).value = value

    assert applied(handed_in(firm, changed(written(firm), edit))).counts == {"ok": 1}
    note = Record.objects.get(number="KMF/CN/041", recipient=firm)
    assert (note.answer, note.declared_cgst, note.declared_sgst, note.declared_igst) == ("P", 90050, 90050, 0)


def test_who_chose_meanwhile_is_not_overwritten(firm: Taxpayer) -> None:
    path = written(firm)
    other = handed_in(
        firm, changed(path, lambda book: setattr(cell(book["B2B"], "KMF/26-27/1004", "Status"), "value", "P"))
    )
    late = handed_in(
        firm, changed(path, lambda book: setattr(cell(book["B2B"], "KMF/26-27/1004", "Status"), "value", "R"))
    )
    applied(other)
    assert late.counts == {"will": 1}
    assert applied(late).counts == {"conflict": 1}
    assert "is Pending now" in texts(late)["KMF/26-27/1004"]
    assert Record.objects.get(number="KMF/26-27/1004", recipient=firm).action == "P"


def test_a_row_moved_onto_another_record_s_key_acts_on_neither(firm: Taxpayer) -> None:
    def edit(book: Workbook) -> None:
        sheet = book["B2B"]
        cell(sheet, "KMF/26-27/1004", "Record and version").value = cell(
            sheet, "KMF/26-27/1001", "Record and version"
        ).value
        cell(sheet, "KMF/26-27/1004", "Status").value = "Rejected"

    file = handed_in(firm, changed(written(firm), edit))
    assert file.counts == {"RECORD_NOT_IN_IMS": 1}


def test_a_workbook_without_our_columns_is_read_by_its_labels(firm: Taxpayer) -> None:
    book = Workbook()
    sheet = book.active
    sheet.title = "b2b cn"
    sheet.append(["Some title of a near relative"])
    sheet.append(
        ["STATUS", "Trade Name", "GSTIN of supplier", "Note Number", "Note date", "ITC to be Reduced", "remarks"]
    )
    sheet.append(["Accepted", "x", "29AAFCK0000M1ZQ", "KMF/CN/041", "21/10/2026", "Yes", None])
    sheet.append(["Accepted", "x", "29AAFCK0000M1ZQ", "KMF/CN/041", "21/10/2026", "Yes", None])
    sheet.append(["Accepted", "x", "29AAFCK0000M1ZQ", "NOT-THERE", "21-Oct-2026", "Yes", None])
    book.create_sheet("Notes of mine").append(["anything"])
    path = Path(str(written(firm)) + ".near")
    book.save(path)
    file = handed_in(firm, path.read_bytes())
    assert file.counts == {"will": 1, "APP-F06": 1, "RECORD_NOT_IN_IMS": 1}


def test_another_taxpayer_s_workbook_is_refused_whole(firm: Taxpayer) -> None:
    def edit(book: Workbook) -> None:
        book["Home"]["B3"].value = "24AAKCT0000P1ZG"

    path = written(firm)
    rows = [(row[0].value, row[1].value) for row in openpyxl.load_workbook(path)["Home"].iter_rows(max_row=6)]
    assert ("GSTIN", "29AAKCT0000P1Z6") in rows
    file = handed_in(firm, changed(path, edit))
    assert file.state == "failed"
    assert "The file is of 24AAKCT0000P1ZG" in file.problem
    assert not file.rows.exists()
    assert not Path(file.path).exists()


@pytest.mark.parametrize(
    ("content", "name", "said"),
    [
        (b"PK\x03\x04 broken", "a.xlsx", "workbook"),
        (b"<html>", "a.xlsx", "workbook"),
        (b'{"rtin": ', "a.json", "ends early"),
        (b'{"gstin": "29AAKCT0000P1Z6", "fp": "102026", "b2b": []}', "a.json", "neither a file of IMS actions"),
    ],
)
def test_what_is_no_file_of_actions_is_refused_with_its_cause(
    firm: Taxpayer, content: bytes, name: str, said: str
) -> None:
    file = handed_in(firm, content, name)
    assert file.state == "failed"
    assert said in file.problem


def test_what_cannot_be_taken_in_is_said_at_once(firm: Taxpayer) -> None:
    for name, content in (("a.xls", b"x"), ("a.xlsm", b"x"), ("a", b"x")):
        with pytest.raises(exchange.FileRefusedError, match="workbook"):
            handed_in(firm, content, name)
    with pytest.raises(UploadRefusedError, match="empty"):
        handed_in(firm, b"", "a.json")
    assert not ActionFile.objects.exists()


def test_the_offline_utility_s_upload_is_applied(firm: Taxpayer) -> None:
    story.save(firm, "2026-11-16")
    content = (story.DATA / "ims-offline-upload.json").read_bytes()
    file = applied(handed_in(firm, content, "upload.json"))
    wanted = json.loads(content)["invdata"]
    found = {record.number: record.action for record in Record.objects.filter(recipient=firm)}
    asked = {row.get("inum") or row["nt_num"]: row["action"] for rows in wanted.values() for row in rows}
    refused = set(texts(file))
    assert {number: found[number] for number in asked.keys() - refused} == {
        number: action for number, action in asked.items() if number not in refused
    }
    assert len(asked) - len(refused) >= 3


def test_our_own_offline_file_uploaded_again_changes_nothing(firm: Taxpayer) -> None:
    path = written(firm, Kind.IMS_OFFLINE)
    file = handed_in(firm, path.read_bytes(), "again.json")
    assert (file.phase, file.refused, file.counts.get("will", 0)) == ("ready", 0, 0)


def test_refused_rows_of_json_come_back_with_their_messages(firm: Taxpayer) -> None:
    rows = {
        "b2bcn": [
            {
                "stin": "33AASFN0000R1Z5",
                "nt_num": "NCL-CN-0031",
                "nt_dt": "26-10-2026",
                "inv_typ": "R",
                "srcform": "R1",
                "rtnprd": "102026",
                "val": 11800,
                "pos": "29",
                "txval": 10000,
                "iamt": 1800,
                "camt": 0,
                "samt": 0,
                "cess": 0,
                "action": "A",
                "itcRedReq": "N",
            }
        ]
    }
    content = json.dumps({"rtin": firm.gstin, "reqtyp": "SAVE", "invdata": rows}).encode()
    file = handed_in(firm, content, "upload.json")
    assert file.counts == {"REMARKS_REQUIRED": 1}
    back = json.loads(written(firm, Kind.REFUSED_JSON, file=str(file.pk)).read_bytes())["imsDetailsErr"]
    assert back["b2bcn"][0]["nt_num"] == "NCL-CN-0031"
    assert (back["b2bcn"][0]["action"], back["b2bcn"][0]["itcRedReq"]) == ("A", "N")
    assert "need a remark" in back["b2bcn"][0]["error_msg"]


def test_what_stands_there_from_another_choice_is_dropped_and_what_was_just_written_refused(firm: Taxpayer) -> None:
    def decide(book: Workbook) -> None:
        sheet = book["B2B-CN"]
        for label, value in {"Status": "A", "ITC to be reduced": "No", "Remarks": "Never taken"}.items():
            cell(sheet, "KMF/CN/041", label).value = value

    assert applied(handed_in(firm, changed(written(firm), decide))).counts == {"ok": 1}

    def none(book: Workbook) -> None:
        cell(book["B2B-CN"], "KMF/CN/041", "Status").value = "No Action"

    def none_with_a_new_remark(book: Workbook) -> None:
        none(book)
        cell(book["B2B-CN"], "KMF/CN/041", "Remarks").value = "just typed"

    path = written(firm)
    assert handed_in(firm, changed(path, none_with_a_new_remark)).counts == {"REMARKS_NOT_ALLOWED": 1}
    assert applied(handed_in(firm, changed(written(firm), none))).counts == {"ok": 1}
    note = Record.objects.get(number="KMF/CN/041", recipient=firm)
    assert (note.action, note.answer, note.remark) == ("N", "", "")


def test_json_may_echo_a_remark_but_not_an_answer_without_accept(firm: Taxpayer) -> None:
    rows = json.loads(written(firm, Kind.IMS_OFFLINE, section="b2bcn", query="").read_bytes())["imsDetails"]["b2bcn"]
    row = next(one for one in rows if one["nt_num"] == "KMF/CN/041")
    for more, counts in (
        ({"action": "A", "itcRedReq": "Y", "remarks": "an old one"}, {"will": 1}),
        ({"action": "R", "itcRedReq": "Y"}, {"ITC_REDUCTION_ONLY_ON_ACCEPT": 1}),
    ):
        asked = {"rtin": firm.gstin, "reqtyp": "SAVE", "invdata": {"b2bcn": [row | more]}}
        assert handed_in(firm, json.dumps(asked).encode(), "upload.json").counts == counts


def test_a_worker_killed_between_two_pieces_goes_on_where_it_stopped(
    firm: Taxpayer, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(exchange, "PIECE", 2)

    def edit(book: Workbook) -> None:
        for number in ("KMF/26-27/1004", "KMF/26-27/1001", "KMF/26-27/1011", "NCL-26-0551"):
            cell(book["B2B"], number, "Status").value = "Pending"

    file = handed_in(firm, changed(written(firm), edit))
    assert file.counts == {"will": 4}
    exchange.confirm(file=file, actor=owner(firm), clock=NOON, request_id=uuid4())
    file.refresh_from_db()
    marked, marks = exchange.exchange_sql.mark, []

    def killed(*given: Any) -> None:  # noqa: ANN401 whatever mark takes
        if marks:
            raise SystemError("killed")
        marks.append(marked(*given))

    with monkeypatch.context() as patched:
        patched.setattr(exchange.exchange_sql, "mark", killed)
        with pytest.raises(SystemError):
            exchange.carry_out(file=file, clock=NOON)
    file.refresh_from_db()
    assert (file.phase, file.progress) == ("applying", 2)
    exchange.carry_out(file=file, clock=NOON)
    file.refresh_from_db()
    assert (file.phase, file.counts) == ("applied", {"ok": 4})
    pending = Record.objects.filter(recipient=firm, number__in=["KMF/26-27/1004", "NCL-26-0551"])
    assert [ActionEvent.objects.filter(record=record, action="P").count() for record in pending] == [1, 1]


def test_who_lost_the_right_saves_nothing(firm: Taxpayer) -> None:
    file = handed_in(firm, changed(written(firm), edits))
    before = set(Record.objects.values_list("pk", "version"))
    exchange.confirm(file=file, actor=owner(firm), clock=NOON, request_id=uuid4())
    owner(firm).memberships.filter(taxpayer=firm).update(valid_to=NOON.now() - timedelta(minutes=1))
    file.refresh_from_db()
    exchange.carry_out(file=file, clock=NOON)
    file.refresh_from_db()
    assert file.state == "failed"
    assert "may no longer act" in file.problem
    assert set(Record.objects.values_list("pk", "version")) == before
