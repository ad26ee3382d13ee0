"""What we depend on is pinned by hash, asked for on purpose, and named without any address."""

import re
import subprocess

import pytest

from ims_portal import embedded

REQUIREMENTS = (embedded.PROJECT / "requirements.txt").read_text()
ASKED_FOR = (embedded.PROJECT / "requirements.in").read_text()
# In pieces, for this file may not name them either.
HOSTS = [
    "py" + "pi.org",
    "python" + "hosted.org",
    "npm" + "js.",
    "debian" + ".org",
    "yarn" + "pkg.com",
    "crates" + ".io",
    "proxy.golang" + ".org",
    "conda" + ".anaconda.org",
]
OPTIONS = re.compile(r"^\s*(--index|--extra-index|--find-links|--trusted-host|-i |-f )", re.MULTILINE)


def blocks() -> list[str]:
    """Return the entries of requirements.txt, each with its continued lines."""
    joined = REQUIREMENTS.replace("\\\n", " ")
    return [line for line in joined.splitlines() if line.strip() and not line.startswith("#")]


def normal(name: str) -> str:
    """Return a package name as indexes compare them."""
    return re.sub(r"[-_.]+", "-", name).lower()


def tracked() -> list[str]:
    """Return the files that are in git or would be added to it."""
    command = ["git", "ls-files", "--cached", "--others", "--exclude-standard", "-z"]
    listed = subprocess.run(command, cwd=embedded.PROJECT, capture_output=True, text=True, check=False)
    if listed.returncode:
        pytest.skip("not a git work tree")
    return [name for name in listed.stdout.split("\0") if name]


def test_every_requirement_is_one_release_with_hashes() -> None:
    entries = blocks()
    assert len(entries) > 50
    for entry in entries:
        assert re.match(r"[a-z0-9.-]+==[^ ]+ ", entry), entry[:80]
        assert re.search(r"--hash=sha256:[0-9a-f]{64}", entry), entry[:80]


def test_everything_asked_for_is_locked() -> None:
    locked = {normal(entry.split("==")[0]) for entry in blocks()}
    asked = {normal(match) for match in re.findall(r"^([A-Za-z0-9][A-Za-z0-9._-]*)", ASKED_FOR, re.MULTILINE)}
    assert asked - locked == set()


def test_psycopg_3_is_absent() -> None:
    """Django silently prefers it to psycopg2 when both are there."""
    assert not re.search(r"^psycopg(==|-binary|-c)", REQUIREMENTS, re.MULTILINE)


def test_requirements_hold_no_address_and_no_path() -> None:
    for text in (REQUIREMENTS, ASKED_FOR):
        assert "://" not in text
        assert not OPTIONS.search(text)
        assert not re.search(r"(^|\s)/[a-z]", text)


def test_no_file_names_a_package_index() -> None:
    named = []
    for name in tracked():
        path = embedded.PROJECT / name
        if not path.is_file():
            continue
        text = path.read_bytes().lower()
        named += [f"{name}: {host}" for host in HOSTS if host.encode() in text]
    assert named == []
