// Shows what a run writes while it writes it. The stream of events only tells that there is more: the lines come from
// the server, made by the template that makes the page, and are put below those that are there.
//
// A line that has no end yet is marked; the server is asked again from its beginning, and it is replaced. So nothing is
// shown twice and nothing is left out, however the pieces come.
import { refreshSoon } from "./fresh.js";

const AT_MOST_EVERY = 300;
const KEEP = 2000; // lines: a browser with a million of them is of no use to anybody
const NEAR = 40; // pixels: who is so close to the end wants to stay there

let section, stream, following;
const busy = new Map(); // by stream: whether to ask once more

function begin(found) {
  section = found;
  following = section.querySelector("[data-follow] input");
  const live = section.dataset.output === "live";
  section.querySelector("[data-follow]").hidden = !live;
  const isElsewhere = section.dataset.find !== "" || location.hash.length > 1;
  following.checked = !isElsewhere && lists().every((list) => "atEnd" in list.dataset);
  following.addEventListener("change", toEnd);
  for (const paper of section.querySelectorAll(".paper")) paper.addEventListener("scroll", () => scrolled(paper));
  toEnd();
  const wanted = section.querySelector(".lines .current") ?? document.getElementById(location.hash.slice(1));
  if (wanted?.matches(".lines li")) wanted.scrollIntoView({ block: "center" });
  if (live && !document.hidden) listen();
}

const lists = () => [...section.querySelectorAll("[data-stream]")];

function listen() {
  const { run, attempt } = section.dataset;
  const [out, err] = ["stdout", "stderr"].map((name) => lists().find((list) => list.dataset.stream === name)?.dataset.next ?? 0);
  const place = attempt === "0" ? "" : `?after=${attempt}:${out}:${err}`;
  stream = new EventSource(`/api/v1/runs/${run}/output/live${place}`);
  const on = (name, deed) => stream.addEventListener(name, (event) => deed(JSON.parse(event.data)));
  on("attempt", (data) => String(data.attempt) === section.dataset.attempt || renew());
  on("output", (data) => more(data.stream));
  on("dropped", (data) => (data.bytes === 0 ? renew() : more(data.stream)));
  on("given_back", renew);
  on("state", refreshSoon);
  on("end", finish);
}

function rest() {
  stream?.close();
  stream = null;
}

async function finish() {
  rest();
  await Promise.all(lists().map((list) => more(list.dataset.stream)));
  section.querySelector("[data-follow]").hidden = true;
  refreshSoon();
}

// Takes the whole section anew: another attempt has begun, or what was there before is true no more.
async function renew() {
  rest();
  const answer = await fetch(location.href, { headers: { Accept: "text/html" } });
  const page = new DOMParser().parseFromString(await answer.text(), "text/html");
  const found = page.querySelector("[data-output]");
  if (!answer.ok || !found) return refreshSoon();
  section.replaceWith(document.adoptNode(found));
  begin(found);
}

async function more(name) {
  const list = lists().find((each) => each.dataset.stream === name);
  if (!list || !("atEnd" in list.dataset)) return;
  if (busy.has(list)) return busy.set(list, true);
  busy.set(list, true);
  try {
    while (busy.get(list)) {
      busy.set(list, false);
      await take(list);
      if (stream) await new Promise((done) => setTimeout(done, AT_MOST_EVERY));
    }
  } catch {
    refreshSoon(); // which says that there is no answer, and when there is one again
  } finally {
    busy.delete(list);
  }
}

async function take(list) {
  let lines = await ask(list, { from: list.dataset.next, number: list.dataset.number });
  if ("more" in lines.dataset && following.checked) {
    lines = await ask(list, {}); // it writes faster than anybody reads: on with its end
    list.replaceChildren();
    trimmed(list);
  }
  list.querySelector("[data-open]")?.remove();
  list.append(...[...lines.children].map((line) => document.adoptNode(line)));
  Object.assign(list.dataset, { next: lines.dataset.next, number: lines.dataset.number });
  if ("more" in lines.dataset) busy.set(list, true);
  while (list.children.length > KEEP) {
    list.firstElementChild.remove();
    trimmed(list);
  }
  if (list.children.length) {
    section.querySelector(".empty")?.remove();
    list.parentElement.querySelector(".nothing")?.remove();
  }
  toEnd();
}

async function ask(list, place) {
  const { run, attempt, find } = section.dataset;
  const query = new URLSearchParams({ attempt, stream: list.dataset.stream, find, ...place });
  const answer = await fetch(`/runs/${run}/lines?${query}`, { headers: { Accept: "text/html" } });
  if (!answer.ok) throw new Error(`the lines are answered with ${answer.status}`);
  return new DOMParser().parseFromString(await answer.text(), "text/html").querySelector(".lines");
}

const trimmed = (list) => (list.closest(".stream").querySelector("[data-trimmed]").hidden = false);

function scrolled(paper) {
  const isAtEnd = paper.scrollHeight - paper.scrollTop - paper.clientHeight < NEAR;
  if (!isAtEnd && paper.matches(":hover, :focus, :focus-within")) following.checked = false;
}

function toEnd() {
  if (!following.checked) return;
  for (const paper of section.querySelectorAll(".paper")) paper.scrollTop = paper.scrollHeight;
}

document.addEventListener("visibilitychange", () => {
  if (document.hidden) rest();
  else if (section.dataset.output === "live" && !stream) renew();
});
addEventListener("hashchange", () => (following.checked = false)); // somebody wants to look at one line
begin(document.querySelector("[data-output]"));
