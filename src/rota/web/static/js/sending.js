// A form that changes something is sent once, however often its button is pressed while the answer is under way.
export function sendOnce() {
  const sent = new Set();
  document.addEventListener("submit", (event) => {
    if (event.defaultPrevented || event.target.method !== "post") return;
    if (sent.has(event.target)) event.preventDefault();
    sent.add(event.target);
  });
  // Back on a page that the browser has kept: it may be sent again.
  window.addEventListener("pageshow", () => sent.clear());
}
