// Buttons that copy a text of the page; where a browser does not let pages copy, there are none.
const SAID_FOR = 2000;

function show(root) {
  if (!navigator.clipboard) return;
  for (const button of root.querySelectorAll("[data-copy]")) button.hidden = false;
}

document.addEventListener("click", async (event) => {
  const button = event.target.closest("[data-copy]");
  if (!button) return;
  const label = button.dataset.label ?? button.textContent;
  button.dataset.label = label;
  try {
    await navigator.clipboard.writeText(document.getElementById(button.dataset.copy).textContent);
    button.textContent = "Copied";
  } catch {
    document.getSelection().selectAllChildren(document.getElementById(button.dataset.copy));
    button.textContent = "Selected: copy it with your keys";
  }
  setTimeout(() => (button.textContent = label), SAID_FOR);
});
document.addEventListener("rota:fresh", () => show(document));
show(document);
