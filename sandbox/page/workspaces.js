// Whose Slack this is, and the way to the other workspaces of this sandbox.

import { el, show } from "./dom.js";

export function updateWorkspaces(parent, { team, workspaces }) {
  const mark = JSON.stringify([team, workspaces]);
  if (parent.dataset.mark === mark) return; // A menu that somebody has open stays as it is.
  parent.dataset.mark = mark;
  show(parent, name(team, workspaces), el("span", { class: "quiet" }, "Sandbox: a Slack for this machine"));
}

function name(team, workspaces) {
  if (workspaces.length < 2) return el("strong", {}, team.name);
  const change = (event) => location.assign(event.target.value);
  return el("select", { "aria-label": "Workspace", on: { change } }, workspaces.map((one) => option(one, team)));
}

function option({ id, name: title, url }, team) {
  return el("option", { value: url, selected: id === team.id }, title);
}
