"""The reference of the interface: all that the published schema has, open to everybody, with nothing from elsewhere."""

from __future__ import annotations

import html
import re

import pytest
import yaml
from django.test import Client

from ims_portal import interface
from tests import english

pytestmark = pytest.mark.django_db
PAGE = "/en/api/"


@pytest.fixture(scope="module")
def schema() -> dict[str, dict[str, dict[str, dict[str, object]]]]:
    return yaml.safe_load(interface.FILE.read_text())


def test_every_operation_and_every_shape_is_told(client: Client, schema: dict[str, dict]) -> None:
    page = html.unescape(client.get(PAGE).text)
    for path, methods in schema["paths"].items():
        for method, one in methods.items():
            assert f'<h3 id="{one["operationId"]}"><code><strong>{method.upper()}</strong> {path}</code></h3>' in page
            assert " ".join(one["description"].split()) in " ".join(page.split())
            for parameter in one.get("parameters", []):
                assert f'<th scope="row"><code>{parameter["name"]}</code></th>' in page
            for status, answer in one["responses"].items():
                assert status in page
                assert answer["description"] in page
    for name, shape in schema["components"]["schemas"].items():
        assert ("properties" in shape) == (f'id="shape-{name}"' in page), name


def test_parts_of_an_address_are_explained_where_the_schema_says_nothing(client: Client) -> None:
    page = client.get(PAGE).text
    assert page.count("<code>gstin</code></th><td>in the address") == page.count("the GSTIN of the taxpayer") > 0


def test_every_link_within_the_page_leads_somewhere(client: Client) -> None:
    page = client.get(PAGE).text
    wanted = set(re.findall(r'href="#([^"]+)"', page))
    there = re.findall(r'\sid="([^"]+)"', page)
    assert wanted - set(there) == set()
    assert len(there) == len(set(there))


def test_the_example_of_a_body_is_the_given_one_or_fits_the_shape(client: Client) -> None:
    page = html.unescape(client.get(PAGE).text)
    assert '"remark": "half of it was used"' in page
    made = interface._sample({"$ref": "#/x/Item"}, {"Item": SHAPE}, 0)
    assert made == {"on": "2026-11-14", "items": [{"value": "18000.00"}], "letter": "A", "none": {}}


SHAPE = {
    "type": "object",
    "properties": {
        "on": {"type": "string", "format": "date"},
        "items": {"type": "array", "items": {"properties": {"value": {"type": "string", "example": "18000.00"}}}},
        "letter": {"oneOf": [{"enum": ["A", "R"]}, {"enum": [""]}]},
        "none": {"type": "object"},
    },
}


def test_a_shape_that_holds_itself_has_an_end() -> None:
    shapes = {"Node": {"type": "object", "properties": {"next": {"$ref": "#/x/Node"}}}}
    made = interface._sample({"$ref": "#/x/Node"}, shapes, 0)
    assert str(made).count("next") < 10


@pytest.mark.parametrize(
    ("given", "told"),
    [
        ({"type": "string", "format": "date-time", "nullable": True}, "moment or null"),
        ({"type": "array", "items": {"$ref": "#/x/Open"}}, "list of Open"),
        ({"oneOf": [{"$ref": "#/x/Choice"}, {"enum": [""]}]}, 'A | R or ""'),
        ({"allOf": [{"$ref": "#/x/Open"}], "nullable": True}, "Open or null"),
        ({"type": "string", "maxLength": 250}, "string, 250 characters at most"),
        ({}, "any"),
    ],
)
def test_what_a_value_may_be_is_said_in_words(given: dict[str, object], told: str) -> None:
    shapes = {"Open": {"properties": {"a": {"type": "string"}}}, "Choice": {"enum": ["A", "R"]}}
    assert interface._kind(given, shapes) == told


def test_the_schema_is_given_as_it_is_kept_to_everybody(client: Client) -> None:
    answer = client.get("/api/schema.yaml")
    assert answer.status_code == 200
    assert answer.headers["Content-Type"] == "application/yaml"
    assert answer.content == interface.FILE.read_bytes()


def test_the_page_is_open_to_everybody_and_linked_from_every_foot(client: Client) -> None:
    page = client.get(PAGE)
    assert page.status_code == 200
    assert 'href="/api/schema.yaml"' in page.text
    assert 'href="/en/api/"' in client.get("/en/account/login/").text
    assert re.findall(r'(?:src|href)="https?:', page.text) == []


def test_the_frame_of_the_page_is_hindi_and_its_english_is_marked(client: Client) -> None:
    page = client.get("/hi/api/").text
    assert english.left_in(page) == []
    assert page.count('lang="en"') > 100
