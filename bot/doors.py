"""The doors of a bot: where Slack delivers, and where programs and webhooks come in.

Each is imported only where it is wanted: Socket Mode does without a server, and HTTP without it.
"""

import logging
from typing import TYPE_CHECKING

from slack_bolt import App
from slack_sdk import WebClient

from bot.core import Core
from bot.watching import Watching

if TYPE_CHECKING:
    from bot.http import HttpServer
    from bot.http_routes import Programs
    from bot.socket_mode import Sockets

log = logging.getLogger(__name__)


def receiver_of(
    app: App, core: Core, web_client: WebClient, watching: Watching
) -> "Sockets | HttpServer":
    """Return what Slack delivers to: Socket Mode or HTTP, whichever the settings choose."""
    settings, takes = core.settings, watching.timed(app)
    if settings.http:
        from bot.http import HttpServer  # noqa: PLC0415 - a server that Socket Mode does not need.

        host, port = settings.http_address
        programs = programs_of(core) if settings.api == settings.http else None
        more = watching.routes(settings.http)
        secret = settings.signing_secret.get_secret_value() if settings.signing_secret else ""
        return HttpServer(
            takes, host=host, port=port, signing_secret=secret, programs=programs, more=more
        )
    from bot.socket_mode import Sockets  # noqa: PLC0415 - what HTTP does not need.

    token = settings.app_token.get_secret_value() if settings.app_token else ""
    sockets = Sockets(app, app_token=token, web_client=web_client, takes=takes)
    watching.readiness.watch("slack", sockets.unconnected)
    return sockets


def api_of(core: Core, watching: Watching) -> "HttpServer | None":
    """Return the address that programs have of their own, None where they have none."""
    settings = core.settings
    if not settings.api and core.policy.webhooks:
        log.warning("INTERLOCK_API is not set, so no webhook is taken")
    if not settings.api or settings.api == settings.http:
        return None
    from bot.http import HttpServer  # noqa: PLC0415 - as above.

    host, port = settings.api_address
    return HttpServer(
        None,
        host=host,
        port=port,
        programs=programs_of(core),
        more=watching.routes(settings.api),
        setting="INTERLOCK_API",
    )


def programs_of(core: Core) -> "Programs":
    """Return what programs and webhooks reach of a bot."""
    from bot.api import Api  # noqa: PLC0415 - as above.
    from bot.hooks import Hooks  # noqa: PLC0415 - as above.
    from bot.http_routes import Programs  # noqa: PLC0415 - as above.
    from bot.polls import Polls  # noqa: PLC0415 - as above.

    polls = Polls()
    core.store.on_moved(polls.moved)
    return Programs(api=Api(core), hooks=Hooks(core), polls=polls)
