"""What every part of the sandbox is handed: the records, the recorder, rates and the courier."""

from dataclasses import dataclass

from sandbox.cluster import Cluster
from sandbox.delivery.courier import Courier
from sandbox.delivery.sockets import Sockets
from sandbox.faults import Faults
from sandbox.rates import Rates
from sandbox.recorder import Recorder
from sandbox.settings import AppSettings, SandboxSettings
from sandbox.state import State


@dataclass(frozen=True, slots=True, kw_only=True)
class Hub:
    """One workspace of the sandbox, its parts by name."""

    state: State
    recorder: Recorder
    rates: Rates
    faults: Faults
    courier: Courier
    sockets: Sockets
    cluster: Cluster

    @property
    def connections(self) -> int:
        """How many sockets the app holds; one where it is reached over HTTP."""
        over_sockets = self.courier.transport in {None, self.sockets}
        return self.sockets.connected if over_sockets else 1

    @property
    def settings(self) -> SandboxSettings:
        """How this sandbox is set up."""
        return self.state.settings

    @property
    def app(self) -> AppSettings:
        """The installed app."""
        return self.state.settings.app


def build_hub(settings: SandboxSettings, cluster: Cluster | None = None) -> Hub:
    """Put an empty workspace together, as one more of `cluster` if that is given."""
    cluster = cluster or Cluster()
    state = State(settings)
    recorder = Recorder(settings.clock)
    faults = Faults(seed=settings.seed)
    courier = Courier(state, recorder, faults)
    sockets = Sockets(state, recorder, courier)
    courier.transport = sockets
    made = Hub(
        state=state,
        recorder=recorder,
        rates=Rates(settings.rate_scale, settings.clock),
        faults=faults,
        courier=courier,
        sockets=sockets,
        cluster=cluster,
    )
    cluster.hubs.append(made)
    return made
