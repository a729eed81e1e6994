"""The `interlock` command: which subcommands there are, and where each of them lives.

Only `click` is imported here. A subcommand's module is imported when it is called, so that
help appears at once and `check` works where Slack and databases are not installed.
"""

import click

from bot.cli.lazy import LazyGroup, Place

COMMANDS: dict[str, Place] = {
    "demo": Place("bot.cli.trying", "demo", "Run the main job in a pretend Slack."),
    "init": Place("bot.cli.beginning", "init", "Make the home folder: keys, database, policy."),
    "doctor": Place("bot.cli.doctor", "doctor", "Look at everything; say what to do about it."),
    "serve": Place("bot.cli.serving", "serve", "Run the bot until it is told to stop."),
    "worker": Place("bot.cli.serving", "worker", "Continue runs beside the bot; needs Postgres."),
    "migrate": Place("bot.cli.serving", "migrate", "Bring the database up to this release."),
    "move": Place("bot.cli.moving", "move", "Bring the log into another database."),
    "check": Place("bot.cli.checking", "check", "Say what is wrong with workflow files."),
    "test": Place("bot.cli.testing", "play_tests", "Play the tests of workflow files."),
    "try": Place("bot.cli.dry_run", "try_workflow", "Show what a run would do, and do nothing."),
    "new": Place("bot.cli.drafting", "new_workflow", "Write the file of a new workflow."),
    "adopt": Place("bot.cli.adopting", "adopt", "Draft a workflow from a script or a thread."),
    "schema": Place("bot.cli.checking", "schema", "Print the JSON Schema of workflow files."),
    "publish": Place("bot.cli.publishing", "publish", "Put a change of workflows to people."),
    "workflows": Place("bot.cli.catalog", "workflows", "List the workflows that can be run."),
    "history": Place("bot.cli.catalog", "history", "Say who agreed to which version, and why."),
    "diff": Place("bot.cli.catalog", "diff", "Say what changed between two versions."),
    "run": Place("bot.cli.running", "run", "Start a run."),
    "cancel": Place("bot.cli.running", "cancel", "Cancel a run."),
    "settle": Place("bot.cli.running", "settle", "Answer an exception or a doubt."),
    "move-run": Place("bot.cli.running", "move_run", "Put a waiting run on another version."),
    "schedule": Place("bot.cli.scheduling", "schedule", "Set and see schedules."),
    "runs": Place("bot.cli.reading", "runs", "List runs, the newest first."),
    "show": Place("bot.cli.reading", "show", "Tell the story of one run."),
    "find": Place("bot.cli.searching", "find_runs", "Search the summaries of runs."),
    "digest": Place("bot.cli.digesting", "digest", "Print what happened in a period."),
    "health": Place("bot.cli.health", "health", "Say how approvals go; 1 if something stands out."),
    "readiness": Place("bot.cli.readiness", "readiness", "Say what a workflow has yet to earn."),
    "token": Place("bot.cli.tokens", "token", "Let programs start runs for a person."),
    "secret": Place("bot.cli.secret", "secret", "Keep the secrets that steps need."),
    "workspaces": Place("bot.cli.workspaces", "workspaces", "List who installed the app."),
    "policy": Place("bot.cli.policies", "policy", "Check, explain and replay the policy."),
    "access": Place("bot.cli.access", "access", "Say who may do what, and have it signed."),
    "audit": Place("bot.cli.auditing", "audit", "Check and show the signed trail."),
    "keys": Place("bot.cli.keys", "keys", "Bring in, replace and end signing keys."),
    "model": Place("bot.cli.models", "model", "Install what asks a language model."),
    "sandbox": Place("bot.cli.trying", "sandbox", "Run only the pretend Slack."),
}

main = LazyGroup(
    name="interlock",
    places=COMMANDS,
    help="Governed workflows in Slack: people approve, every step is signed.",
    epilog="Exit codes: 0 fine, 1 the answer is no, 2 asked wrongly, 3 something is unproven.",
)
click.version_option(package_name="interlock")(main)
