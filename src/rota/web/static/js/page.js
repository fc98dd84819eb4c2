// What every page does beyond what it is without scripts: it stays up to date, has keys, and sends a form once.
import { keepFresh } from "./fresh.js";
import { listenToKeys } from "./keys.js";
import { sendOnce } from "./sending.js";
import { sayZone, switchTheme } from "./tastes.js";

const isOnlyShown = document.querySelector("[data-live]") === null;

switchTheme();
listenToKeys();
sendOnce();
const zoneIsNew = sayZone();
if (!isOnlyShown) keepFresh({ atOnce: zoneIsNew });
