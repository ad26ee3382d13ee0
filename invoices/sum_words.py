"""What a sum of a return is a sum of, in words: where the supplies went, of what kind they are, what they amend."""

from __future__ import annotations

from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from ims_portal import spoken
from ims_portal.rules import gstin
from ims_portal.rules.table3 import Detail
from ims_portal.templatetags import ims as show

SUPPLIES = {
    "INTER": gettext_lazy("inter-State"),
    "INTRA": gettext_lazy("within the State"),
    "INTRB2B": gettext_lazy("inter-State, to registered persons"),
    "INTRB2C": gettext_lazy("inter-State, to unregistered persons"),
    "INTRAB2B": gettext_lazy("within the State, to registered persons"),
    "INTRAB2C": gettext_lazy("within the State, to unregistered persons"),
}
KINDS = {
    "WPAY": gettext_lazy("export with payment of tax"),
    "WOPAY": gettext_lazy("export without payment of tax"),
    "EXPWP": gettext_lazy("note of an export with payment of tax"),
    "EXPWOP": gettext_lazy("note of an export without payment of tax"),
    "B2CL": gettext_lazy("note of a large B2C supply"),
    "nil": gettext_lazy("nil rated"),
    "exempt": gettext_lazy("exempt"),
    "non_gst": gettext_lazy("outside GST"),
    "clttx": gettext_lazy("the operator collects tax, section 52"),
    "paytx": gettext_lazy("the operator pays the tax, section 9(5)"),
}
"""Kinds as a GSTR-1 writes them (formats 2.1)."""


def detail(text: str) -> str:
    """Return what a sum is of, by its `Detail` as written: supply, place, kind, period amended. Unknown words stay."""
    told = Detail.read(text)
    parts = [str(SUPPLIES.get(told.supply, told.supply))] if told.supply else []
    if told.pos:
        parts.append(f"{told.pos} {spoken.say(gstin.STATES.get(told.pos, ''))}".strip())
    if told.kind:
        parts.append(str(KINDS.get(told.kind, told.kind)))
    if told.amends:
        parts.append(_("amends %(period)s") % {"period": show.period(told.amends)})
    return ", ".join(parts)
