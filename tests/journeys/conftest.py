"""A real chromium for journeys. Without one on the machine they are reported as not run, never as passed."""

import os
import re
import shutil
from collections.abc import Callable, Iterator

import pytest
from playwright.sync_api import Browser, ConsoleMessage, Page, sync_playwright

from ims_portal.children import Child
from tests import live
from tests.journeys.desk import Desk

FLAGS = (
    "--headless",
    "--no-sandbox",
    "--disable-gpu",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
)

# The browser's driver runs an event loop in this thread; the tests beside it use the database as ever.
os.environ["DJANGO_ALLOW_ASYNC_UNSAFE"] = "true"


@pytest.fixture(scope="session")
def chromium() -> Iterator[Browser]:
    """The machine's chromium."""
    path = shutil.which("chromium")
    if path is None:
        pytest.skip("not run: there is no chromium on this machine")
    with sync_playwright() as driver:
        browser = driver.chromium.launch(executable_path=path, args=list(FLAGS))
        yield browser
        browser.close()


@pytest.fixture
def start_web(process_environment: dict[str, str], lasting_web: Callable[[], str]) -> Callable[[], str]:  # noqa: ARG001 - an empty broker
    """Return the address of the portal; journeys share one, for starting it takes longer than many of them."""
    return lasting_web


@pytest.fixture
def start_worker(
    process_environment: dict[str, str],  # noqa: ARG001 - an empty broker
    lasting_worker: Callable[[], Child],
) -> Iterator[Callable[[], Child]]:
    """Have a worker, likewise shared; after the test it finishes what it began, before the database is emptied."""
    had: list[Child] = []

    def have() -> Child:
        had.append(lasting_worker())
        live.listen(to=True)
        return had[-1]

    yield have
    if had:
        live.wait_for(live.is_idle, child=had[-1])
        live.listen(to=False)


def is_complaint(said: ConsoleMessage) -> bool:
    """Tell a complaint from what the browser says of things meant to be: a form refused with 422 or 409, a page that
    was drawn before its optional font came.
    """
    is_meant = re.search(r"status of (409|422)|\.woff2 was preloaded .* but not used", said.text)
    return said.type in ("error", "warning") and not is_meant


@pytest.fixture
def complaints() -> Iterator[list[str]]:
    """What pages complained of on their console; a journey ends without any."""
    found: list[str] = []
    yield found
    assert found == []


@pytest.fixture
def person(
    chromium: Browser,
    complaints: list[str],
    process_environment: dict[str, str],  # noqa: ARG001 - windows are closed before the portal's processes are cut off
) -> Iterator[object]:
    """Open a browser window of its own for somebody, and return its page."""
    contexts = []

    def enter(*, script: bool = True) -> Page:
        size = {"width": 1280, "height": 900}
        context = chromium.new_context(viewport=size, locale="en-IN", java_script_enabled=script)
        contexts.append(context)
        page = context.new_page()
        page.on("console", lambda said: complaints.append(said.text) if is_complaint(said) else None)
        page.on("pageerror", lambda problem: complaints.append(str(problem)))
        return page

    yield enter
    for context in contexts:
        context.close()


@pytest.fixture
def at_desk(
    person: Callable[..., Page], start_web: Callable[[], str], start_worker: Callable[[], Child]
) -> Callable[..., Desk]:
    """Sign somebody in, by username, at the portal with its worker; `script` says whether their browser runs any."""
    base = start_web()
    start_worker()

    def enter(username: str, *, script: bool = True) -> Desk:
        return Desk(person(script=script), base, username, script=script)

    return enter
