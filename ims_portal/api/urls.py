"""Addresses of our interface for programs. No language stands in them: it speaks English, as GSTN's does."""

from django.urls import include, path, re_path
from rest_framework.exceptions import NotFound
from rest_framework.request import Request
from rest_framework.response import Response

from ims_portal.api.taxpayers import Token
from ims_portal.api.views import TokenView


class Nowhere(TokenView):
    """Any other address: told as every other error is."""

    schema = None

    def get(self, request: Request, path: str) -> Response:  # noqa: ARG002 - the framework's signature
        """Refuse."""
        raise NotFound("There is no such address.")

    post = put = patch = delete = get


app_name = "api"
urlpatterns = [
    path("token", Token.as_view(), name="token"),
    path("feeds/", include("invoices.api.feed_urls")),
    path("t/<str:gstin>/", include("invoices.api.urls")),
    path("t/<str:gstin>/", include("returns.api.urls")),
    re_path(r"^(?P<path>(?s:.*))\Z", Nowhere.as_view(), name="nowhere"),  # line breaks and nothing at all too
]
