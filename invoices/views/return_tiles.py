"""The tables of a supplier's form that lead to IMS as tiles: how many documents each holds."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from ims_portal.models import Taxpayer
from ims_portal.rules import documents
from invoices import entry, wording
from invoices.reported import SectionTotal


@dataclass(frozen=True, slots=True)
class Tile:
    """One table: how many documents are saved and filed in it, and how many the latest file had refused."""

    table: str
    name: str
    saved: int
    filed: int
    refused: int
    is_amendments: bool


def tiles(taxpayer: Taxpayer, totals: Sequence[SectionTotal], refused: Mapping[str, int]) -> list[Tile]:
    """Return the tables a taxpayer reports in; those of e-commerce operators only for one, or where they hold any."""
    found = []
    for table, sections in entry.TABLES.items():
        own = [total for total in totals if total.section in sections]
        is_there = table not in entry.OF_OPERATORS or taxpayer.kind == Taxpayer.Kind.ECO
        if is_there or own:
            found.append(
                Tile(
                    table,
                    str(wording.TABLES[table]),
                    sum(total.saved for total in own),
                    sum(total.filed for total in own),
                    refused.get(table, 0),
                    sections[0] in documents.AMENDMENTS,
                )
            )
    return found
