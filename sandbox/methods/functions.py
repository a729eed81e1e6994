"""`functions.*`: what a Workflow Builder workflow is told that waits at one of the app's steps."""

from sandbox.errors import SlackError
from sandbox.hub import Hub
from sandbox.loose import Json
from sandbox.methods.table import method
from sandbox.records import Execution
from sandbox.steps import declared
from sandbox.steps import needed as needed_of


def _running(hub: Hub, arguments: Json) -> Execution:
    execution = hub.state.executions.get(arguments["function_execution_id"])
    if execution is None:
        raise SlackError("function_execution_not_found")
    if execution.state != "running":
        raise SlackError("execution_not_in_running_state")
    return execution


@method("functions.completeSuccess", required="function_execution_id outputs", tier=3)
def complete_success(hub: Hub, arguments: Json) -> Json:
    """Let the workflow go on with these outputs, which have to be those that are declared."""
    execution, outputs = _running(hub, arguments), arguments["outputs"]
    step = hub.app.functions[execution.callback_id]
    known, needed = declared(step, "output_parameters"), needed_of(step, "output_parameters")
    if not isinstance(outputs, dict) or outputs.keys() - known.keys() or needed - outputs.keys():
        raise SlackError("parameter_validation_failed", [f"[ERROR] outputs are {sorted(known)}"])
    execution.state, execution.outputs = "completed", outputs
    hub.state.changed("step", execution=execution.id)
    return {}


@method("functions.completeError", required="function_execution_id error", tier=3)
def complete_error(hub: Hub, arguments: Json) -> Json:
    """Stop the workflow; whoever answers for it is told why."""
    execution = _running(hub, arguments)
    execution.state, execution.error = "failed", str(arguments["error"])
    hub.state.changed("step", execution=execution.id)
    return {}
