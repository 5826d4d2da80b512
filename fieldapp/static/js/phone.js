// Every page's other half on the phone: whose it is, the pack behind it, what waits, and whether there is signal.
import { ask, endSession } from "./errands.js";
import { clock, mark } from "./marks.js";
import { isWaiting, items, welcome } from "./outbox.js";
import { keepPage } from "./pack.js";
import { able, forget, hear, holder, meta, note, setMeta, tell } from "./store.js";
import { forgetWay } from "./way.js";

const { user, worker, keeps, asOf } = document.body.dataset;
const EVERY = 15_000;

export async function start() {
  document.addEventListener("submit", signOut, true);
  if (!able() || !("serviceWorker" in navigator)) return;
  navigator.serviceWorker.register("/sw.js").catch(() => {});
  hear(heard);
  const forgotten = await meta("phone", "forgotten");
  // A page that the browser kept aside and brings back may be of somebody who has signed out since.
  addEventListener("pageshow", async ({ persisted }) => {
    if (persisted && (await meta("phone", "forgotten")) !== forgotten) location.replace("/sign-in");
  });
  if (asOf === undefined && user) {
    if (!worker && !keeps) {
      const who = await holder();
      if (who && who.user !== user) await forget(); // a director's turn on a worker's phone
      if (who?.user !== user) return; // a director's phone keeps nothing before the first page that is to be kept
    } else if (!(await welcome(user))) return;
    await note(setMeta(user, { signIn: false, packless: !worker }));
  }
  if (!worker && !(user && (await holder()))) return;
  if (keeps) kept(); // not waited for: a bad line may take its time
  await show();
  addEventListener("online", again);
  addEventListener("offline", show);
  document.addEventListener("visibilitychange", () => document.visibilityState === "visible" && again());
  document.addEventListener("click", (event) => event.target.closest("[data-retry]") && location.reload());
  setInterval(lookAgain, EVERY);
  await ask();
}

// A page that is kept by opening it says so once it is; it is asked for anew when what waited has arrived.
let waited = 0;
async function kept() {
  if (asOf !== undefined || (await keepPage(location.pathname))) document.querySelector("[data-kept]")?.removeAttribute("hidden");
}

async function keptAnew() {
  const waiting = (await items()).filter(isWaiting).length;
  if (keeps && waited && !waiting) await keepPage(location.pathname);
  waited = waiting;
}

function again() {
  show();
  ask();
}

// What could not be sent is tried again while somebody looks.
async function lookAgain() {
  if (document.visibilityState === "visible" && (await items()).some(isWaiting)) ask();
}

function heard(what) {
  if (what === "signed-out" && !leaving) location.replace("/sign-in");
  if (what?.loading) loading(...what.loading);
  if (["outbox", "pack", "quiet"].includes(what)) soon();
  if (what === "outbox" || what === "quiet") keptAnew();
  if (what === "pack" || what === "quiet") document.querySelector(".phone-loading")?.remove();
}

// A little later: what was just tapped is answered first, and several hints are one.
let due;
function soon() {
  clearTimeout(due);
  due = setTimeout(show, 100);
}

let showing, repeat;
async function show() {
  if (showing) return void (repeat = true);
  showing = true;
  do {
    repeat = false;
    await bar();
    await mark();
  } while (repeat);
  showing = false;
}

const cloned = (name) => document.getElementById(`phone-${name}`)?.content.firstElementChild.cloneNode(true);

// The bar on top: a page of the phone says of when it is; what waits is counted; who must sign in again is told.
async function bar() {
  const who = await holder();
  const all = await items();
  const waiting = all.filter(({ state, kind }) => state === "waiting" || (state === "refused" && kind !== "photo"));
  const refused = all.some(({ state }) => state === "refused");
  const signIn = who && (await meta(who.user, "signIn"));
  const kind = signIn && waiting.length ? "signin" : asOf ? (location.pathname === "/today" ? "card" : "bar") : waiting.length ? "waits" : undefined;
  const place = document.getElementById("phone");
  if (!place) return;
  const made = kind && cloned(kind);
  if (made) {
    for (const at of made.querySelectorAll("[data-as-of]")) at.textContent = asOf ? clock(asOf) : "";
    for (const at of made.querySelectorAll("[data-waiting]")) at.textContent = waiting.length;
    for (const at of made.querySelectorAll("[data-if-waiting]")) at.hidden = !waiting.length;
    for (const at of made.querySelectorAll("[data-if-refused]")) at.hidden = !refused;
  }
  place.replaceChildren(...(made ? [made] : []));
  for (const badge of document.querySelectorAll("[data-waiting-count]")) {
    badge.textContent = waiting.length;
    badge.hidden = !waiting.length;
  }
}

// The first pack: how far it is, in households.
function loading(done, pages, households) {
  if (location.pathname !== "/today") return;
  const card = document.querySelector(".phone-loading") ?? cloned("loading");
  if (!card.isConnected) document.getElementById("phone").after(card);
  card.querySelector("[data-done]").textContent = Math.round((done / pages) * households);
  card.querySelector("[data-all]").textContent = households;
  Object.assign(card.querySelector("progress"), { max: pages, value: done });
}

let leaving = false;
// Signing out forgets the key first, with or without signal; the server is told as soon as it can be.
async function signOut(event) {
  const form = event.target;
  if (!form.matches("[data-sign-out]") || !able()) return;
  event.preventDefault();
  event.stopImmediatePropagation();
  leaving = true;
  forgetWay();
  await setMeta("phone", { signOut: true }).catch(() => {});
  const registration = await navigator.serviceWorker?.getRegistration();
  await registration?.navigationPreload?.disable(); // or a page would be asked for before the server is told
  await forget();
  tell("signed-out");
  // Where there is no signal, the service worker tells the server before it asks anything else of it.
  if (await endSession()) await registration?.navigationPreload?.enable();
  location.replace("/sign-in");
}
