"""The published schema is that of the code, and every route of the interface is in it."""

from __future__ import annotations

from pathlib import Path

import yaml
from django.urls import URLPattern, URLResolver, get_resolver
from drf_spectacular.generators import SchemaGenerator
from drf_spectacular.validation import validate_schema

from ims_portal.access import Right
from ims_portal.api.urls import Nowhere
from ims_portal.api.views import TaxpayerView, TokenView
from invoices.api.feeds import FeedView

KEPT = Path(__file__).resolve().parents[2] / "docs" / "openapi.yaml"


def views() -> dict[str, type[TokenView]]:
    """Return address -> view of everything below /api/v1/."""
    found: dict[str, type[TokenView]] = {}

    def walk(resolver: URLResolver, before: str) -> None:
        for each in resolver.url_patterns:
            if isinstance(each, URLResolver):
                walk(each, before + str(each.pattern))
            elif isinstance(each, URLPattern):
                found[before + str(each.pattern)] = each.callback.cls

    interface = next(each for each in get_resolver().url_patterns if str(each.pattern) == "api/v1/")
    walk(interface, "")
    return found


def test_the_kept_schema_is_the_code_s() -> None:
    """A change of the interface is a change of docs/openapi.yaml: `manage.py spectacular --file docs/openapi.yaml`."""
    made = SchemaGenerator().get_schema(request=None, public=True)
    validate_schema(made)
    assert yaml.safe_load(KEPT.read_text()) == yaml.safe_load(yaml.safe_dump(made))


def test_every_view_says_what_right_each_method_needs() -> None:
    for address, view in views().items():
        methods = {name.upper() for name in ("get", "post", "put", "patch", "delete") if hasattr(view, name)}
        if issubclass(view, TaxpayerView):
            assert methods == view.rights.keys(), address
            assert {Right(right) for right in view.rights.values()}
        else:
            assert issubclass(view, FeedView) or address == "token" or view is Nowhere, address


def test_every_address_is_in_the_schema() -> None:
    paths = yaml.safe_load(KEPT.read_text())["paths"]
    published = {path.removeprefix("/api/v1/") for path in paths}
    assert len(published) == len(views()) - 1  # but for the one that refuses any other address
