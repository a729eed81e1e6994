"""The people of a soak. Some of what they ask for must be refused at the door."""

from bench.trial.crowd import takes_back
from bench.trial.engine_crowd import LOST, EngineCrowd
from bench.trial.life import PATIENCE, RefusedError
from bench.trial.wish import Wish
from workflows.run import StepState

AT_ONCE = 40
LONGEST_KEY = 200


class SoakCrowd(EngineCrowd):
    """Starts each case, and takes a refusal for an answer."""

    def start(self, case: Wish) -> bool:
        fields = {"workflow": case.workflow, "inputs": dict(case.inputs)}
        key = case.subject[:LONGEST_KEY]
        sent = [self.ask("start", **fields, person="rita", key=key) for _ in range(case.starts)]
        for one in sent:
            try:
                one.result(PATIENCE)
            except LOST:
                return False
            except RefusedError as refusal:
                self.refusals.append(f"{case.subject[:40]}: {refusal}")
            else:
                self.accepted[case.subject] = case
        return True

    def wish(self, case: Wish, step: StepState) -> str:
        wants_back = case.workflow == "change-record" and not takes_back(step)
        return "undo" if wants_back else super().wish(case, step)
