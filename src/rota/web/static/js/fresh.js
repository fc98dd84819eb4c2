// Keeps a page up to date: when something happens, the page is asked for again, and its parts that have changed are
// put in place. So there is one way to make a page, the server's, and nothing here that could say otherwise.
//
// A part is an element with an id and `data-live`. It is left alone while somebody types in it or has text selected in
// it. Only a page that is looked at listens: a browser has few connections to one host.
const AT_MOST_EVERY = 2000;
const AT_LEAST_EVERY = 30000;
const SOON = 250;

let stream = null;
let timer = null;
let latest = 0;
let pending = false;
let lostSince = null;

export function keepFresh({ atOnce }) {
  document.addEventListener("visibilitychange", () => (document.hidden ? rest() : wake()));
  setInterval(() => document.hidden || refresh(), AT_LEAST_EVERY);
  if (!document.hidden) listen();
  if (atOnce) refresh();
}

export function refreshSoon() {
  if (timer !== null) return;
  const wait = Math.max(SOON, latest + AT_MOST_EVERY - Date.now());
  timer = setTimeout(() => {
    timer = null;
    refresh();
  }, wait);
}

function listen() {
  const job = document.body.querySelector("[data-live-job]")?.dataset.liveJob;
  stream = new EventSource(job ? `/api/v1/events?job=${encodeURIComponent(job)}` : "/api/v1/events");
  stream.onopen = refreshSoon; // for what has happened since the page was made, or while nobody listened
  stream.onmessage = refreshSoon;
  stream.addEventListener("missed", refreshSoon);
  stream.onerror = () => {
    if (stream.readyState === EventSource.CLOSED) {
      rest();
      setTimeout(() => document.hidden || stream || listen(), AT_LEAST_EVERY / 3);
    }
    refreshSoon();
  };
}

function rest() {
  stream?.close();
  stream = null;
}

function wake() {
  if (!stream) listen();
  refresh();
}

export async function refresh() {
  if (pending) return;
  pending = true;
  latest = Date.now();
  try {
    const answer = await fetch(location.href, { headers: { Accept: "text/html" }, redirect: "manual" });
    if (answer.type === "opaqueredirect") location.reload(); // signed out meanwhile
    else if (answer.ok) put(new DOMParser().parseFromString(await answer.text(), "text/html"));
    else throw new Error(`the page is answered with ${answer.status}`);
    found();
  } catch (error) {
    lost(error);
  } finally {
    pending = false;
  }
}

function put(page) {
  for (const before of document.querySelectorAll("[data-live]")) {
    const after = page.getElementById(before.id);
    if (after && !isInUse(before) && !after.isEqualNode(before)) {
      keepOpen(before, after);
      before.replaceWith(document.adoptNode(after));
    }
  }
  document.title = page.title;
  document.dispatchEvent(new CustomEvent("rota:fresh"));
}

function isInUse(part) {
  const active = document.activeElement;
  const typing = part.contains(active) && active.matches("input, select, textarea, button, summary");
  const chosen = part.querySelector("input[type=checkbox]:checked") !== null;
  const selection = document.getSelection();
  const selected = selection && !selection.isCollapsed && part.contains(selection.anchorNode);
  return typing || chosen || selected;
}

function keepOpen(before, after) {
  for (const details of before.querySelectorAll("details[id][open]")) {
    after.querySelector(`#${CSS.escape(details.id)}`)?.setAttribute("open", "");
  }
}

function lost() {
  lostSince = lostSince ?? new Date();
  const note = document.querySelector("[data-lost]");
  note.textContent = `No answer from rota since ${lostSince.toLocaleTimeString()}; this page is older than that.`;
  note.hidden = false;
}

function found() {
  lostSince = null;
  document.querySelector("[data-lost]").hidden = true;
}
