"""Hindi is whole: every text of the portal has it, compiled, and the same page answers in both languages."""

from __future__ import annotations

import gettext
import shutil
from io import StringIO
from pathlib import Path

import pytest
from django.conf import settings
from django.core.management import call_command
from django.test import Client
from django.utils.translation import override

from ims_portal import rulebook, spoken

LOCALE = Path(settings.LOCALE_PATHS[0])


def test_every_text_is_translated_and_compiled() -> None:
    if shutil.which("msgfmt") is None or shutil.which("xgettext") is None:
        pytest.skip("not run: GNU gettext is not on this machine")
    out = StringIO()
    call_command("messages", "--check", stdout=out)
    assert "complete" in out.getvalue()


def test_what_allauth_says_is_compiled_as_it_is_written() -> None:
    folder = LOCALE / "allauth/hi/LC_MESSAGES"
    with (folder / "django.mo").open("rb") as compiled:
        said = gettext.GNUTranslations(compiled)
    assert said.gettext("Two-Factor Authentication") in (folder / "django.po").read_text()
    assert said.gettext("Confirm Access") != "Confirm Access"


def test_every_sentence_of_the_law_is_spoken_in_hindi() -> None:
    latin = {text for text in spoken.texts(rulebook.MODULES) if text.isascii()}
    with override("hi"):
        english = {text for text in latin if spoken.say(text) == text}
    # Parts of forms and formulas stay as the forms print them.
    assert {text for text in english if any(word.islower() and len(word) > 1 for word in text.split())} == set()


@pytest.mark.django_db
def test_the_switch_of_languages_keeps_the_page_and_its_query(client: Client) -> None:
    page = client.get("/en/account/login/?next=/en/me/").content.decode()
    assert 'hreflang="hi" href="/hi/account/login/?next=/en/me/"' in page
    hindi = client.get("/hi/account/login/")
    assert hindi.headers["Content-Language"] == "hi"
    assert '<html lang="hi">' in hindi.content.decode()
