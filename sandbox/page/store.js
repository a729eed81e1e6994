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

// Tabs and sessions of another workspace have the same origin, and their own path.
export function here(name) {
  return `${name} ${location.pathname}`;
}

export function watch(tell) {
  watchers.add(tell);
}

export function changed() {
  for (const tell of watchers) tell(model);
}

export async function loadEveryone() {
  const { people } = await json("sandbox/api/people");
  const first = people.find((one) => !one.bot);
  const state = await json(`sandbox/api/state?person=${encodeURIComponent(first.name)}`);
  model.everyone = state.people;
  model.groups = state.groups;
}

export async function become(name) {
  model.person = name;
  model.state = null;
  sessionStorage.setItem(here("person"), name);
  await refresh();
}

let loop = null;
let again = false;

// Fetch the picture, and once more if asked to meanwhile; resolve when it is the newest.
export function refresh() {
  again = true;
  loop ??= fetchUntilNew().finally(() => {
    loop = null;
  });
  return loop;
}

async function fetchUntilNew() {
  while (again) {
    again = false;
    await fetchPicture();
  }
}

async function fetchPicture() {
  const name = model.person;
  if (!name) return;
  try {
    const state = await json(`sandbox/api/state?person=${encodeURIComponent(name)}`);
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
    answer = await (await fetch("sandbox/api/act", { method: "POST", headers, body })).json();
  } catch {
    answer = { ok: false, error: "The sandbox does not answer.", fields: {} };
  }
  await refresh();
  return answer;
}

// Follow the sandbox's changes. A browser opens six connections to one server and no more, so
// one tab listens and tells the others; when it is closed, the next one takes its place.
export function follow() {
  if (!navigator.locks) return listen(heed);
  const others = new BroadcastChannel(here("sandbox"));
  others.onmessage = (event) => heed(event.data);
  const tell = (notice) => {
    others.postMessage(notice);
    heed(notice);
  };
  return navigator.locks.request(here("sandbox events"), () => new Promise(() => listen(tell)));
}

function listen(tell) {
  const events = new EventSource("sandbox/events");
  events.onmessage = (event) => tell(JSON.parse(event.data));
  events.onerror = () => tell({ kind: "lost" }); // The browser reconnects by itself.
}

function heed(notice) {
  if (notice.kind === "lost") {
    model.reachable = false;
    return changed();
  }
  const isKnown = model.reachable && model.state && notice.version <= model.state.version;
  return isKnown && notice.kind !== "hello" ? null : refresh();
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
