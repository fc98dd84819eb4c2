// Shows what a job means while somebody writes it: the form is sent, and the server's words are put in place.
const PAUSE = 300;
const form = document.querySelector("[data-preview]");
let timer = null;
let asking = null;

function soon() {
  clearTimeout(timer);
  timer = setTimeout(ask, PAUSE);
}

async function ask() {
  asking?.abort();
  asking = new AbortController();
  try {
    const answer = await fetch(form.dataset.preview, {
      method: "POST",
      headers: { Accept: "text/html" },
      body: new URLSearchParams(new FormData(form)),
      signal: asking.signal,
    });
    if (answer.ok) put(await answer.text());
    else tell(`The server answers with ${answer.status}; what is written here is not lost.`);
  } catch (error) {
    if (error.name !== "AbortError") tell("No answer from rota just now; what is written here is not lost.");
  }
}

// The place itself stays, and only what is in it changes, so that it is read out.
function put(text) {
  const after = new DOMParser().parseFromString(text, "text/html").getElementById("preview");
  const place = document.getElementById("preview");
  place.replaceChildren(...[...after.childNodes].map((node) => document.adoptNode(node)));
}

function tell(text) {
  const words = document.createElement("p");
  words.className = "fault";
  words.textContent = text;
  document.getElementById("preview").replaceChildren(words);
}

form.addEventListener("input", soon);
form.addEventListener("change", soon);
for (const button of form.querySelectorAll("[data-by-hand]")) button.hidden = true;

// The first page of a browser is made before its zone is known.
const zone = form.querySelector("[data-viewers-zone]");
const mine = Intl.DateTimeFormat().resolvedOptions().timeZone;
if (zone && mine && zone.value !== mine) {
  zone.value = mine;
  soon();
}
