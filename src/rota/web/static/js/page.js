// What every page does beyond what it is without scripts: it stays up to date, and has keys.
import { keepFresh } from "./fresh.js";
import { listenToKeys } from "./keys.js";
import { sayZone, switchTheme } from "./tastes.js";

const isOnlyShown = document.querySelector("[data-live]") === null;

switchTheme();
listenToKeys();
const zoneIsNew = sayZone();
if (!isOnlyShown) keepFresh({ atOnce: zoneIsNew });
