# ruff: noqa: ANN401 - a builder takes whatever field a test is about.
"""Builders of what views are drawn from; a test names only what it is about."""

from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from typing import Any

from bot.views.digest_values import (
    DayFigures,
    DecisionFigures,
    DigestShown,
    SignedHead,
    Waiting,
    WorkflowFigures,
)
from bot.views.doubt_card import DoubtCard
from bot.views.exception_card import DoneEffect, ExceptionCard, Standing, Tried
from bot.views.request_values import Preview, Receipt, RequestCard
from bot.views.run_root import RunRoot, StepLine
from bot.wording import Who
from workflows.definition import Definition
from workflows.errors import UnknownWorkflowError
from workflows.run import Phase, Status

NOON = datetime(2026, 3, 2, 12, 0, tzinfo=UTC)
RITA = Who(name="Rita", user="U0RITA")
ANA = Who(name="Ana", user="U0ANA")
LEADS = Who(name="@finance-leads", group="S0FINANCELEADS")


def preview_json(**changes: Any) -> dict[str, Any]:
    return {
        "v": 1,
        "run": "r_7f3a",
        "request": "q_19c2",
        "workflow": "refund-customer",
        "title": "Refund a customer",
        "version": "60892d85aa",
        "step": "refund",
        "action": "http.request",
        "effect": "destructive",
        "headline": "POST shop /refunds",
        "lines": ["order: ord_8841", "amount: 12000"],
        "lines_total": 2,
        "inputs": [["Order", "ord_8841"], ["Amount in cents", "12000"], ["Reason", "broken"]],
        "requester": {"id": "slack:T0ACME:U0RITA", "name": "Rita"},
        "rules": ["big refunds"],
        "stages": [{"from": ["@finance-leads"], "approve": 1, "deny": 1}],
        "needs_reason": False,
        "expires": "2026-03-02T09:00:00.000Z",
        "digest": "1f0a9c3e",
        "changed": [],
        **changes,
    }


def a_preview(**changes: Any) -> Preview:
    return Preview.read(preview_json(**changes))


def a_card(preview: Preview | None = None, **changes: Any) -> RequestCard:
    card = RequestCard(preview=preview or a_preview(), known={"@finance-leads": LEADS})
    return replace(card, **changes)


def a_receipt() -> Receipt:
    return Receipt(number=1, leaf="980c1f86" + "0" * 56, size=3, root="1d9adf54" + "0" * 56)


def a_doubt(**changes: Any) -> DoubtCard:
    card = DoubtCard(
        run="r_7f3a",
        step="refund",
        entry="e_1",
        title="Refund a customer",
        what="POST shop /refunds",
        key="r_7f3a/refund",
        cause="timeout",
        since=NOON,
        asked=(ANA, Who(name="Otto", user="U0OTTO")),
    )
    return replace(card, **changes)


def a_trouble(**changes: Any) -> ExceptionCard:
    card = ExceptionCard(
        run="r_7f3a",
        step="refund",
        entry="e_1",
        title="Refund a customer",
        what="POST shop /refunds",
        error_class="http_500",
        message="Internal Server Error",
        tried=tuple(
            Tried(at=NOON + timedelta(seconds=one), came=f"http_50{one}") for one in range(3)
        ),
        performed="no",
        done=(
            DoneEffect(name="hold", what="hold: PUT shop /holds/1", standing=Standing.UNDOABLE),
            DoneEffect(name="tell", what="tell: POST shop /mails", standing=Standing.FINAL),
        ),
        asked=(ANA,),
        at=NOON,
    )
    return replace(card, **changes)


def a_root(**changes: Any) -> RunRoot:
    root = RunRoot(
        run="r_7f3a",
        title="Refund a customer",
        workflow="refund-customer",
        version="60892d85aa",
        status=Status.WAITING,
        requester=RITA,
        trigger="form",
        steps=(
            StepLine(name="order", phase=Phase.OBSERVED),
            StepLine(name="refund", phase=Phase.ASKED),
            StepLine(name="tell"),
        ),
        entries=3,
        started_at=NOON,
        waits_for="@finance-leads",
        waits_until=NOON + timedelta(hours=24),
    )
    return replace(root, **changes)


def a_head(**changes: Any) -> SignedHead:
    head = SignedHead(
        note="interlock.example/acme\n42\nHZrfVGFiY2RlZmdoaWprbG1ub3A=\n\n— interlock c2ln\n",
        origin="interlock.example/acme",
        size=42,
        vkey="interlock.example/acme+1f0a9c3e+AQ==",
        first=10,
        last=41,
        check="interlock audit verify --db interlock.db --vkey KEY --checkpoint note.txt",
    )
    return replace(head, **changes)


def a_digest(**changes: Any) -> DigestShown:
    shown = DigestShown(
        since=NOON - timedelta(days=7),
        until=NOON,
        days=[
            DayFigures(day=date(2026, 3, 1), done=3, refused=1),
            DayFigures(day=date(2026, 3, 2)),
        ],
        workflows=[
            WorkflowFigures(title="Refund a customer", started=5, done=3, refused=1, open=1)
        ],
        decisions=DecisionFigures(approved=3, denied=1, median=timedelta(minutes=12)),
        head=a_head(),
        waiting=[
            Waiting(title="Refund a customer", run="r_1", since=NOON, waits_for="@finance-leads")
        ],
    )
    return replace(shown, **changes)


def no_version(version: str) -> Definition:
    """Know no definition, like a bot to which none was published."""
    raise UnknownWorkflowError(f"There is no version {version}.")
