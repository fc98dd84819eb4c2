// How somebody likes their pages; cookies, so that the server makes the next one so.
const A_YEAR = 31536000;

function keep(name, value) {
  document.cookie = `${name}=${encodeURIComponent(value)}; path=/; max-age=${A_YEAR}; samesite=lax`;
}

// Says this browser's zone, and tells whether the page was made for another one.
export function sayZone() {
  const zone = Intl.DateTimeFormat().resolvedOptions().timeZone;
  if (!zone || zone === document.documentElement.dataset.zone) return false;
  const asked = document.cookie.includes(`rota_zone=${encodeURIComponent(zone)}`);
  keep("rota_zone", zone);
  return !asked; // a zone that the server does not know is asked for once
}

const FACES = { auto: ["◐", "dark"], dark: ["●", "light"], light: ["○", "auto"] };

export function switchTheme() {
  const form = document.querySelector("[data-theme-form]");
  form?.addEventListener("submit", (event) => {
    event.preventDefault();
    const button = form.querySelector("button");
    const theme = button.value;
    const [face, next] = FACES[theme];
    document.documentElement.dataset.theme = theme;
    document.querySelector('meta[name="color-scheme"]').content = theme === "auto" ? "light dark" : theme;
    button.value = next;
    button.textContent = face;
    button.title = `Colours: ${theme}`;
    button.setAttribute("aria-label", `Colours: ${theme}. Change them`);
    keep("rota_theme", theme);
  });
}
