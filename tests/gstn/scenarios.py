"""What a taxpayer's software does with the /gstn/ surface, step by step, and what formats.md promises it."""

import re
import time
from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal
from urllib.parse import urlencode

from tests.gstn import software
from tests.gstn.software import Answer, Client, Json, Row, Rows, fits

IMS, GSTR2B, GSTR1 = "returns/ims", "returns/gstr2b", "returns/gstr1"
COUNTED_AS = {"N": "noaction", "A": "accept", "R": "reject", "P": "pending"}
PAUSE_SECONDS = 0.2
ROWS_A_FILE = 50_000


def _is_ims_row(gstin: str, section: str, row: Row) -> None:
    fits(row, software.IMS_ROWS[section], section)
    assert row["hash"] == software.our_hash(gstin, section, row), f"hash of {section} {row}"
    if section in software.BLOCKS["imp_gds"]:
        assert row["action"] != "R", f"a bill of entry can't be rejected: {row}"
        heads: dict[str, str] = {"declIgst": "igst", "declCess": "cess"}
    else:
        heads = dict(zip(software.DECLARED, software.TAXES, strict=True))
        if row["rtnprd"][2:] + row["rtnprd"][:2] >= "202510":
            flags = {"isRemarksBlocked", "isItcRedReqBlocked"} & software.IMS_ROWS[section].may
            assert flags <= row.keys(), f"{sorted(flags - row.keys())} missing: {row}"
    _reduction_is_sound(row, heads)


def _reduction_is_sound(row: Row, heads: Mapping[str, str]) -> None:
    declared = heads.keys() & row.keys()
    if "itcRedReq" in row:
        assert row["action"] == "A", f"a reduction without Accept: {row}"
        assert row.get("isItcRedReqBlocked") != "Y", f"a reduction though it is blocked: {row}"
    if declared:
        assert row.get("itcRedReq") == "Y", f"amounts without a reduction: {row}"
        assert declared == heads.keys(), f"all declared heads or none: {row}"
        assert all(row[key] <= row[head] for key, head in heads.items()), f"more declared than charged: {row}"
        assert row.get("declCgst") == row.get("declSgst"), f"declared CGST and SGST differ: {row}"


def _refused(answer: Answer, code: str) -> None:
    assert not answer.ok, f"{code} was expected, not {answer.result}"
    assert (answer.http, answer.code) == (200, code), f"{code} was expected, not {answer}"


def _granted(answer: Answer) -> Json:
    assert answer.ok, f"refused: {answer}"
    return answer.result


# -- Inward records --------------------------------------------------------------------------------------------------


def fetch_every_section(client: Client, expected: Mapping[str, int]) -> Rows:
    """Fetch every section under every name it has, check each row and return section key to rows."""
    assert expected.keys() <= software.NAMES.keys(), f"unknown sections in {sorted(expected)}"
    rows: Rows = {}
    for section, names in software.NAMES.items():
        found = [_section(client, section, name, expected.get(section, 0)) for name in names]
        hashes = [sorted(row["hash"] for row in copy) for copy in found]
        assert all(copy == hashes[0] for copy in hashes), f"{names} answer with different rows"
        rows[section] = found[0]
    return rows


def _section(client: Client, section: str, name: str, count: int) -> list[Row]:
    answer = client.get(IMS, "GETINV", section=name)
    if not count:
        _refused(answer, "RET13510")
        return []
    result = _granted(answer)
    assert set(result) == {section}, f"{name} answers with {sorted(result)}"
    rows: list[Row] = result[section]
    assert len(rows) == count, f"{name} has {len(rows)} rows, not {count}"
    for row in rows:
        _is_ims_row(client.gstin, section, row)
    return rows


def counts_agree(client: Client, rows: Rows) -> None:
    """Check GETCNT, as a whole and for each goods_typ, against the rows that were fetched."""
    for block, sections in software.BLOCKS.items():
        wanted: Json = {"ttl_cnt": sum(len(rows.get(section, ())) for section in sections)}
        for section in sections:
            found = Counter(row["action"] for row in rows.get(section, ()))
            wanted[section] = {word: found[action] for action, word in COUNTED_AS.items()}
        part = _granted(client.get(IMS, "GETCNT", goods_typ=block.upper()))
        assert software.written(part, sort=True) == software.written({block: wanted}, sort=True), f"counts of {block}"
        whole = _granted(client.get(IMS, "GETCNT"))
        assert whole.keys() == software.BLOCKS.keys(), f"blocks of GETCNT: {sorted(whole)}"
        assert software.written(whole[block], sort=True) == software.written(wanted, sort=True), f"whole {block}"


# -- Actions ---------------------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Reply:
    """What goes along with an action: the answer to the reduction question, declared amounts, a remark."""

    reduce: str = ""
    declared: tuple[Decimal | int, ...] = ()
    remarks: str = ""


FULL = Reply("Y")
Replies = Callable[[str, Row], Reply | None]


def partial(amounts: Sequence[Decimal | int], remarks: str) -> Reply:
    """Reduce the credit by four amounts (IGST, CGST, SGST, cess; a bill of entry: IGST, cess)."""
    return Reply("Y", tuple(amounts), remarks)


def none(remarks: str) -> Reply:
    """Reduce nothing: the credit was never taken."""
    return Reply("N", (), remarks)


def by_number(replies: Mapping[str, Reply]) -> Replies:
    """Choose the reply by the document's number; rows that are not named get what `save` does without answers."""
    return lambda _section, row: replies.get(software.number_of(row))


def save(client: Client, rows_by_section: Rows, action: str, *, answers: Replies | None = None) -> str:
    """Save one action on the rows as GETINV gave them; unless told otherwise, Accept reduces in full where asked."""
    return _reference(client.put(IMS, save_body(client.gstin, rows_by_section, action, answers=answers)))


def save_body(gstin: str, rows_by_section: Rows, action: str, *, answers: Replies | None = None) -> Json:
    """Build the SAVE request of 3.4 from rows of GETINV."""
    data: Rows = {}
    for section, rows in rows_by_section.items():
        for row in rows:
            asked = action == "A" and row.get("isItcRedReqBlocked") == "N"
            reply = (answers(section, row) if answers else None) or (FULL if asked else Reply())
            data.setdefault(section, []).append(_echo(row) | {"action": action} | _reduction(section, reply))
    return {"action": "SAVE", "data": {"rtin": gstin, "reqtyp": "SAVE", "invdata": data}}


def reset(client: Client, rows_by_section: Rows) -> str:
    """Reset the rows to no action."""
    data = {section: [_echo(row) for row in rows] for section, rows in rows_by_section.items() if rows}
    body = {"action": "RESETIMS", "data": {"rtin": client.gstin, "reqtyp": "RESET", "invdata": data}}
    return _reference(client.put(IMS, body))


_NOT_ECHOED = frozenset(f"{software.ASKED} hash srcfilstatus ispendactblocked action".split())


def _echo(row: Row) -> Row:
    return {key: row[key] for key in row if key not in _NOT_ECHOED} | {"prev_status": row["action"]}


def _reduction(section: str, reply: Reply) -> Row:
    heads = ("declIgst", "declCess") if section in software.BLOCKS["imp_gds"] else software.DECLARED
    extra: Row = {"itcRedReq": reply.reduce} if reply.reduce else {}
    if reply.declared:
        extra |= dict(zip(heads, reply.declared, strict=True))
    return extra | ({"remarks": reply.remarks} if reply.remarks else {})


def _reference(answer: Answer) -> str:
    result = _granted(answer)
    assert result.keys() == {"reference_id"}, f"a reference was expected, not {result}"
    assert isinstance(result["reference_id"], str), "a reference is text"
    return result["reference_id"]


def poll(client: Client, reference: str, seconds: float = 60) -> Json:
    """Ask REQSTS until the job is no longer in progress and return its report."""
    return _polled(lambda: client.get(IMS, "REQSTS", int_tran_id=reference), seconds)


def _polled(ask: Callable[[], Answer], seconds: float) -> Json:
    last = time.monotonic() + seconds
    while (report := _granted(ask()))["status_cd"] == "IP":
        assert time.monotonic() < last, f"still in progress after {seconds} s"
        time.sleep(PAUSE_SECONDS)
    assert report["status_cd"] in {"P", "PE", "ER"}, f"a word that clients do not know: {report}"
    return report


REPORT_KEYS = frozenset({"status_cd", "transTypCd", "proc_cnt", "err_cnt", "err_cd", "err_msg", "error_report"})


def everything_processed(report: Json, count: int) -> None:
    """Check the report of a job that took every row."""
    assert report["status_cd"] == "P", f"not everything was processed: {report}"
    assert REPORT_KEYS - {"error_report"} <= report.keys() <= REPORT_KEYS, f"keys of a report: {sorted(report)}"
    assert (report["proc_cnt"], report["err_cnt"], report["err_cd"]) == (str(count), "0", ""), f"counts of {report}"
    assert not report.get("error_report"), f"errors though processed: {report}"


def partly_refused(report: Json, refused: Mapping[str, str], processed: int | None = None) -> None:
    """Check the report of a job that refused some rows; `refused` is document number to code."""
    assert report["status_cd"] == "PE", f"PE was expected: {report}"
    assert report.keys() == REPORT_KEYS, f"keys of a report: {sorted(report)}"
    found = [(software.number_of(row), group["error_cd"]) for group, row in _refused_rows(report["error_report"])]
    assert sorted(found) == sorted(refused.items()), f"refused were {found}"
    assert report["err_cnt"] == str(len(refused)), f"err_cnt of {report}"
    assert isinstance(report["proc_cnt"], str), "counts are text"
    assert processed is None or report["proc_cnt"] == str(processed), f"proc_cnt of {report}"


def _refused_rows(error_report: Json) -> Iterator[tuple[Row, Row]]:
    for section, groups in error_report.items():
        assert section in software.NAMES, f"{section} in an error report"
        imported = section in software.BLOCKS["imp_gds"]
        for group in groups:
            keys = group.keys() | ({"stin"} if imported else set())
            assert keys == {"stin", "error_cd", "error_msg", "inv"}, f"keys of {group}"
            assert group["error_msg"], f"no message in {group}"
            for row in group["inv"]:
                number = "boenum" if imported else "nt_num" if section.startswith(("b2bdn", "b2bcn")) else "inum"
                assert imported or row.keys() == {number, "rtnprd"}, f"keys of {row}"
                assert number in row, f"{number} missing in {row}"
                yield group, row


# -- The statement ---------------------------------------------------------------------------------------------------


def recompute(client: Client, period: str, seconds: float = 120) -> None:
    """Have GSTR-2B computed and wait for it."""
    reference = _reference(client.put(GSTR2B, _gen2b(client.gstin, period)))
    report = _polled(lambda: client.get(GSTR2B, "GENSTS2B", int_tran_id=reference), seconds)
    assert report.keys() <= {"status_cd", "err_cd", "err_msg"}, f"keys of GENSTS2B: {report}"
    assert report["status_cd"] == "P", f"GSTR-2B was not computed: {report}"


def _gen2b(gstin: str, period: str) -> Json:
    return {"action": "GEN2B", "data": {"rtin": gstin, "itcprd": period}}


def recompute_and_fetch(client: Client, period: str) -> Json:
    """Recompute GSTR-2B, fetch and check the statement, and see that a second GEN2B finds nothing changed."""
    recompute(client, period)
    statement = _granted(client.get(GSTR2B, "GET2B", rtnprd=period))
    assert statement["chksum"] == software.our_chksum(statement["data"]), "chksum of the statement"
    _is_statement(client.gstin, period, statement)
    for part in ("docdata", "docRejdata"):
        for section, groups in statement["data"].get(part, {}).items():
            heads = [(group["ctin"], group.get("supprd"), group.get("supfildt")) for group in groups if "ctin" in group]
            assert len(heads) == len(set(heads)), f"two groups of one supplier, period and day in {part}.{section}"
    _refused(client.put(GSTR2B, _gen2b(client.gstin, period)), "IMS2005")
    return statement


_DATA = software.shape("gstin rtnprd version gendt itcsumm", "cpsumm cpSummRej docdata docRejdata fc")


def _is_statement(gstin: str, period: str, statement: Json) -> None:
    assert statement.keys() == {"chksum", "data"}, f"keys of the statement: {sorted(statement)}"
    data = statement["data"]
    assert _DATA.must <= data.keys() <= _DATA.must | _DATA.may, f"keys of data: {sorted(data)}"
    assert (data["gstin"], data["rtnprd"], data["version"]) == (gstin, period, "1.0"), "head of the statement"
    assert not software.problem_of("gendt", data["gendt"]), f"gendt {data['gendt']}"
    for part in ("docdata", "docRejdata"):
        for section, row in statement_rows(data.get(part, {})):
            _is_statement_row(section, row)
            assert part == "docdata" or row.get("itcavl", "Y") == "Y", f"a rejected row is Y: {row}"
    _credit_adds_up(data["itcsumm"])


def statement_rows(part: Json) -> Iterator[tuple[str, Row]]:
    """Walk docdata or docRejdata and yield section and row, checking the keys of every group."""
    for section, groups in part.items():
        if section == "itcrev":
            assert len(groups) == 1, "itcrev is a list of one object"
            assert groups[0].keys() <= {"b2b", "b2ba", "cdnr", "cdnra"}, f"sections of itcrev: {sorted(groups[0])}"
            yield from statement_rows(groups[0])
            continue
        assert section in software.STATEMENT_ROWS, f"{section} is no section of the statement"
        inner = software.STATEMENT_ROWS[section][0]
        head = software.shape("ctin trdnm" if section == "impgsez" else "ctin trdnm supfildt supprd")
        for group in groups:
            if inner:
                fits({key: group[key] for key in group if key != inner}, head, f"group of {section}")
            yield from ((section, row) for row in (group[inner] if inner else [group]))


def _is_statement_row(section: str, row: Row) -> None:
    fits(row, software.STATEMENT_ROWS[section][1], section)
    if "itcavl" in row:
        assert (row["itcavl"] == "N") == bool(row["rsn"]), f"a reason belongs to N: {row}"
    if "typ" in row:
        assert (row["typ"] in {"C", "D"}) == section.startswith("cdnr"), f"typ of {section}: {row}"
    if "isamd" in row:
        assert (row["isamd"] == "Y") == ("amendType" in row), f"amendType belongs to amended bills: {row}"
    assert len(row.keys() & {"srctyp", "irn", "irngendate"}) in {0, 3}, f"part of an e-invoice: {row}"
    assert row.get("itcRedReq") == "Y" or not row.keys() & set(software.DECLARED), f"amounts without a reduction: {row}"


def _credit_adds_up(itcsumm: Json) -> None:
    assert itcsumm.keys() == {"itcavl", "itcunavl", "itcrev", "itcRejected"}, f"blocks of itcsumm: {sorted(itcsumm)}"
    for block, buckets in itcsumm.items():
        unknown = {"revsup", "ecom", "ecoma"} if block == "itcrev" else set()
        assert buckets.keys() == software.BUCKETS.keys() - unknown, f"buckets of {block}: {sorted(buckets)}"
        for name, bucket in buckets.items():
            sections = set(software.BUCKETS[name]) - unknown
            assert bucket.keys() == sections | set(software.HEADS), f"sections of {block}.{name}: {sorted(bucket)}"
            assert all(bucket[cell].keys() == set(software.HEADS) for cell in sections), f"heads of {block}.{name}"
            for head in software.HEADS:
                total = sum(bucket[section][head] for section in sections)
                assert bucket[head] == total, f"{block}.{name}.{head} is {bucket[head]}, its sections make {total}"


# -- Large downloads -------------------------------------------------------------------------------------------------


def large_section(client: Client, section: str, count: int, seconds: float = 300) -> list[Row]:
    """Fetch a section that is too large for one answer by its files and return the rows."""
    token = _token(client.get(IMS, "GETINV", section=software.NAMES[section][0]))
    whole = _by_file(client, lambda: client.file_details(IMS, token), lambda part: len(part[section]), seconds)
    assert whole.keys() == {section}, f"sections in the files: {sorted(whole)}"
    rows: list[Row] = whole[section]
    assert len(rows) == count, f"{len(rows)} rows came, not {count}"
    for row in rows:
        _is_ims_row(client.gstin, section, row)
    return rows


def large_statement(client: Client, period: str, count: int, seconds: float = 300) -> Json:
    """Fetch a GSTR-2B that is too large for one answer by its files and return it whole."""
    token = _token(client.get(GSTR2B, "GET2B", rtnprd=period))

    def ask() -> Answer:
        return client.file_details("returns", token, ret_period=period)

    statement = _by_file(client, ask, _documents_in, seconds)
    _is_statement(client.gstin, period, statement)
    assert _documents_in(statement) == count, f"{_documents_in(statement)} documents came, not {count}"
    return statement


def _documents_in(statement: Json) -> int:
    parts = [statement["data"].get(part, {}) for part in ("docdata", "docRejdata")]
    return sum(1 for part in parts for _ in statement_rows(part))


def _token(answer: Answer) -> str:
    result = _granted(answer)
    assert result.keys() == {"token", "est"}, f"token and est were expected, not {sorted(result)}"
    assert re.fullmatch("[0-9]+", result["est"]), f"est is text with minutes, not {result['est']!r}"
    return str(result["token"])


def _by_file(client: Client, ask: Callable[[], Answer], held: Callable[[Json], int], seconds: float) -> Json:
    last = time.monotonic() + seconds
    while not (details := ask()).ok:
        _refused(details, "RTN_24")
        assert time.monotonic() < last, f"no files after {seconds} s"
        time.sleep(PAUSE_SECONDS)
    parts = client.fetch_parts(details.result)
    for url, part in zip(details.result["urls"], parts, strict=True):
        assert url["ic"] == held(part), f"ic says {url['ic']}, the file holds {held(part)}"
        assert url["ic"] <= ROWS_A_FILE, f"{url['ic']} rows in one file"
    if len(parts) == 1 and "chksum" in parts[0]:
        assert parts[0]["chksum"] == software.our_chksum(parts[0]["data"]), "chksum of the statement"
    return software.merged(parts)


# -- GSTR-1 ----------------------------------------------------------------------------------------------------------

_MAY = f"{software.EINVOICE} etin flag diff_percent chksum updby cflag opd d_flag p_gst"
SOLD = {  # 2.2, 2.4
    "b2b": ("inv", "inum", software.shape("inum idt val pos rchrg inv_typ itms", _MAY)),
    "cdnr": ("nt", "nt_num", software.shape("ntty nt_num nt_dt val pos rchrg inv_typ itms", _MAY)),
}


def gstr1_body(gstin: str, period: str, ctin: str, *, prefix: str, invoices: int = 2, notes: int = 1) -> Json:
    """Build a GSTR-1 with invoices and credit notes to one recipient, numbered from `prefix` on."""
    day = f"05-{period[:2]}-{period[2:]}"
    sold = [_sold(gstin, ctin, 1000 + 100 * place) for place in range(invoices + notes)]
    inv = [{"inum": f"{prefix}/{n}", "idt": day, **row} for n, row in enumerate(sold[:invoices])]
    nt = [{"ntty": "C", "nt_num": f"{prefix}/C{n}", "nt_dt": day, **row} for n, row in enumerate(sold[invoices:])]
    sections = {"b2b": [{"ctin": ctin, "inv": inv}] if inv else [], "cdnr": [{"ctin": ctin, "nt": nt}] if nt else []}
    return {"gstin": gstin, "fp": period, **{name: groups for name, groups in sections.items() if groups}}


def _sold(gstin: str, ctin: str, taxable: int, rate: int = 18) -> Row:
    tax = Decimal(taxable * rate) / 100
    heads = {"camt": tax / 2, "samt": tax / 2} if gstin[:2] == ctin[:2] else {"iamt": tax}
    item = {"num": 1, "itm_det": {"txval": taxable, "rt": rate, **heads, "csamt": 0}}
    return {"val": taxable + tax, "pos": ctin[:2], "rchrg": "N", "inv_typ": "R", "itms": [item]}


def file_gstr1(client: Client, period: str, document_rows: Json, sid_of: Callable[[], str]) -> Json:
    """Save, read back and file a GSTR-1; `sid_of` is asked for "PAN|OTP" at the moment of filing."""
    report = save_gstr1(client, period, document_rows)
    assert report["status_cd"] == "P", f"the return was not saved: {report}"
    assert not report.get("error_report"), f"errors though processed: {report}"
    _bad_document_is_refused(client, period, document_rows["b2b"][0])
    for section in SOLD.keys() & document_rows.keys():
        _documents_come_back(client, period, section, document_rows[section])
    summary = _granted(client.get(GSTR1, "RETSUM", ret_period=period))
    sums = {row["sec_nm"].upper(): row for row in summary["sec_sum"]}
    for section in SOLD.keys() & document_rows.keys():
        assert sums[section.upper()]["ttl_rec"] > 0, f"no {section} in {summary}"
    headers = {"ret_period": period, "rtn_typ": "GSTR1", "userrole": "GSTR1"}
    proceed = {"action": "RETNEWPTF", "data": {"gstin": client.gstin, "ret_period": period}}
    result = _granted(client.post("returns/gstrptf", proceed, **headers))
    if "reference_id" in result:
        assert _return_status(client, period, result["reference_id"])["status_cd"] == "P", "RETNEWPTF went wrong"
    signed = {"action": "RETFILE", "data": summary, "st": "EVC", "sid": sid_of()}
    # Nothing in this body is promised to name taxpayer and period, so the query does.
    place = urlencode({"gstin": client.gstin, "ret_period": period})
    return _granted(client.post(f"{GSTR1}?{place}", signed, **headers))


def save_gstr1(client: Client, period: str, document_rows: Json) -> Json:
    """Save documents into the GSTR-1 of a period and return the report of the finished job."""
    data = {"gstin": client.gstin, "fp": period} | document_rows
    reference = _reference(client.put(GSTR1, {"action": "RETSAVE", "data": data}, ret_period=period))
    report = _return_status(client, period, reference)
    assert report.keys() <= {"status_cd", "form_typ", "action", "error_report"}, f"keys of RETSTATUS: {report}"
    assert (report["form_typ"], report["action"]) == ("R1", "SAVE"), f"form and action of {report}"
    return report


def _return_status(client: Client, period: str, reference: str) -> Json:
    return _polled(lambda: client.get("returns", "RETSTATUS", ret_period=period, ref_id=reference), 60)


def _bad_document_is_refused(client: Client, period: str, group: Row) -> None:
    good = group["inv"][0]
    bad = _sold(client.gstin, group["ctin"], 1000, rate=17) | {"inum": f"X{good['inum']}"[:16], "idt": good["idt"]}
    report = save_gstr1(client, period, {"b2b": [{"ctin": group["ctin"], "inv": [good, bad]}]})
    assert report["status_cd"] == "PE", f"rate 17 was taken: {report}"
    assert report["error_report"].keys() == {"b2b"}, f"sections with errors: {report}"
    (found,) = report["error_report"]["b2b"]
    assert (found.keys(), found["ctin"]) == ({"ctin", "inv"}, group["ctin"]), f"group with errors: {found}"
    (row,) = found["inv"]
    assert row.keys() - bad.keys() == {"error_cd", "error_msg"}, f"keys of a refused document: {row}"
    assert (row["inum"], row["idt"], row["error_cd"]) == (bad["inum"], bad["idt"], "APP-G109"), f"refused: {row}"


def _documents_come_back(client: Client, period: str, section: str, groups: list[Row]) -> None:
    inner, number, shape = SOLD[section]
    result = _granted(client.get(GSTR1, section.upper(), ret_period=period))
    assert result.keys() == {section}, f"{section} answers with {sorted(result)}"
    for group in result[section]:
        assert {"ctin", inner} <= group.keys() <= {"ctin", inner, "cfs", "cfs3b"}, f"keys of {group}"
    found = {(group["ctin"], row[number]): row for group in result[section] for row in group[inner]}
    for ctin, sent in ((group["ctin"], row) for group in groups for row in group[inner]):
        row = found[ctin, sent[number]]
        assert shape.must <= row.keys() <= shape.must | shape.may, f"keys of {row}"
        assert {key: row[key] for key in shape.must - {"itms"}} == {key: sent[key] for key in shape.must - {"itms"}}
        assert _items(row) == _items(sent), f"items of {row}"


def _items(row: Row) -> list[list[int | Decimal]]:
    keys = ("rt", "txval", "iamt", "camt", "samt", "csamt")
    return [[item["itm_det"].get(key, 0) for key in keys] for item in row["itms"]]


# -- Refusals --------------------------------------------------------------------------------------------------------


def refusals(client: Client, foreign: str, rows_by_section: Rows) -> None:
    """See that actions that are not offered and a body of another taxpayer are refused."""
    unknown_action_is_refused(client)
    foreign_gstin_is_refused(client, foreign, rows_by_section)


def unknown_action_is_refused(client: Client) -> None:
    """See that actions that are known but not served, and one nobody knows, answer APP-N01."""
    period = "102026"
    for path, action in (("returns/gstr2a", "B2B"), ("returns/einvoice", "EINV"), (IMS, "NOSUCH")):
        _refused(client.get(path, action, ret_period=period), "APP-N01")
    data = {"gstin": client.gstin, "ret_period": period}
    _refused(client.put("returns/gstr3b", {"action": "RETBKP", "data": data}, ret_period=period), "APP-N01")
    _refused(client.post("returns/gstr3b", {"action": "SAVEOB", "data": data}, ret_period=period), "APP-N01")


def foreign_gstin_is_refused(client: Client, foreign: str, rows_by_section: Rows) -> None:
    """See that a SAVE and a GEN2B for another taxpayer are refused with HTTP 403."""
    for path, body in ((IMS, save_body(foreign, rows_by_section, "A")), (GSTR2B, _gen2b(foreign, "102026"))):
        answer = client.put(path, body)
        assert (answer.http, answer.ok) == (403, False), f"{body['action']} for {foreign}: {answer}"


def second_save_is_refused(client: Client, large: Rows, small: Rows, action: str = "A", seconds: float = 300) -> Json:
    """Send a SAVE right after a large one, see it refused, and return the report of the large one."""
    second = save_body(client.gstin, small, action)
    reference = save(client, large, action)
    _refused(client.put(IMS, second), "IMSSAV0015")
    return poll(client, reference, seconds)
