"""What went wrong, in words, for each error class that entries carry."""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from bot.wording import plural

_WORDS: Mapping[str, str] = {
    "already_happened": "It has happened already",
    "answer_cut": "The model's answer was cut off",
    "approver_left": "Somebody who approved it may no longer do so",
    "arguments": "Its arguments do not fit the action",
    "arguments_refused": "The policy does not allow these arguments",
    "channel_not_found": "The channel cannot be found, or the bot is not in it",
    "circuit_open": "The service failed again and again, and is left alone for a while",
    "cpu_limit": "The program used more processor time than the policy lets it",
    "crash": "The bot stopped on the way",
    "effect_raised": "The step would do more than it was let through for",
    "egress_refused": "The address is one that must not be reached",
    "end_unknown": "Nobody can say how the program ended",
    "expression": "An expression of the workflow has no value here",
    "file_size_limit": "The program wrote a larger file than the policy lets it",
    "folder_missing": "The folder it should run in is not there",
    "garbage": "What came back cannot be read",
    "is_archived": "The channel is archived",
    "is_inactive": "The channel is archived",
    "list_is_cut": "The list that the loop should go over is not whole",
    "lock_circle": "It would wait for a run that waits for it",
    "locked": "The database was locked",
    "left_running": "It had not ended when its time was over",
    "model_away": "The language model did not answer",
    "model_budget": "What the language model may cost today is spent",
    "model_garbage": "The language model's worker answered with something that is no answer",
    "model_refused": "The language model refused the question",
    "no_approver": "Nobody could decide it",
    "no_gate": "It is destructive, and nobody is asked about it",
    "no_model": "No language model is set up",
    "no_worker": "The language model's worker is not there",
    "not_a_list": "What the loop should go over is no list",
    "not_delivered": "It was not delivered",
    "not_in_channel": "The bot is not in the channel",
    "not_performed": "It was not done",
    "over_budget": "There is not enough of a budget for it",
    "path_refused": "The policy does not allow this path",
    "people_unreadable": "Who belongs to a group could not be read",
    "plan_changed": "It would have touched something else than planned",
    "program_missing": "The program is not there",
    "rate_limited": "The policy lets the service be asked no more often",
    "redirected": "The service sent us where we may not go",
    "replaced": "What it was to replace has changed meanwhile",
    "reply_lost": "The connection broke before the answer came",
    "request_refused": "The request could not be written",
    "role_refused": "The database knows no such role",
    "secret": "A secret is missing, or stands in the clear",
    "secret_missing": "A secret that it needs is not set, or not given out",
    "secret_refused": "This workflow may not use a secret that it needs",
    "secret_unreadable": "Where a secret is kept could not be asked",
    "secret_unusable": "A secret that it needs cannot be used",
    "segments_died": "The bot broke down at this point again and again",
    "statement_refused": "The database refused the statement",
    "stopped": "The program was stopped when its time was over",
    "storage": "The database of the log refused it",
    "timeout": "No answer came in time",
    "too_deep": "Workflows start each other too deep within one another",
    "too_large": "The answer was too long",
    "too_many_items": "The loop would go over too many items",
    "unanswered": "Nobody answered the question in time",
    "uncountable": "A budget of the policy cannot say how much it takes",
    "undeliverable": "The people who decide could not be shown the question",
    "unexpected_answer": "The answer does not look as the workflow says",
    "unknown_database": "The policy knows no such database",
    "unknown_folder": "The policy knows no such folder",
    "unknown_outcome": "Nobody knows for certain what became of it",
    "unknown_person": "Slack knows no such person",
    "unknown_program": "The policy knows no such program",
    "unknown_service": "The policy knows no such service",
    "unknown_version": "The version is not there, or its text was altered",
    "unreachable": "It could not be reached",
    "unusable_address": "The address of the database cannot be used",
    "verification_failed": "It was done, and the change does not show",
    "verification_unknown": "It was done, and whether the change shows could not be read",
}
_STATUS = re.compile(r"http_(\d{3})")
_EXIT = re.compile(r"exit_(-?\d+)")
_SIGNAL = re.compile(r"signal_(\d+)")
_CHILD = re.compile(r"child_(\w+)")


def error_words(error_class: str) -> str:
    """Return what an error class means; one this release does not know is named as it is."""
    if found := _STATUS.fullmatch(error_class):
        return f"The service answered {found.group(1)}"
    if found := _EXIT.fullmatch(error_class):
        return f"The program ended with {found.group(1)}"
    if found := _SIGNAL.fullmatch(error_class):
        return f"The program was ended by signal {found.group(1)}"
    if found := _CHILD.fullmatch(error_class):
        return f"The run that it started ended {found.group(1)}"
    return _WORDS.get(error_class) or error_class.replace("_", " ").strip() or "It failed"


def answered(error_class: str) -> str:
    """Say of an effect in doubt which answer left it so; nothing if there was none."""
    found = _STATUS.fullmatch(error_class)
    if found is None:
        return ""
    return f"the service answered {found.group(1)}, which does not say whether it was done"


MOST_NAMED = 5


@dataclass(frozen=True, slots=True, kw_only=True)
class SoFar:
    """What was tried of a step that stopped, and the steps with which its run changed something.

    Without `is_known` this release cannot say what was changed.
    """

    tries: int
    final: Sequence[str] = ()
    undoable: Sequence[str] = ()
    unclear: Sequence[str] = ()
    called: Sequence[str] = ()
    is_known: bool = True

    @property
    def words(self) -> str:
        """Return it in one line, such as `tried 5 times; cannot be undone: pay`."""
        tried = f"tried {plural(self.tries, 'time')}" if self.tries else "not tried"
        if not self.is_known:
            return f"{tried}; what the run has changed cannot be told here"
        headings = {
            "cannot be undone": self.final,
            "can be undone": self.undoable,
            "may have happened": self.unclear,
            "whatever their own runs did stays": self.called,
        }
        told = [f"{heading}: {_names(some)}" for heading, some in headings.items() if some]
        return "; ".join([tried, *(told or ["the run has changed nothing so far"])])


def _names(steps: Sequence[str]) -> str:
    more = len(steps) - MOST_NAMED
    return ", ".join([*steps[:MOST_NAMED], *([f"{more} more"] if more > 0 else [])])
