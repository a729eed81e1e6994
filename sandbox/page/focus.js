// Where the keyboard is while things open and close: in what was opened, then back where it was.

// Remember where the keyboard is. The node may be drawn anew meanwhile, so its message is kept too.
export function place() {
  const node = document.activeElement;
  return { node, line: node?.closest?.(".message")?.id, label: labelOf(node) };
}

// Bring the keyboard back: to the same control, to its successor, to its message, or to where
// a person types next.
export function comeBack(from) {
  if (from?.node?.isConnected && from.node !== document.body) return from.node.focus();
  const line = from?.line && document.getElementById(from.line);
  const heir = line && [...line.querySelectorAll("button")].find((one) => labelOf(one) === from.label);
  (heir || line || document.querySelector("#place .composer textarea"))?.focus({ preventScroll: true });
}

function labelOf(node) {
  return node?.getAttribute?.("aria-label") ?? node?.textContent;
}

let opener = null;

// A thread that somebody opened takes the keyboard, and gives it back when it closes.
export function followThread(pane, isOpen, wasOpen) {
  if (isOpen && !wasOpen && document.activeElement?.closest("#place")) {
    opener = place();
    (pane.querySelector(".composer textarea:not(:disabled)") ?? pane.querySelector(".lines"))?.focus();
  }
  if (!isOpen && wasOpen && opener) {
    if (document.activeElement === document.body || pane.contains(document.activeElement)) comeBack(opener);
    opener = null;
  }
}
