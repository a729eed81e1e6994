// What the tables of a pack say: the columns of each, and from which fields of which kinds.

const spaced = (text) => text.split(/\s+/);

// What each report says beside what it repeats of an entry.
export const CELLS = {
  population: spaced("workflow version trigger begun outcome ended ended_ts entries requests decisions"),
  approvals: spaced("request step decision stage have need rules policy asked asked_ts seconds stands_for via step_up"),
  sod: spaced("request decision requester requester_who stands_for excluded overlap wanted wanted_by refused"),
  exceptions: spaced("exception step request detail review_by review verdict reviewer reviewed_ts"),
  changes: spaced("subject before after by_run detail"),
  retention: spaced("event subject term due before n reason policy by_run"),
  ai: spaced("purpose provider model template answered finish tokens_in tokens_out cost_micro decision decided decided_by"),
};

// Of each change: the fields that name what changed, what was before, what is after, and more. Of
// several the first that is there counts.
export const CHANGED = {
  "workflow.published": ["workflow", "", "version", "owner"],
  "workflow.activated": ["workflow", "replaces", "version", "level"],
  "workflow.retired": ["workflow", "version", "", "reason"],
  "workflow.level_changed": ["workflow", "from", "to", "reason"],
  "policy.changed": ["name", "before", "after", ""],
  "role.granted": ["to", "", "role", "scope"],
  "role.revoked": ["to", "role", "", "scope"],
  "key.add": ["role", "", "vkey pk", "holder"],
  "key.retire": ["id", "id", "", ""],
  "key.revoke": ["id", "id", "", "from"],
  "token.created": ["token", "", "owner", "expires"],
  "token.revoked": ["token", "token", "", ""],
  "secret.set": ["secret", "", "version", ""],
  "secret.rotated": ["secret", "", "version", ""],
  "secret.forgotten": ["secret", "version", "", ""],
  "schedule.set": ["schedule", "", "version", "workflow"],
  "schedule.paused": ["schedule", "", "", "workflow"],
  "schedule.resumed": ["schedule", "", "", "workflow"],
  "schedule.deleted": ["schedule", "", "", "workflow"],
  "step_up.enrolled": ["person", "", "enrolment", ""],
  "step_up.confirmed": ["person", "replaces", "enrolment", ""],
  "step_up.reset": ["person", "enrolment", "", "reason"],
};

// What an exception is called, in a run and outside of all, and the fields that tell more of it.
export const ODD_IN_RUNS = {
  "approval.expired": ["expired", ""],
  "action.in_doubt": ["in-doubt", "cause"],
  "verification.failed": ["verification-failed", "check"],
  "verification.unknown": ["verification-unknown", "check"],
  "run.moved": ["moved", "to"],
};
export const ODD_OUTSIDE = {
  "schedule.missed": ["missed", "schedule"],
  "proposal.refused": ["proposal-refused", "why wanted workflow"],
  "step_up.refused": ["code-refused", "why"],
  "outbox.delivery_failed": ["undelivered", "error_class"],
};
export const REMOVALS = new Set(["retention.sweep", "erasure", "hold.set", "hold.lifted"]);

// Whose rows are known in full; a kind that is not among them may have rows of a later release.
export const KNOWN_KINDS = new Set([
  ...Object.keys({ ...CHANGED, ...ODD_IN_RUNS, ...ODD_OUTSIDE }),
  ...REMOVALS,
  ...spaced(`run.started run.finished run.cancelled approval.requested approval.edited approval.granted
    approval.denied approval.refused break_glass.used break_glass.reviewed action.intended
    action.executed action.failed action.resolved model.asked model.answered service.started
    verify.run`),
]);
