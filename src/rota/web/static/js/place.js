// What somebody has made of a part of a page without changing what it says: what is open and scrolled, where the focus
// is, to which row the keys have led. It stays when the part is put anew.

// Prepares the new part, and returns what is to be done once it is in its place.
export function keepPlace(before, after) {
  keepOpen(before, after);
  keepRow(before, after);
  const focused = before.contains(document.activeElement) ? likeness(document.activeElement) : null;
  const scrolled = [before, ...before.querySelectorAll("[id]")]
    .filter((element) => element.id && (element.scrollTop || element.scrollLeft))
    .map((element) => [element.id, element.scrollLeft, element.scrollTop]);
  return () => {
    for (const [id, left, top] of scrolled) document.getElementById(id)?.scrollTo(left, top);
    if (focused) after.querySelector(focused)?.focus({ preventScroll: true });
  };
}

function keepOpen(before, after) {
  for (const details of before.querySelectorAll("details[id]")) {
    after.querySelector(`#${CSS.escape(details.id)}`)?.toggleAttribute("open", details.open);
  }
}

function keepRow(before, after) {
  const link = before.querySelector("[data-row].here a[href]");
  if (link) after.querySelector(`[data-row] ${withAttribute("a", "href", link)}`)?.closest("[data-row]").classList.add("here");
}

// Returns how to find the same element again, or nothing.
function likeness(element) {
  if (element.id) return `#${CSS.escape(element.id)}`;
  if (element.matches("a[href]")) return withAttribute("a", "href", element);
  if (element.matches("summary") && element.parentElement.id) return `#${CSS.escape(element.parentElement.id)} > summary`;
  const form = element.matches("button") ? element.closest("form[action]") : null;
  return form ? `${withAttribute("form", "action", form)} button` : null;
}

function withAttribute(tag, name, element) {
  return `${tag}[${name}="${CSS.escape(element.getAttribute(name))}"]`;
}
