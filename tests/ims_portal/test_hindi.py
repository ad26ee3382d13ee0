"""Hindi is whole: every text of the portal has it, compiled, and the same page answers in both languages."""

from __future__ import annotations

import gettext
import shutil
from datetime import UTC, datetime
from io import StringIO
from pathlib import Path
from uuid import uuid4

import pytest
from django.conf import settings
from django.contrib.auth.password_validation import password_validators_help_texts
from django.core.management import CommandError, call_command
from django.test import Client
from django.test.utils import override_settings
from django.utils.timesince import timesince
from django.utils.translation import override

from ims_portal import once, rulebook, spoken
from ims_portal.models import User
from ims_portal.rules import gstin
from invoices import sum_words
from tests import english

LOCALE = Path(settings.LOCALE_PATHS[0])


def test_every_text_is_translated_and_compiled() -> None:
    if shutil.which("msgfmt") is None or shutil.which("xgettext") is None:
        pytest.skip("not run: GNU gettext is not on this machine")
    out = StringIO()
    call_command("messages", "--check", stdout=out)
    assert "complete" in out.getvalue()


def test_a_text_without_hindi_is_told(tmp_path: Path) -> None:
    if shutil.which("msgfmt") is None or shutil.which("xgettext") is None:
        pytest.skip("not run: GNU gettext is not on this machine")
    shutil.copytree(LOCALE / "hi", tmp_path / "hi")
    catalogue = tmp_path / "hi/LC_MESSAGES/django.po"
    catalogue.write_text(catalogue.read_text().replace('msgid "Pair"', 'msgid "Pairs there are none of"'))
    with override_settings(LOCALE_PATHS=[tmp_path]), pytest.raises(CommandError, match='msgid "Pair"'):
        call_command("messages", "--check")


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


def test_english_on_a_hindi_page_is_found() -> None:
    page = """<html lang="hi"><body><h1 title="Why so">नमस्ते</h1><p>Filed <code>a b</code> GSTR-2B</p><input
        placeholder="GSTIN typed"><br><p lang="en">Rule of law</p><p translate="no">Meera</p><p>Meera Rao, A/c 17</p>"""
    assert english.left_in(page, data=["Meera Rao"]) == ["Why so: Why so", "Filed: Filed", "typed: GSTIN typed"]


def test_names_with_commas_are_spoken_part_by_part() -> None:
    with override("hi"):
        assert spoken.say("GSTR-1, B2C, small (7)") == f"GSTR-1, {spoken.say('B2C, small (7)')}"
        assert english.left_in(spoken.say("GSTR-2B, ITC available, Part A I")) == []
        unheard = "GSTR-1, Invoice, against nothing, for no return kept here reports its original"
        told = spoken.say(f"{unheard} (our reading, R6.12: 0 at first)")
    assert english.left_in(told) == []
    assert told.endswith("(हमारा मत, R6.12)")


def test_what_sums_are_of_is_told_in_words() -> None:
    told = {
        "INTER 33": "inter-State, 33 Tamil Nadu",
        "INTER WOPAY": "inter-State, export without payment of tax",
        "INTRAB2C exempt": "within the State, to unregistered persons, exempt",
        "INTRA 29 092026": "within the State, 29 Karnataka, amends 09/2026",
        "INTRA NEW": "within the State, NEW",
    }
    assert {text: sum_words.detail(text) for text in told} == told
    with override("hi"):
        assert english.left_in(sum_words.detail("INTRAB2C exempt")) == []


def test_what_django_has_no_hindi_for_has_ours() -> None:
    with override("hi"):
        told = [timesince(datetime(2026, 11, 1, tzinfo=UTC), datetime(2026, 11, 1, 2, 7, tzinfo=UTC))]
        told += password_validators_help_texts()
    assert told[0] == "2\xa0घंटे, 7\xa0मिनट"
    assert english.left_in("<br>".join(map(str, told))) == []


def test_states_are_chosen_by_their_hindi_names() -> None:
    with override("hi"):
        assert english.left_in("<br>".join(map(spoken.say, gstin.STATES.values()))) == []


@pytest.mark.django_db
def test_a_form_used_twice_is_refused_in_hindi() -> None:
    actor = User.objects.create(username="meera")
    key = uuid4()
    once.claim(actor=actor, key=key, body={"do": "act"})
    with override("hi"), pytest.raises(once.MismatchError) as refused:
        once.claim(actor=actor, key=key, body={"do": "file"})
    assert english.left_in(str(refused.value)) == []
