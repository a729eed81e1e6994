"""An auditor in a real browser: a run told in the channel, and the same verified from a pack."""

import re
import zipfile
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path

import pytest
from playwright.sync_api import Page, expect

from bot.digest_figures import shown_from
from bot.digest_page import digest_page
from storage.evidence.export import Request, export
from tests.journeys.day import Case
from tests.journeys.pages import channel_of, picture
from workflows.people import PersonId

pytestmark = pytest.mark.browser


def verifier_of(pack: Path) -> bytes:
    """Return the page that came with a pack."""
    with zipfile.ZipFile(pack) as held:
        return held.read("verify.html")


def test_an_auditor_reads_a_run_and_verifies_the_same_from_a_pack_alone(
    case: Case, sits: Callable[[str], Page], tmp_path: Path
) -> None:
    root = case.asks()
    case.approves("ana", case.card(root))
    case.ends(root, "done")
    run = case.entries()[0].run
    gil = sits("gil")
    channel_of(gil, case)
    field = gil.get_by_label(f"Message {case.channel}")
    field.fill(f"/ops audit {run}")
    field.press("Enter")
    told = gil.get_by_role("main")
    expect(told).to_contain_text("on the approval of @ana")
    picture(gil, "audit-timeline")

    store = case.day.bot.core.store
    wanted = Request(out=tmp_path / "pack.zip", sample=1, seed="2026")
    made = export(store, wanted, person=PersonId("os:auditor"), now=datetime.now(UTC))
    pin = store.journal.sequencer.signers[0].vkey
    page = gil.context.new_page()
    file = tmp_path / "verify.html"
    file.write_bytes(verifier_of(made.path))
    page.goto(file.as_uri())
    page.locator("#zip").set_input_files(str(made.path))
    page.locator("#keys").fill(pin)
    page.locator("#start").click()

    expect(page.locator(".verdict")).to_contain_text("Verified")
    page.locator("#runs summary").filter(has_text=re.compile(str(run)[:8])).click()
    expect(page.locator("#runs")).to_contain_text("approv")
    picture(page, "audit-verified")


def test_the_page_of_a_digest_fits_a_phone(
    case: Case, sits: Callable[[str], Page], tmp_path: Path
) -> None:
    case.card(case.asks())
    file = tmp_path / "digest.html"
    file.write_text(digest_page(shown_from(case.day.bot.core.digests.look().figures)))
    page = sits("gil").context.new_page()
    page.set_viewport_size({"width": 320, "height": 800})
    page.goto(file.as_uri())

    assert page.get_by_role("columnheader", name="Not approved").count()
    assert page.evaluate("document.documentElement.scrollWidth") <= 320
