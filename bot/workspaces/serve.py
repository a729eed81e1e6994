"""`interlock serve` for many workspaces: takes the right to serve, then runs the host."""

import logging
import os
from collections.abc import Mapping
from contextlib import ExitStack
from dataclasses import replace
from functools import partial

from bot.core import Means
from bot.logs import configure_logs
from bot.running import leave_no_core_dump, run_until, until_signalled
from bot.secret_sources.port import redactor_of
from bot.serve import require_workers
from bot.settings import Settings
from bot.workspaces.ground import Ground, Secrets
from bot.workspaces.host import build_host
from bot.workspaces.needs import require_app
from bot.workspaces.register import opened_register
from storage.lock_file import ServeLock

log = logging.getLogger(__name__)


def serve_workspaces(
    settings: Settings,
    environment: Mapping[str, str] = os.environ,
    *,
    continues_runs: bool = True,
) -> None:
    """Serve every workspace in which the app is installed, until SIGTERM or SIGINT.

    Raises:
        SettingsError: something is missing, or the address cannot be had.
        HeldElsewhereError: another process serves this home.
        StorageError, SecretError: the register cannot be opened.
        BrokenDownError: nothing can be received any more.
    """
    require_app(settings)
    require_workers(settings, continues_runs=continues_runs)
    environment, means = dict(environment), Means()
    # Found in the environment, Bolt would keep tokens in files of its own for every app it makes.
    for name in ("SLACK_CLIENT_ID", "SLACK_CLIENT_SECRET"):
        os.environ.pop(name, None)
    secrets = Secrets(redactor_of(settings.tokens))
    configure_logs(settings.log_level, secrets, form=settings.log_format)
    leave_no_core_dump()
    with ExitStack() as stack:
        stopping = stack.enter_context(until_signalled())
        stack.enter_context(ServeLock.take(settings.home, now=means.clock()))
        register = stack.enter_context(opened_register(settings, now=means.clock))
        ground = Ground(
            settings=settings,
            environment=environment,
            register=register,
            means=replace(means, is_stopping=stopping.is_set),
            continues_runs=continues_runs,
            secrets=secrets,
        )
        host = build_host(ground)
        run_until(
            stopping,
            host.parts,
            problem=host.problem,
            begun=partial(_tell, settings),
            grace=settings.stop_grace,
        )
    log.info("stopped")


def _tell(settings: Settings) -> bool:
    log.info("serving many workspaces", extra={"home": str(settings.home)})
    return True
