// Moves the timeline: by its links, by `+` and `-`, by the wheel with Ctrl, and by dragging. Each of them is a link to
// another span; the server draws it, and only what has changed of the page is put in place.
import { refresh } from "./fresh.js";

const FEW_PIXELS = 5;
const BEHIND = 2 / 3;
const WHEEL_RESTS = 250;

let drag = null;
let zoomed = 0;

const timeline = () => document.querySelector("[data-timeline]");
const plotOf = (target) => target.closest?.("[data-timeline] .plot");

function go(href) {
  history.pushState(null, "", href);
  refresh();
}

function zoom(step) {
  const ways = [...timeline().querySelectorAll("[data-zoom]")];
  const next = ways[ways.findIndex((way) => way.hasAttribute("aria-current")) + step];
  if (next) go(next.href);
}

function hrefAt(seconds) {
  const at = new Date(Math.round(seconds) * 1000).toISOString().replace(".000", "");
  return `/?${new URLSearchParams({ span: timeline().dataset.span, at })}`;
}

document.addEventListener("click", (event) => {
  const way = event.target.closest?.("[data-timeline] .way");
  if (!way || event.ctrlKey || event.metaKey || event.shiftKey || event.button !== 0) return;
  event.preventDefault();
  go(way.href);
});
addEventListener("popstate", () => refresh());

document.addEventListener("keydown", (event) => {
  if (event.ctrlKey || event.metaKey || event.altKey || event.target.matches("input, select, textarea")) return;
  if (event.key === "+" || event.key === "=") zoom(-1);
  if (event.key === "-") zoom(1);
});

document.addEventListener(
  "wheel",
  (event) => {
    if (!event.ctrlKey || !plotOf(event.target)) return; // without Ctrl the page scrolls, as everywhere
    event.preventDefault();
    if (Date.now() - zoomed < WHEEL_RESTS) return;
    zoomed = Date.now();
    zoom(event.deltaY < 0 ? -1 : 1);
  },
  { passive: false },
);

document.addEventListener("pointerdown", (event) => {
  const plot = event.button === 0 && plotOf(event.target);
  if (plot) drag = { plot, from: event.clientX, moved: 0 };
});
document.addEventListener("dragstart", (event) => plotOf(event.target) && event.preventDefault());
document.addEventListener("pointermove", (event) => {
  if (!drag) return;
  drag.moved = event.clientX - drag.from;
  if (Math.abs(drag.moved) < FEW_PIXELS) return;
  drag.plot.classList.add("dragged");
  for (const part of drag.plot.children) part.setAttribute("transform", `translate(${drag.moved} 0)`);
});
document.addEventListener("pointerup", () => {
  if (!drag) return;
  const { plot, moved } = drag;
  drag = null;
  if (Math.abs(moved) < FEW_PIXELS) return;
  plot.addEventListener("click", (event) => event.preventDefault(), { capture: true, once: true });
  const { since, until } = timeline().dataset;
  const length = until - since;
  go(hrefAt(Number(since) + length * BEHIND - (moved / timeline().querySelector(".plot").clientWidth) * length));
});
document.addEventListener("pointercancel", () => {
  for (const part of drag?.plot.children ?? []) part.removeAttribute("transform");
  drag = null;
});
