// Ticks in a list: one box for all of them, and how many there are.
const boxes = () => [...document.querySelectorAll('input[form="bulk"][type=checkbox]')];

function tell() {
  const count = boxes().filter((box) => box.checked).length;
  const every = document.querySelector('input[name="all"]')?.checked;
  const note = document.querySelector("[data-ticked]");
  if (note) note.textContent = every ? "all of them" : count ? `the ${count} that ${count === 1 ? "is" : "are"} ticked` : "what is ticked";
  for (const button of document.querySelectorAll("#bulk button")) button.disabled = !every && count === 0;
  const all = document.querySelector("[data-tick-all] input");
  if (!all) return;
  all.checked = count > 0 && count === boxes().length;
  all.indeterminate = count > 0 && !all.checked;
}

function begin() {
  const all = document.querySelector("[data-tick-all]");
  if (all) all.hidden = false;
  tell();
}

document.addEventListener("change", (event) => {
  if (event.target.closest("[data-tick-all]")) for (const box of boxes()) box.checked = event.target.checked;
  tell();
});
document.addEventListener("rota:fresh", begin);
window.addEventListener("pageshow", begin);
begin();
