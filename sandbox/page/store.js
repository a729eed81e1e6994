// What the page knows: who the person is, what the sandbox says they see, and what they do.
// The sandbox holds the truth; after every change it announces, its picture is fetched again.

const watchers = new Set();

export const model = {
  person: null, // The name of who we are.
  state: null, // The document of sandbox/picture.py.
  everyone: [], // Who there is to be, known before anybody is chosen.
  groups: [],
  reachable: true,
  place: { channel: null, thread: null, message: null },
};

export function watch(tell) {
  watchers.add(tell);
}

export function changed() {
  for (const tell of watchers) tell(model);
}

export async function loadEveryone() {
  const { people } = await json("/sandbox/api/people");
  const first = people.find((one) => !one.bot);
  const state = await json(`/sandbox/api/state?person=${encodeURIComponent(first.name)}`);
  model.everyone = state.people;
  model.groups = state.groups;
}

export async function become(name) {
  model.person = name;
  model.state = null;
  sessionStorage.setItem("person", name);
  await refresh();
}

let running = false;
let again = false;

// Fetch the picture; calls while one is under way end in one more fetch.
export async function refresh() {
  again = true;
  if (running) return;
  running = true;
  while (again) {
    again = false;
    await fetchPicture();
  }
  running = false;
}

async function fetchPicture() {
  const name = model.person;
  if (!name) return;
  try {
    const state = await json(`/sandbox/api/state?person=${encodeURIComponent(name)}`);
    if (name !== model.person) return;
    Object.assign(model, { state, everyone: state.people, groups: state.groups, reachable: true });
  } catch {
    model.reachable = false;
  }
  changed();
}

async function json(address) {
  const answer = await fetch(address, { cache: "no-store" });
  if (!answer.ok) throw new Error(`${address}: ${answer.status}`);
  return answer.json();
}

// Do something as the person. Returns {ok, result, error, fields}; never throws.
export async function act(gesture, details) {
  const body = JSON.stringify({ person: model.person, do: gesture, with: details });
  let answer;
  try {
    const headers = { "Content-Type": "application/json" };
    answer = await (await fetch("/sandbox/api/act", { method: "POST", headers, body })).json();
  } catch {
    answer = { ok: false, error: "The sandbox does not answer.", fields: {} };
  }
  await refresh();
  return answer;
}

// Follow the sandbox's changes; the browser reconnects by itself after a break.
export function follow() {
  const events = new EventSource("/sandbox/events");
  events.onmessage = (event) => {
    const notice = JSON.parse(event.data);
    const known = model.reachable && model.state && notice.version <= model.state.version;
    if (!known || notice.kind === "hello") refresh();
  };
  events.onerror = () => {
    model.reachable = false;
    changed();
  };
}

export function person(id) {
  return model.state?.people.find((one) => one.id === id) ?? null;
}

export function channel(id) {
  return model.state?.channels.find((one) => one.id === id) ?? null;
}

export function titleOf(place) {
  if (place.kind !== "im") return place.name;
  return person(place.with)?.real_name ?? place.with;
}
