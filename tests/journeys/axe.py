"""What a machine can say about a page's accessibility: axe-core's rules of WCAG 2.1 A and AA, run in it."""

from __future__ import annotations

import re
from pathlib import Path

from playwright.sync_api import Page, expect

SOURCE = (Path(__file__).parent / "vendor" / "axe.min.js").read_text()
STRIP = re.compile("Not the Government's GST portal|सरकार का GST पोर्टल नहीं")
TAGS = ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa"]
IS_IN = "() => 'axe' in window"
RUN = "asked => axe.run(document, {runOnly: asked, resultTypes: ['violations']})"
ALL = {"type": "tag", "values": TAGS}
OF_WORDS = {
    "type": "rule",
    "values": [
        *("html-has-lang", "html-lang-valid", "valid-lang", "document-title", "link-name", "button-name", "label"),
        *("select-name", "image-alt", "aria-input-field-name", "aria-command-name", "frame-title"),
    ],
}
"""What another language can break: names that were not translated away, and the language itself."""


def violations(page: Page, *, of_words: bool = False) -> list[str]:
    """Return what breaks WCAG 2.1 AA on the open page, one line for each element.

    `of_words` asks only what words can break, for a page whose markup was looked at in the first language.
    """
    # Evaluated by the browser's own debugger, so the page's content security policy is neither met nor loosened.
    if not page.evaluate(IS_IN):
        page.evaluate(SOURCE)
    found = page.evaluate(RUN, OF_WORDS if of_words else ALL)
    return [
        f"{rule['id']}: {node['html'][:200]} · {node['failureSummary']}"
        for rule in found["violations"]
        for node in rule["nodes"]
    ]


def assert_clean(page: Page, *, has_script: bool = True) -> None:
    """Fail where a page breaks WCAG 2.1 AA or does not say that it is not the Government's portal.

    Where scripts are off axe is too: the same station is looked at when its journey is played with script.

    What the page told its console, refusals by the content security policy among it, is the `complaints` fixture's.
    """
    expect(page.locator(".practice")).to_contain_text(
        re.compile("Not the Government's GST portal|सरकार का GST पोर्टल नहीं")
    )
    found = violations(page) if has_script else []
    assert found == [], f"{page.url}\n" + "\n".join(found)
