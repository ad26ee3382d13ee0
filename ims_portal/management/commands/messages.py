"""Gather what is to be translated into Hindi, from the sources and from the tables of the law, and compile it."""

from __future__ import annotations

import subprocess
import tempfile
from pathlib import Path
from typing import Any

from django.conf import settings
from django.core.management import call_command
from django.core.management.base import BaseCommand, CommandError

from ims_portal import rulebook, spoken

LANGUAGE = "hi"
LEFT_OUT = [".venv", ".local", "tests", "staticfiles", "screenshots"]


class Command(BaseCommand):
    """`manage.py messages`: needs the tools of GNU gettext."""

    help = "Update and compile the catalogues in locale/: django.po from the sources, law.po from the rules."

    def handle(self, *args: Any, **options: Any) -> None:  # noqa: ANN401, ARG002 - Django's signature
        """Update both catalogues and compile them. Raises CommandError where gettext's tools are missing or refuse."""
        call_command("makemessages", locale=[LANGUAGE], ignore_patterns=LEFT_OUT, no_location=True, verbosity=0)
        folder = Path(settings.LOCALE_PATHS[0]) / LANGUAGE / "LC_MESSAGES"
        _update(folder / f"{spoken.DOMAIN}.po", spoken.texts(rulebook.MODULES))
        for domain in ("django", spoken.DOMAIN):
            _run("msgfmt", "--check-format", "-o", str(folder / f"{domain}.mo"), str(folder / f"{domain}.po"))
        self.stdout.write("Both catalogues are up to date and compiled.")


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
        _run("msgattrib", "--no-obsolete", "-o", str(kept), str(kept))


def _run(*command: str) -> None:
    try:
        done = subprocess.run(command, check=False, capture_output=True, text=True)
    except FileNotFoundError as missing:
        raise CommandError(f"{command[0]} is not on this machine: install GNU gettext.") from missing
    if done.returncode:
        raise CommandError(f"{command[0]}: {done.stderr}")
