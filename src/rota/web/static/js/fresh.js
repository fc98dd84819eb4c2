// Keeps a page up to date: when something happens, the page is asked for again, and its parts that have changed are
// put in place. So there is one way to make a page, the server's, and nothing here that could say otherwise.
//
// A part is an element with an id and `data-live`. It is left alone while somebody has typed, ticked or selected
// something in it; what is open, scrolled, focused or walked to by keys stays so. Only a page that is looked at
// listens: a browser has few connections to one host.
import { keepPlace } from "./place.js";

const AT_MOST_EVERY = 2000;
const AT_LEAST_EVERY = 30000;
const SOON = 250;
const AGAIN = 3000;
const TYPED = "You are signed out, or this page is gone. What you have typed is still here: copy it before you leave.";

let stream = null;
let timer = null;
let latest = 0;
let pending = false;
let again = false;
let asked = "";
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
    if (stream?.readyState === EventSource.CLOSED) {
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
  if (pending) {
    again = again || location.href !== asked; // somebody has moved on: what is on its way is of another page
    return;
  }
  pending = true;
  latest = Date.now();
  asked = location.href;
  try {
    const answer = await fetch(asked, { headers: { Accept: "text/html" }, redirect: "manual" });
    await take(answer);
  } catch {
    lost();
  } finally {
    pending = false;
    if (again) {
      again = false;
      refresh();
    }
  }
}

async function take(answer) {
  const gone = answer.type === "opaqueredirect" || [401, 403, 404, 410].includes(answer.status);
  if (gone) return isChanged(document) ? say(TYPED) : leave();
  if (answer.status >= 500) throw new Error(`the page is answered with ${answer.status}`);
  if (answer.ok) put(new DOMParser().parseFromString(await answer.text(), "text/html"));
  found(); // also where the page answers a form, and there is none to be asked for
}

// Somebody is signed out, or what the page shows is gone. It is asked for, and never sent again: it may answer a form.
function leave() {
  location.replace(location.pathname + location.search);
}

function put(page) {
  if (location.href !== asked) return;
  for (const before of document.querySelectorAll("[data-live]")) {
    const after = page.getElementById(before.id);
    if (!after || isInUse(before)) continue;
    const putBack = keepPlace(before, after);
    if (after.isEqualNode(before)) continue;
    before.replaceWith(document.adoptNode(after));
    putBack();
  }
  document.title = page.title;
  document.dispatchEvent(new CustomEvent("rota:fresh"));
}

function isInUse(part) {
  const active = document.activeElement;
  const typing = part.contains(active) && active.matches("input, select, textarea");
  const pressing = part.querySelector(":active") !== null;
  const selection = document.getSelection();
  const selected = selection && !selection.isCollapsed && part.contains(selection.anchorNode);
  return typing || pressing || isChanged(part) || selected;
}

function isChanged(part) {
  return [...part.querySelectorAll("input, select, textarea")].some(isFilledIn);
}

function isFilledIn(field) {
  if (field.matches("select")) {
    const meant = [...field.options].findIndex((option) => option.defaultSelected);
    return field.selectedIndex !== Math.max(meant, 0);
  }
  if (field.matches("[type=checkbox], [type=radio]")) return field.checked !== field.defaultChecked;
  return field.value !== field.defaultValue;
}

function lost() {
  lostSince = lostSince ?? new Date();
  say(`No answer from rota since ${lostSince.toLocaleTimeString()}; this page is older than that.`);
  setTimeout(() => document.hidden || refreshSoon(), AGAIN);
}

function say(words) {
  const note = document.querySelector("[data-lost]");
  if (note.textContent !== words) note.textContent = words; // once is enough for who has it read aloud
  note.hidden = false;
}

function found() {
  lostSince = null;
  document.querySelector("[data-lost]").hidden = true;
}
