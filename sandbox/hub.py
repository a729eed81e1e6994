"""What every part of the sandbox is handed: the records, the recorder, rates and the courier."""

from dataclasses import dataclass

from sandbox.delivery.courier import Courier
from sandbox.delivery.sockets import Sockets
from sandbox.faults import Faults
from sandbox.rates import Rates
from sandbox.recorder import Recorder
from sandbox.settings import AppSettings, SandboxSettings
from sandbox.state import State


@dataclass(frozen=True, slots=True, kw_only=True)
class Hub:
    """One sandbox, its parts by name."""

    state: State
    recorder: Recorder
    rates: Rates
    faults: Faults
    courier: Courier
    sockets: Sockets

    @property
    def settings(self) -> SandboxSettings:
        """How this sandbox is set up."""
        return self.state.settings

    @property
    def app(self) -> AppSettings:
        """The installed app."""
        return self.state.settings.app


def build_hub(settings: SandboxSettings) -> Hub:
    """Put an empty sandbox together."""
    state = State(settings)
    recorder = Recorder(settings.clock)
    faults = Faults(seed=settings.seed)
    courier = Courier(state, recorder, faults)
    sockets = Sockets(state, recorder, courier)
    courier.transport = sockets
    return Hub(
        state=state,
        recorder=recorder,
        rates=Rates(settings.rate_scale, settings.clock),
        faults=faults,
        courier=courier,
        sockets=sockets,
    )
