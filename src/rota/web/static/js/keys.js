// Keys: `/` searches, `?` helps, `g` and a letter goes somewhere, `j` and `k` walk through a list, Enter opens.
const ROOMS = { d: "/", j: "/jobs", r: "/runs", h: "/hosts" };
const PATIENCE = 1500;
let going = 0;

export function listenToKeys() {
  const help = document.querySelector("[data-help-text]");
  for (const button of document.querySelectorAll("[data-help]")) {
    button.hidden = false;
    button.addEventListener("click", () => help.showModal());
  }
  document.addEventListener("keydown", (event) => {
    if (event.ctrlKey || event.metaKey || event.altKey || isTyping(event.target) || help.open) return;
    const deed = deedOf(event.key, help);
    if (deed) {
      event.preventDefault();
      deed();
    }
  });
}

function deedOf(key, help) {
  if (Date.now() - going < PATIENCE && ROOMS[key]) return () => location.assign(ROOMS[key]);
  going = 0;
  const search = document.querySelector("[data-search]");
  if (key === "/" && search) return () => (search.focus(), search.select());
  if (key === "?") return () => help.showModal();
  if (key === "g") return () => (going = Date.now());
  if (key === "j") return () => walk(1);
  if (key === "k") return () => walk(-1);
  const here = document.querySelector(".here a[href]");
  return key === "Enter" && here && !document.activeElement.matches("a, button, summary") ? () => here.click() : null;
}

function walk(step) {
  const rows = [...document.querySelectorAll("[data-row]")];
  if (rows.length === 0) return;
  const at = rows.findIndex((row) => row.classList.contains("here"));
  const next = at < 0 ? (step > 0 ? 0 : rows.length - 1) : Math.min(Math.max(at + step, 0), rows.length - 1);
  rows[at]?.classList.remove("here");
  rows[next].classList.add("here");
  rows[next].scrollIntoView({ block: "nearest" });
}

function isTyping(element) {
  return element.matches("input:not([type=checkbox]), select, textarea") || element.isContentEditable;
}
