"""Values on the wire: money as text with two decimals, periods MMYYYY, days ISO, moments with their offset."""

from __future__ import annotations

import re
from typing import Any

from drf_spectacular.utils import extend_schema_field
from rest_framework import serializers

from ims_portal.rules import periods
from ims_portal.rules.money import HEADS, LARGEST_PAISE, Tax, to_rupees

_RUPEES = re.compile(r"(-?)(0|[1-9][0-9]{0,12})\.([0-9]{2})", re.ASCII)


def rupees(paise: int) -> str:
    """Return whole paise as a text of rupees with two decimals: "18000.00"."""
    return f"{to_rupees(paise):.2f}"


def wire(month: int) -> str:
    """Return a month YYYYMM as MMYYYY."""
    return f"{month % 100:02d}{month // 100}"


@extend_schema_field({"type": "string", "pattern": r"^-?(0|[1-9][0-9]{0,12})\.[0-9]{2}$", "example": "18000.00"})
class Rupees(serializers.Field[int, str, str, Any]):
    """An amount of rupees as text with exactly two decimals, "18000.00"; read as whole paise."""

    def to_internal_value(self, data: object) -> int:
        """Return whole paise."""
        found = _RUPEES.fullmatch(data) if isinstance(data, str) else None
        if found is None:
            raise self._wrong()
        paise = int(found[2]) * 100 + int(found[3])
        if paise > LARGEST_PAISE:
            raise self._wrong()
        return -paise if found[1] else paise

    @staticmethod
    def _wrong() -> serializers.ValidationError:
        return serializers.ValidationError("Write rupees as a text with two decimals, such as “18000.00”.")

    def to_representation(self, value: int) -> str:
        """Return the text."""
        return rupees(value)


@extend_schema_field({"type": "string", "pattern": "^(0[1-9]|1[0-2])20[0-9]{2}$", "example": "092030"})
class Period(serializers.Field[int, str, str, Any]):
    """A period MMYYYY, a quarter by its last month; read as a month YYYYMM."""

    def to_internal_value(self, data: object) -> int:
        """Return the month YYYYMM."""
        try:
            found = periods.parse(data) if isinstance(data, str) else None
        except periods.NotAPeriodError:
            found = None
        if found is None or found.is_quarter:
            raise serializers.ValidationError("Write a period as MMYYYY, such as 092030.")
        return found.month

    def to_representation(self, value: int) -> str:
        """Return MMYYYY."""
        return wire(value)


class Heads(serializers.Serializer[Any]):
    """Tax by head; `sgst` is also UTGST."""

    igst = Rupees()
    cgst = Rupees()
    sgst = Rupees()
    cess = Rupees()


def heads(tax: Tax) -> dict[str, str]:
    """Return tax by head, as texts."""
    return {head: rupees(getattr(tax, head)) for head in HEADS}
