"""Read a GSTR-2B from the portal's workbook (formats 9.1), ours or GSTN's, as the reader of its JSON gives it.

Sheets and columns are found by their labels, never by position. A sheet says less than JSON does: what it has no column
for is not said at all. A GSTR-2A's workbook (9.5) is read alike: it has rows of rates, and their sums in a row of which
the number ends in -Total, and codes where GSTR-2B has words.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from decimal import Decimal
from itertools import groupby, islice, pairwise

from ims_portal.rules.documents import Problem
from ims_portal.rules.gstin import STATES
from ims_portal.rules.gstr2b import Placement
from ims_portal.rules.money import HEADS, LARGEST_PAISE, NIL, NotMoneyError, Tax, to_paise
from ims_portal.rules.texts import UNWELCOME
from invoices.gstr1_json import values
from invoices.json_reading import shown
from invoices.sheet_cells import LAST_HEADING, Cell, Line, day, number, plain, text_of
from returns.gstr2a_rows import wire
from returns.gstr2b_json import BLOCKS, SEZ_TYPES
from returns.gstr2b_reading import BACK, Head, Said, Told, names
from returns.gstr2b_workbook import AMENDED_BILLS, KINDS, OUT, REASONS, SUMMARIES, TYPES, Kind
from returns.gstr2b_workbook import BACK as REVERSALS

READ_ME = "readme"
ABOVE = ("gstinofsupplier", "gstinofeco", "gstinofisd", "icegatereferencedate", "originaldetails")
"""Labels by which the top row of the headings is known."""

LABELS = {
    "gstinofsupplier": "ctin",
    "gstinofeco": "ctin",
    "gstinofisd": "ctin",
    "tradelegalname": "name",
    "invoicenumber": "number",
    "documentnumber": "number",
    "notenumber": "number",
    "creditnotedebitnotenumber": "number",
    "creditnotedebitnotedate": "day",
    "isddocumentnumber": "number",
    "number": "number",
    "invoicetype": "type",
    "documenttype": "type",
    "notesupplytype": "type",
    "notetype": "kind",
    "isddocumenttype": "kind",
    "invoicedate": "day",
    "documentdate": "day",
    "notedate": "day",
    "isddocumentdate": "day",
    "date": "day",
    "invoicevalue": "value",
    "documentvalue": "value",
    "notevalue": "value",
    "placeofsupply": "pos",
    "supplyattractreversecharge": "reverse",
    "taxablevalue": "taxable",
    "integratedtax": "igst",
    "centraltax": "cgst",
    "stateuttax": "sgst",
    "cess": "cess",
    "gstr11aiffgstr5period": "period",
    "gstr1iffgstr1a5filingperiod": "period",
    "gstr1iffgstr5filingperiod": "period",
    "gstr15filingperiod": "period",
    "gstr1iffgstr1a5filingdate": "filed",
    "gstr1iffgstr5filingdate": "filed",
    "gstr15filingdate": "filed",
    "gstr11aiffgstr5filingdate": "filed",
    "isdgstr6period": "period",
    "isdgstr6filingdate": "filed",
    "itcavailability": "placement",
    "reason": "reason",
    "applicableoftaxrate": "percent",
    "irn": "irn",
    "irndate": "irn_day",
    "remarks": "remark",
    "whetheritctobereducedtaxpayersinput": "answer",
    "itcreduced": "answer",
    "originalinvoicenumber": "corrected_number",
    "originalinvoicedate": "corrected_day",
    "eligibilityofitc": "eligible",
    "icegatereferencedate": "referred",
    "portcode": "port",
    "typeofamendment": "amends",
}
"""The lowest label of a column -> what it says; under Original Details, number, day and kind are those replaced."""

BUCKETS = {
    "allotheritcsuppliesfromregisteredpersonsotherthanreversecharge": "nonrevsup",
    "inwardsuppliesfromisd": "isdsup",
    "inwardsuppliesliableforreversecharge": "revsup",
    "importofgoods": "imports",
    "others": "othersup",
    "otherscreditnotesotherthanreversecharge": "othersup",
    "isdcreditnotes": "othersup",
    "creditnotesliableforreversecharge": "othersup",
}
"""Heading of a part in a summary -> its bucket in JSON; ours has a part for each kind of credit note."""

HALVES: dict[tuple[Placement, ...], Placement] = {OUT: Placement.REJECTED, REVERSALS: Placement.REVERSAL}
"""Placements of a sheet -> the one all its documents have; others say each their own."""

TIERS, TIERS_OF_AMENDMENT = 2, 3
NEEDED = ("number", "day")
AMOUNTS = ("value", "taxable", *HEADS)

_SHEETS = {plain(kind.name): kind for kind in KINDS}
_SHEETS |= {"cdnr": _SHEETS["b2bcdnr"], "cdnra": _SHEETS["b2bcdnra"]}
"""Name of a sheet -> what stands in it; GSTR-2A calls two otherwise."""

MOST_RATES = 100
"""Rows of one number that wait for their sums; no document has as many rates."""
TOTAL = "-total"
"""How the number ends of a row of GSTR-2A that sums the rates above it."""
_SUMMARIES = {plain(name): BLOCKS[placement] for placement, (name, _title) in SUMMARIES.items()}
_TYPES = {plain(text): SEZ_TYPES.get(one, one.value) for one, text in TYPES.items()}
_TYPES |= {plain(one.value): spelt for one, spelt in SEZ_TYPES.items()}
_STATES = {plain(name): code for code, name in STATES.items()}
_REASONS = {plain(text): code for code, text in REASONS.items()}
_KINDS = {"creditnote": "C", "debitnote": "D", "isdinvoice": "ISDI", "isdcreditnote": "ISDC"}
_AVAILABLE = {"yes": Placement.AVAILABLE.value, "no": Placement.NOT_AVAILABLE.value, "temporary": "temporary"}
_FLAGS = {"yes": "Y", "no": "N"}
_AMENDS = {plain(text): code for code, text in reversed(AMENDED_BILLS.items())}
_CODES = {
    "type": _TYPES,
    "kind": _KINDS,
    "was_kind": _KINDS,
    "pos": _STATES,
    "reverse": _FLAGS,
    "placement": _AVAILABLE,
    "reason": _REASONS,
    "answer": _FLAGS,
    "eligible": _FLAGS,
    "amends": _AMENDS,
}
"""What is said by words -> words without case and signs -> the code JSON has for them."""

DAYS = frozenset({"day", "filed", "irn_day", "was_day", "corrected_day", "referred"})


def read(lines: Iterable[Line], head: Head) -> Iterator[Told | Problem]:
    """Yield every document, or what is wrong with it, sheet by sheet; `head` is filled on the way.

    Raises UnreadableFileError, maybe after documents, where the workbook is no statement.
    """
    for name, rows in groupby(lines, key=lambda line: line.sheet):
        bare = plain(name)
        if bare == READ_ME:
            around = _around(rows)
            head.gstin = around.get("gstin", "")
            head.period = _wire(around.get("financialyear", ""), around.get("taxperiod", ""))
            head.made_on = day(around.get("dateofgeneration", ""))
        elif bare in _SUMMARIES:
            for place, tax in _summed(_SUMMARIES[bare], rows):
                head.sums[place] = head.sums.get(place, NIL) + tax
        elif bare in _SHEETS:
            head.has_documents = True
            yield from _documents(_SHEETS[bare], name, iter(rows))
    head.check()


def _around(rows: Iterable[Line]) -> dict[str, str]:
    """Return label -> what stands beside it, of the sheet that says whose statement it is."""
    found = dict[str, str]()
    for line in rows:
        cells = [text_of(cell) for cell in line.cells]
        for label, beside in pairwise(cells):
            if line.number <= LAST_HEADING and label and beside:
                found.setdefault(plain(label), beside)
    return found


def _wire(year: str, month: str) -> str:
    """Return MMYYYY of a financial year 2026-27 and the name of a month, "" where they are none."""
    try:
        number_of = datetime.strptime(month[:3], "%b").month  # noqa: DTZ007 a month has no zone
        begins = int(year[:4])
    except ValueError:
        return ""
    april = 4
    return f"{number_of:02d}{begins if number_of >= april else begins + 1}"


def _summed(block: str, rows: Iterable[Line]) -> Iterator[tuple[tuple[str, str], Tax]]:
    """Yield the parts a summary sheet says, found by their headings."""
    columns = dict[str, int]()
    for line in rows:
        texts = [plain(text_of(cell)) for cell in line.cells]
        if not columns:
            columns = {label: place for place, label in enumerate(texts)} if "heading" in texts else {}
            continue
        heading = columns["heading"]
        # The rows of a part have no number of their own, and may be called as another part is.
        bucket = BUCKETS.get(texts[heading]) if heading < len(texts) and any(texts[:heading]) else None
        if bucket:
            yield (block, bucket), Tax(*(_head(line, columns, name) for name in TAXES))


TAXES = tuple(label for head in HEADS for label, name in LABELS.items() if name == head)


def _head(line: Line, columns: Mapping[str, int], label: str) -> int:
    place = columns.get(label, len(line.cells))
    found = _paise(line.cells[place]) if place < len(line.cells) else 0
    return found or 0


def _documents(kind: Kind, name: str, lines: Iterator[Line]) -> Iterator[Told | Problem]:
    """Yield the documents of one sheet."""
    list_ = f"{kind.list}a" if kind.is_amended else kind.list
    told = f"{BACK}.{list_}" if kind.placements == REVERSALS else list_
    half = HALVES.get(kind.placements)
    yield from _sheet(told, half, name, lines)


@dataclass(frozen=True, slots=True)
class _Column:
    place: int
    says: str

    @property
    def letter(self) -> str:
        """What Excel calls it."""
        before, within = divmod(self.place, 26)
        return (chr(ord("A") + before - 1) if before else "") + chr(ord("A") + within)


def _sheet(kind: str, half: Placement | None, name: str, lines: Iterator[Line]) -> Iterator[Told | Problem]:
    known = names(kind) | {"ctin", "name", "number"}
    columns = [column for column in _columns(lines) if column.says in known]
    if not all(any(column.says == needed for column in columns) for needed in NEEDED):
        yield Problem(
            values.MISSING,
            f"The sheet “{name}” has no columns for number and date in its first {LAST_HEADING} rows, so nothing of it "
            "was compared. Upload the workbook as the portal made it.",
            position=name,
        )
        return
    for number_of, cells in _whole(_rows(lines, columns)):
        yield _document(kind, half, cells, columns, f"{name} row {number_of}")


Row = tuple[int, dict[str, Cell]]


def _rows(lines: Iterable[Line], columns: Sequence[_Column]) -> Iterator[Row]:
    """Yield number and cells, by what they say, of every row of a document."""
    for line in lines:
        cells = {column.says: line.cells[column.place] for column in columns if column.place < len(line.cells)}
        if any(text_of(cells.get(needed)) for needed in NEEDED):
            yield line.number, cells


def _whole(rows: Iterable[Row]) -> Iterator[Row]:
    """Yield a row for each document: where rows of rates have their sums below, one of all of them."""
    held: list[Row] = []
    for place, cells in rows:
        called, named = text_of(cells.get("number")), text_of(held[0][1].get("number")) if held else ""
        if held and called.casefold() == named.casefold() + TOTAL:
            yield held[0][0], held[0][1] | {name: cells[name] for name in AMOUNTS if text_of(cells.get(name))}
            held = []
            continue
        if held and (called != named or len(held) == MOST_RATES):
            yield from held
            held = []
        held.append((place, cells))
    yield from held


def _columns(lines: Iterator[Line]) -> list[_Column]:
    """Return what the columns of a sheet say, by headings of two tiers, of three where one is Original Details."""
    for line in lines:
        if line.number > LAST_HEADING:
            break
        labels = [plain(text_of(cell)) for cell in line.cells]
        if any(label in ABOVE for label in labels):
            below = islice(lines, (TIERS_OF_AMENDMENT if "originaldetails" in labels else TIERS) - 1)
            return list(_named([labels, *([plain(text_of(cell)) for cell in tier.cells] for tier in below)]))
    return []


def _named(tiers: Sequence[Sequence[str]]) -> Iterator[_Column]:
    """Yield the columns that say something we know; a heading over several columns stands above the first."""
    width = max(map(len, tiers))
    above = [""] * (len(tiers) - 1)
    shifted = iter(("taxable", *HEADS))
    for place in range(width):
        labels = [tier[place] if place < len(tier) else "" for tier in tiers]
        above = [label or before for label, before in zip(labels, above, strict=False)]
        lowest = next((label for label in reversed(labels) if label), "")
        # In the portal's B2B-DNRA each heading of a tax stands one too far left, all under that of the taxable value.
        says = next(shifted, None) if above[-1:] == ["taxablevalue"] else LABELS.get(lowest)
        if says in HEADS and any("reduction" in label for label in above):
            says = f"declared_{says}"
        elif says in HEADS and any("reversed" in label for label in above):
            says = None
        elif "originaldetails" in above and says in ("number", "day", "kind"):
            says = f"was_{says}"
        if says:
            yield _Column(place, says)


def _document(
    kind: str, half: Placement | None, cells: Mapping[str, Cell], columns: Sequence[_Column], position: str
) -> Told | Problem:
    """Return what a row says, or the first thing wrong with it."""
    said: Said = {}
    for column in columns:
        cell = cells.get(column.says)
        found = _said(column.says, cell)
        if found is None:
            message = (
                f"“{shown(text_of(cell))}” in column {column.letter} cannot be read. The document was left out of the "
                "comparison."
            )
            number_of = shown(text_of(cells.get("number")))
            return Problem(values.WRONG_FORMAT, message, position=position, number=number_of, field=column.says)
        said[column.says] = found
    if half is not None:
        said["placement"] = half.value
        if half is Placement.REJECTED:
            said.pop("reason", None)
    ctin, supplier, number_ = (str(said.pop(name, "")) for name in ("ctin", "name", "number"))
    dated = str(said["day"])
    if not dated or not number_:
        return Problem(
            values.MISSING, "A document needs a number and a date. It was left out.", position=position, number=number_
        )
    return Told(kind, ctin, supplier, number_, date.fromisoformat(dated), said)


def _said(name: str, cell: Cell) -> str | int | None:
    """Return what a cell says as JSON would, None where it cannot be read."""
    text = UNWELCOME.sub(" ", text_of(cell))
    if name in AMOUNTS or name.startswith("declared_"):
        return _paise(cell)
    if name in DAYS:
        found = day(text)
        return found.isoformat() if found else None if text else ""
    if name == "period":
        return _period(text)
    if name == "percent":
        return text.removesuffix("%").strip() or "100"
    codes = _CODES.get(name)
    if codes is None or not text:
        return text
    return codes.get(plain(text), text if name in ("reason", "pos") or text in codes.values() else None)


def _paise(cell: Cell) -> int | None:
    """Return rupees as paise, nothing where the cell is empty; None for what is no amount."""
    text = text_of(cell)
    found = number(text) if text else Decimal(0)
    try:
        paise = to_paise(found) if found is not None else None
    except NotMoneyError:
        return None
    return paise if paise is not None and abs(paise) <= LARGEST_PAISE else None


def _period(text: str) -> str | None:
    """Return MMYYYY of Oct'26, None for anything else that is something."""
    found = wire(text)
    return found if not text or found.isdigit() else None
