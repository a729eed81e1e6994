// What entries and faults mean, in words for people.

const short = (text) => String(text).slice(0, 8);
const place = (data) => (data.for ? " in the place of somebody who is away" : "");

const KINDS = {
  "run.started": (data) => `started ${data.workflow} by ${data.trigger}, version ${short(data.version)}`,
  "run.moved": (data) => `put on version ${short(data.to)} instead of ${short(data.from)}; approvals so far are void`,
  "run.finished": (data) => `the run ended: ${data.outcome}`,
  "run.cancelled": (data) => `the run was cancelled: ${data.reason}`,
  "step.observed": (data) => `${data.step}: read with ${data.action}, ${data.outcome}`,
  "decision.made": (data) => `${data.step}: ${data.decision} (${data.rule})`,
  "approval.requested": (data) => `${data.step}: put to ${asked(data)}`,
  "approval.granted": (data) => `approved${place(data)}, ${data.have} of ${data.need}`,
  "approval.denied": (data) => `rejected${place(data)}`,
  "approval.expired": () => "the request expired; the step does not run",
  "approval.withdrawn": (data) => `the request was withdrawn: ${data.reason}`,
  "approval.edited": () => "changed the values; approvals so far are void",
  "approval.escalated": () => "more people may decide from now on",
  "approval.reminded": () => "the approvers were reminded",
  "break_glass.used": (data) => `${data.step}: broke the glass and decided alone`,
  "action.intended": (data) => `${data.step}: about to do ${data.action} on ${data.target}`,
  "action.executed": (data) => `${data.step}: done in ${data.ms} ms`,
  "action.failed": (data) => `${data.step}: failed (${data.error_class})`,
  "action.in_doubt": (data) => `${data.step}: nobody knows if it happened (${data.cause})`,
  "action.resolved": (data) => `${data.step}: it happened: ${data.happened}`,
  "wait.started": (data) => `${data.step}: waits`,
  "wait.ended": (data) => `${data.step}: goes on`,
  "question.asked": (data) => `${data.step}: a question was asked`,
  "question.answered": (data) => `${data.step}: answered`,
  "verification.passed": (data) => `${data.step}: verified`,
  "verification.failed": (data) => `${data.step}: the verification failed`,
  "verification.unknown": (data) => `${data.step}: could not be verified`,
};

const FAULTS = {
  "leaf-mismatch": "This entry was changed, moved or put in after the log was signed.",
  "not-canonical": "This line was not written by the log.",
  "entry-malformed": "This line is no entry of a log.",
  "wrong-log": "Something here belongs to another log.",
  "duplicate-id": "An entry was repeated.",
  "index-row": "The readable table was changed; it no longer says what was signed.",
  "tree-state": "The tree of hashes was changed.",
  "range": "Entries were taken out or put in.",
  "genesis": "The log does not begin with the keys that it says.",
  "root-mismatch": "The signed head stands for another history than the one shown.",
  "truncated": "Entries at the end are missing.",
  "checkpoint-missing": "A signed head was taken away.",
  "checkpoint-malformed": "A signed head cannot be read.",
  "checkpoint-origin": "A signed head is of another log.",
  "checkpoint-signature": "A signed head was changed.",
  "checkpoint-untrusted": "A head is signed by somebody whom your key does not vouch for.",
  "key-origin": "A key is for another log.",
  "entry-key": "An entry is signed by somebody whom the log does not know.",
  "entry-key-retired": "An entry is signed with a key that had been ended before.",
  "entry-signature": "An entry is not what its writer signed.",
  "key-pop": "A key was brought in without a proof that somebody holds it.",
  "run-sequence": "An entry of a run is missing, repeated or out of order.",
  "run-chain": "An entry of a run was exchanged.",
  "part-commitment": "A payload was exchanged or changed.",
  "part-missing": "A payload was taken away without a word.",
  "part-not-erased": "A payload is here that was said to be erased.",
  "disclosure-duplicate": "A payload stands twice.",
  "disclosure-orphan": "A payload belongs to no entry.",
  "subject-ref": "Somebody else was put behind a pseudonym.",
  "file-missing": "A file was taken out of the pack.",
  "file-hash": "A file of the pack was changed.",
  "file-extra": "A file was put into the pack.",
  "manifest-signature": "The list of files was changed after it was signed.",
  "anchor": "Somebody outside vouched for another head than this log has, or a witness's line is forged.",
  "proof": "A proof in the pack proves nothing.",
  "ts-format": "An entry has a time that is none.",
};

// Return what an entry says; a kind this page does not know is named as it is.
export function wordsAbout({ kind, data }) {
  return Object.hasOwn(KINDS, kind) ? KINDS[kind](data) : kind;
}

// Return what a failure of that code means.
export function wordsForFault(code) {
  return FAULTS[code];
}

function asked({ stages }) {
  const groups = Array.isArray(stages) ? stages.flatMap((one) => one?.from ?? []) : [];
  return groups.join(", ") || "people";
}
