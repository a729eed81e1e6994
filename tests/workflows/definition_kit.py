"""Small workflow texts and the real actions to check them with."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from workflows.actions.base import Action
from workflows.actions.registry import shipped_actions
from workflows.check import check_text
from workflows.definition import Definition
from workflows.loading import load_definition, load_policy
from workflows.policy import Policy

SHIPPED = Path(__file__).parents[2] / "workflows" / "definitions"

HEAD = """\
workflow: refund-customer
title: Refund a customer
owner: "@finance-ops"
deputy: "@support-leads"
"""

PAYS_BACK = """\
    uses: http.request
    with: {service: shop, method: POST, path: /refunds, json: {amount: "${{ inputs.amount }}"}}
    effect: destructive
    approval: {stages: [{from: ["@finance-leads"]}]}
    verify:
      uses: http.request
      with: {service: shop, path: "/orders/${{ inputs.order }}"}
      returns: {body: {refunded: integer}}
      expect: result.body.refunded >= inputs.amount
    undo: none
"""

REFUND = (
    HEAD
    + """\
inputs:
  order: {type: string, pattern: "^ord_[a-z0-9]+$"}
  amount: {type: integer, minimum: 1}
  rate: {type: number, default: 1.5}
  note: {type: string, required: false}
lock: order/${{ inputs.order }}
steps:
  - id: order
    uses: http.request
    with: {service: shop, path: "/orders/${{ inputs.order }}"}
    returns: {body: {paid: integer, rate: number, tags: ["string?"]}}
  - id: refund
    when: inputs.amount <= steps.order.output.body.paid && inputs.rate > 1.0 && inputs.note == null
"""
    + PAYS_BACK
)


def demo_policy() -> Policy:
    """Return the policy of the demo, as it stands."""
    return load_policy(SHIPPED / "demo-policy.yaml")


def real_actions(policy: Policy) -> Mapping[str, Action[Any, Any]]:
    """Return the shipped actions; nothing here reaches a database."""
    return shipped_actions(policy.targets, rows=None)  # Checking asks for no rows.


def refund() -> Definition:
    """Return a small workflow with a read, an effect and its proof."""
    return load_definition(REFUND)


def said(text: str) -> list[str]:
    """Return every fault and warning of a definition, as printed, without the file's name."""
    policy = demo_policy()
    _, faults = check_text(text, "f", real_actions(policy), policy=policy)
    return [str(one).removeprefix("f:") for one in faults]
