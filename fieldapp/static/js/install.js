// What a phone is told of itself: what this browser cannot do, how to get to the home screen, how much room is left.
// The page holds the words, hidden; what is so is revealed here.
import { able } from "./store.js";

const DAY = 24 * 60 * 60 * 1000;
const MEGABYTE = 1e6;
const GIBIBYTE = 2 ** 30;
const VISITS_BEFORE_OFFER = 3;
const DAYS_BEFORE_NEXT_OFFER = 30;
const SCARCE = 50 * MEGABYTE;

const isApple = /iPhone|iPad|iPod/.test(navigator.userAgent) || (navigator.platform === "MacIntel" && navigator.maxTouchPoints > 1);
const inWeChat = /MicroMessenger/i.test(navigator.userAgent);
const isInstalled = matchMedia("(display-mode: standalone)").matches || navigator.standalone === true;
const keeps = able() && "serviceWorker" in navigator && !(inWeChat && isApple);

const marked = (name) => document.querySelectorAll(`[data-${name}]`);
const show = (name, shown) => { for (const element of marked(name)) element.hidden = !shown; };

// Storage may be forbidden as a whole, and then even looking at it throws.
export function recall(name) {
  try { return localStorage.getItem(name); } catch { return null; }
}
export function remember(name, value) {
  try { localStorage.setItem(name, value); } catch { /* asked again next time */ }
}

// What does not work here, and where it does. Over http no other browser helps.
function tellWhatIsLacking() {
  const way = !isSecureContext ? "insecure" : inWeChat ? "wechat" : "other";
  for (const card of marked("cannot")) {
    const isFolded = card.querySelector("[data-fold]") && recall("cannot-folded") === new Date().toDateString();
    if (keeps || isFolded) { card.remove(); continue; }
    card.hidden = false;
    card.querySelector("[data-actions]").hidden = false;
    card.querySelector("[data-copy]").hidden = way === "insecure";
    for (const said of card.querySelectorAll("[data-way]")) said.hidden = said.dataset.way !== way;
  }
}

async function copyAddress(card) {
  const address = `${location.origin}/`;
  const shown = card.querySelector("[data-address]");
  let isCopied = true;
  try {
    await navigator.clipboard.writeText(address);
  } catch {
    const box = shown.querySelector("input");
    shown.hidden = false;
    box.value = address;
    box.select();
    isCopied = document.execCommand("copy");
  }
  if (isCopied) shown.hidden = true;
  const said = card.querySelector("[data-copied]");
  said.textContent = isCopied ? said.dataset.done : said.dataset.failed;
}

// The browser's own question is kept for when somebody asks for it. Browsers of Apple never ask: a page tells how.
let question = null;
function offer() {
  const isRefused = Date.now() - Number(recall("install-later")) < DAYS_BEFORE_NEXT_OFFER * DAY;
  const isUsed = Number(recall("saved")) >= VISITS_BEFORE_OFFER;
  show("offer", keeps && !isInstalled && (question || isApple) && isUsed && !isRefused);
  show("prompt", question && !isInstalled);
  show("installed", isInstalled);
  show("not-installed", !isInstalled);
}
async function ask() {
  const asked = question;
  question = null;
  asked.prompt();
  const { outcome } = await asked.userChoice;
  if (outcome === "dismissed") remember("install-later", Date.now());
  offer();
}
addEventListener("beforeinstallprompt", (event) => {
  event.preventDefault();
  question = event;
  offer();
});
addEventListener("appinstalled", () => {
  question = null;
  for (const name of ["offer", "prompt", "not-installed"]) show(name, false);
});

const written = (bytes) => {
  const megabytes = bytes / MEGABYTE;
  if (megabytes >= 1000) return `${(megabytes / 1000).toFixed(1)} GB`;
  return `${megabytes < 10 ? Math.floor(megabytes * 10) / 10 : Math.floor(megabytes)} MB`;
};
async function tellRoom() {
  if (!marked("phone").length && !marked("scarce").length) return;
  show("phone", true);
  show("keeps-nothing", !keeps);
  if (!keeps || !navigator.storage?.estimate) return;
  const { usage, quota } = await navigator.storage.estimate();
  const amounts = { used: usage, free: Math.max(quota - usage, 0) };
  for (const said of marked("amount")) said.textContent = written(amounts[said.dataset.amount]);
  // Chrome from 138 on makes the room up, whole gibibytes however full the phone is: only a photo that found none tells.
  // https://chromestatus.com/feature/4977371751645184
  const isMadeUp = amounts.free > 0 && amounts.free % GIBIBYTE === 0;
  const isFull = Date.now() - Number(recall("full")) < DAY;
  const isShort = !isFull && !isMadeUp && amounts.free < SCARCE;
  show("room", !isMadeUp);
  show("room-untold", isMadeUp);
  show("scarce", isShort || isFull);
  show("room-short", isShort);
  show("room-full", isFull);
  const isPersisted = await navigator.storage.persisted();
  show("persisted", isPersisted);
  show("not-persisted", !isPersisted);
}

document.addEventListener("click", (event) => {
  const pressed = event.target.closest("[data-install], [data-later], [data-copy], [data-fold]");
  if (!pressed) return;
  const card = pressed.closest("[data-cannot]");
  if ("install" in pressed.dataset && question) {
    event.preventDefault();
    ask();
  } else if ("later" in pressed.dataset) {
    remember("install-later", Date.now());
    offer();
  } else if ("copy" in pressed.dataset) {
    copyAddress(card);
  } else if ("fold" in pressed.dataset) {
    remember("cannot-folded", new Date().toDateString());
    card.remove();
  }
});
addEventListener("pageshow", offer);
tellWhatIsLacking();
tellRoom();
