"""`interlock policy`: its subcommands, each imported only when it is called."""

from bot.cli.lazy import LazyGroup, Place

COMMANDS = {
    "check": Place(
        "bot.cli.policy_checking", "policy_check", "Say what is wrong or odd about a policy file."
    ),
    "explain": Place(
        "bot.cli.explaining", "policy_explain", "Say whom it asks about a run, and why."
    ),
    "replay": Place(
        "bot.cli.replaying", "policy_replay", "Say what it would have decided differently."
    ),
    "budgets": Place("bot.cli.budgets", "policy_budgets", "Say how much of each budget is used."),
}

policy = LazyGroup(name="policy", places=COMMANDS, help="Work with the policy.")
