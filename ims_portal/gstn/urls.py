"""Addresses existing GST software calls, as GSTN has them below its own; no language stands in them."""

from typing import Any

from django.urls import path, re_path
from rest_framework.exceptions import NotFound
from rest_framework.request import Request

from ims_portal.gstn.authenticate import Authenticate
from ims_portal.gstn.views import GstnView, Part
from invoices.gstn.gstr1 import Gstr1, Gstr1a, Returns
from invoices.gstn.ims import Ims
from returns.gstn.gstr2b import Gstr2bCalls
from returns.gstn.gstr3b import Gstr3b


class Nowhere(GstnView):
    """Any other address: told as every other error is."""

    calls = {}

    def initial(self, request: Request, *args: Any, **kwargs: Any) -> None:  # noqa: ANN401 - the framework's signature
        """Refuse, once it is clear who asks."""
        super().initial(request, *args, **kwargs)
        raise NotFound("There is no such address.")


class NotOffered(GstnView):
    """Addresses that clients know and we have nothing for: every action there is told so."""

    calls = {}


app_name = "gstn"
urlpatterns = [
    path("returns", Returns.as_view(), name="returns"),
    path("returns/gstr1", Gstr1.as_view(), name="gstr1"),
    path("returns/gstr1a", Gstr1a.as_view(), name="gstr1a"),
    path("returns/gstrptf", Gstr1.as_view(), name="gstrptf"),
    path("returns/ims", Ims.as_view(), name="ims"),
    path("returns/gstr2b", Gstr2bCalls.as_view(), name="gstr2b"),
    path("returns/gstr3b", Gstr3b.as_view(), name="gstr3b"),
    path("authenticate", Authenticate.as_view(), name="authenticate"),
    path("returns/gstr2a", NotOffered.as_view(), name="gstr2a"),
    path("returns/einvoice", NotOffered.as_view(), name="einvoice"),
    path("files/<str:name>", Part.as_view(), name="file"),
    re_path(r"^(?P<path>(?s:.*))\Z", Nowhere.as_view(), name="nowhere"),  # line breaks and nothing at all too
]
