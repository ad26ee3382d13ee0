"""Gather what is to be translated into Hindi, from the sources and from the tables of the law, and compile it.

With --check nothing is written: it fails where a text of the portal has no Hindi, or the compiled catalogues are older.
"""

from __future__ import annotations

import gettext
import shutil
import subprocess
import tempfile
from pathlib import Path
from typing import Any

from django.conf import settings
from django.core.management import call_command
from django.core.management.base import BaseCommand, CommandError, CommandParser
from django.test.utils import override_settings

from ims_portal import complaints, rulebook, spoken

LANGUAGE = "hi"
MOST_TOLD = 20
WORKPLACE = ".messages-"
"""Where catalogues are gathered: in the project's own folder, or Django looks for them in locale/ instead."""

LEFT_OUT = [f"{WORKPLACE}*", ".venv", ".local", "tests", "staticfiles", "screenshots", "locale"]
READERS = [
    settings.BASE_DIR / "ims_portal/rules/documents.py",
    settings.BASE_DIR / "ims_portal/rules/gstin.py",
    settings.BASE_DIR / "invoices/json_reading.py",
    *sorted((settings.BASE_DIR / "invoices/gstr1_json").glob("*.py")),
    settings.BASE_DIR / "invoices/gstr1_sheets/__init__.py",
    settings.BASE_DIR / "invoices/gstr1_sheets/words.py",
    *sorted((settings.BASE_DIR / "invoices/feeds_json").glob("*.py")),
    settings.BASE_DIR / "invoices/ims_reading.py",
    settings.BASE_DIR / "invoices/ims_sheets.py",
    settings.BASE_DIR / "invoices/register_reading.py",
    settings.BASE_DIR / "returns/gstr2b_reading.py",
    settings.BASE_DIR / "returns/gstr2b_sheets.py",
    settings.BASE_DIR / "returns/gstr3b_reading.py",
    *sorted((settings.BASE_DIR / "ims_portal/workbook_reading").glob("*.py")),
]
"""The modules that complain of files and documents in plain English."""
DOMAINS = ("django", spoken.DOMAIN)


class Command(BaseCommand):
    """`manage.py messages [--check]`: needs the tools of GNU gettext."""

    help = "Update and compile the catalogues in locale/: django.po from the sources, law.po from the rules."

    def add_arguments(self, parser: CommandParser) -> None:
        """Take --check."""
        parser.add_argument("--check", action="store_true", help="write nothing; fail where Hindi is missing or old")

    def handle(self, *_args: Any, check: bool, **_options: Any) -> None:  # noqa: ANN401 - Django's signature
        """Update both catalogues and compile them. Raises CommandError where gettext's tools are missing or refuse."""
        kept = Path(settings.LOCALE_PATHS[0])
        with tempfile.TemporaryDirectory(dir=settings.BASE_DIR, prefix=WORKPLACE) as folder:
            shutil.copytree(kept, folder, dirs_exist_ok=True)
            catalogues = Path(folder) / LANGUAGE / "LC_MESSAGES"
            _gather(Path(folder), catalogues)
            if check:
                _refuse_gaps(catalogues, kept / LANGUAGE / "LC_MESSAGES")
            else:
                shutil.copytree(folder, kept, dirs_exist_ok=True)
        self.stdout.write("Both catalogues are complete." if check else "Both catalogues are up to date and compiled.")


def _gather(folder: Path, catalogues: Path) -> None:
    """Bring the catalogues of a folder up to date and compile them."""
    with override_settings(LOCALE_PATHS=[folder]):
        call_command("makemessages", locale=[LANGUAGE], ignore_patterns=LEFT_OUT, no_location=True, verbosity=0)
    _update(catalogues / f"{spoken.DOMAIN}.po", [*spoken.texts(rulebook.MODULES), *complaints.forms(READERS)])
    for domain in DOMAINS:
        _run("msgattrib", "--no-obsolete", "-o", str(catalogues / f"{domain}.po"), str(catalogues / f"{domain}.po"))
        _run("msgfmt", "--check-format", "-o", str(catalogues / f"{domain}.mo"), str(catalogues / f"{domain}.po"))


def _refuse_gaps(gathered: Path, kept: Path) -> None:
    """Raise CommandError where a text has no translation, a doubtful one, or the compiled catalogue lacks it."""
    for domain in DOMAINS:
        for gap in ("--untranslated", "--only-fuzzy"):
            told = _run("msgattrib", gap, "--no-obsolete", "--no-wrap", str(gathered / f"{domain}.po"))
            missing = [line for line in told.splitlines() if line.startswith("msgid ") and line != 'msgid ""']
            if missing:
                few = "\n".join(missing[:MOST_TOLD])
                raise CommandError(
                    f"{domain}.po: {len(missing)} texts {gap.strip('-')}. Run manage.py messages:\n{few}"
                )
        if _said(gathered / f"{domain}.mo") != _said(kept / f"{domain}.mo"):
            raise CommandError(f"{domain}.mo is older than {domain}.po or the sources. Run manage.py messages.")


def _said(compiled: Path) -> dict[str, str]:
    with compiled.open("rb") as file:
        said = dict(gettext.GNUTranslations(file)._catalog)  # type: ignore[attr-defined]  # noqa: SLF001 - no other way to list
    return {text: words for text, words in said.items() if text}


def _update(kept: Path, texts: list[str]) -> None:
    """Merge the texts into a catalogue: what is translated stays, what is gone goes."""
    with tempfile.TemporaryDirectory() as folder:
        source, template = Path(folder) / "law.py", Path(folder) / "law.pot"
        source.write_text("".join(f"_({text!r})\n" for text in texts), encoding="utf-8")
        _run("xgettext", "--from-code=UTF-8", "--no-location", "-o", str(template), str(source))
        template.write_text(template.read_text().replace("charset=CHARSET", "charset=UTF-8"))
        if not kept.exists():
            _run("msginit", "--no-translator", f"--locale={LANGUAGE}", "-i", str(template), "-o", str(kept))
        _run(
            "msgmerge",
            "--quiet",
            "--no-fuzzy-matching",
            "--no-location",
            "-U",
            "--backup=none",
            str(kept),
            str(template),
        )


def _run(*command: str) -> str:
    try:
        done = subprocess.run(command, check=False, capture_output=True, text=True)
    except FileNotFoundError as missing:
        raise CommandError(f"{command[0]} is not on this machine: install GNU gettext.") from missing
    if done.returncode:
        raise CommandError(f"{command[0]}: {done.stderr}")
    return done.stdout
