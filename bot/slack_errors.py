"""What may come of a call to Slack when it is not an answer: four cases, told apart once.

Refused, slowed down, not reached, or in doubt: whoever calls decides by the class alone. The
words of Slack's error codes stand here and nowhere else.
"""

# Slack was reached, did nothing, and may do it later.
PASSING = frozenset(
    {
        "accesslimited",
        "external_channel_migrating",
        "request_timeout",
        "service_unavailable",
        "team_added_to_org",
    }
)
# The token or the app has to be put right by a person; the message itself is fine.
SETTINGS = frozenset(
    {
        "access_denied",
        "account_inactive",
        "app_missing_action_url",
        "ekm_access_denied",
        "enterprise_is_restricted",
        "invalid_auth",
        "missing_scope",
        "no_permission",
        "not_allowed_token_type",
        "not_authed",
        "org_login_required",
        "token_expired",
        "token_revoked",
        "two_factor_setup_required",
    }
)
# Calls that the bot does without where an older installation lacks their scope, files:write.
SPARED = frozenset({"files.getUploadURLExternal", "files.completeUploadExternal"})
# Ours: the bytes of a file did not get to the address that Slack gave for them.
NOT_UPLOADED = "not_uploaded"
SLOWED = frozenset({"ratelimited", "rate_limited", "message_limit_exceeded"})
# A failure inside Slack: part of the work may have been done before it was raised.
DOUBTFUL = frozenset({"fatal_error", "file_update_failed", "internal_error", "update_failed"})


class SlackError(Exception):
    """A call to Slack that brought no answer; `method` is the call, `code` why."""

    def __init__(self, method: str, code: str, *, detail: str = "") -> None:
        super().__init__(f"{method}: {code}" + (f" ({detail})" if detail else ""))
        self.method = method
        self.code = code
        self.detail = detail


class RefusedError(SlackError):
    """Slack understood and said no; the same call would be refused again."""


class UnreadyError(SlackError):
    """Certainly nothing was done: not reached, or the token must be put right first."""

    @property
    def needs_a_person(self) -> bool:
        """Whether waiting alone does not help."""
        return self.code in SETTINGS

    @property
    def is_spared(self) -> bool:
        """Whether what is missing is a scope that the bot does without."""
        return self.code == "missing_scope" and self.method in SPARED


class RateLimitedError(SlackError):
    """Nothing was done; the method may be called again after `after` seconds."""

    def __init__(self, method: str, code: str, *, after: float) -> None:
        super().__init__(method, code, detail=f"again in {after:g} s")
        self.after = after


class LostAnswerError(SlackError):
    """In doubt: the call may have been carried out, its answer never came."""


def says_no(error: SlackError) -> bool:
    """Say whether Slack was reached and the token, the app or the call is what it objects to."""
    return isinstance(error, RefusedError) or (
        isinstance(error, UnreadyError) and error.needs_a_person
    )


def of_code(method: str, code: str, *, detail: str = "", after: float = 1.0) -> SlackError:
    """Return the error for an answer `ok: false` with this code."""
    if code in SLOWED:
        return RateLimitedError(method, code, after=after)
    if code in DOUBTFUL:
        return LostAnswerError(method, code, detail=detail)
    if code in PASSING or code in SETTINGS:
        return UnreadyError(method, code, detail=detail)
    return RefusedError(method, code, detail=detail)
