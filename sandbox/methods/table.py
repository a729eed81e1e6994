"""The table of Web API methods: what each takes, needs and costs, and who performs it."""

from collections.abc import Callable
from dataclasses import dataclass

from sandbox.hub import Hub
from sandbox.loose import Json

Perform = Callable[[Hub, Json], Json]
# Every method takes these; Bolt's context client sends `team_id` along with everything.
ALWAYS = frozenset({"token", "team_id"})
JSON_ARGUMENTS = frozenset(
    {"blocks", "attachments", "metadata", "view", "files", "unfurls", "outputs"}
)
FLAGS = frozenset(
    {
        "as_user",
        "exclude_archived",
        "include_all_metadata",
        "include_count",
        "include_disabled",
        "include_locale",
        "include_num_members",
        "include_users",
        "inclusive",
        "link_names",
        "mrkdwn",
        "prevent_creation",
        "reply_broadcast",
        "return_im",
        "unfurl_links",
        "unfurl_media",
    }
)
NUMBERS = frozenset({"limit", "length", "post_at"})


@dataclass(frozen=True, slots=True, kw_only=True)
class Method:
    """One method; `tier` None means Slack gives it a limit of its own."""

    name: str
    perform: Perform
    required: frozenset[str]
    optional: frozenset[str]
    scopes: frozenset[str]
    tier: int | None
    app_token: bool
    posts: bool
    public: bool  # Without a token: the app shows its own id and secret.


METHODS: dict[str, Method] = {}


def method(
    name: str,
    *,
    required: str = "",
    optional: str = "",
    scopes: str = "",
    tier: int | None = None,
    app_token: bool = False,
    posts: bool = False,
    public: bool = False,
) -> Callable[[Perform], Perform]:
    """Enter a function into the table; `scopes` lists alternatives, any one is enough."""

    def enter(perform: Perform) -> Perform:
        METHODS[name] = Method(
            name=name,
            perform=perform,
            required=frozenset(required.split()),
            optional=frozenset(optional.split()),
            scopes=frozenset(scopes.split()),
            tier=tier,
            app_token=app_token,
            posts=posts,
            public=public,
        )
        return perform

    return enter
