// The service worker: the shell from Cache Storage, pages from the network or, when it does not answer in time, from the
// sealed pack. It touches no form: only what our own script sends is ever queued.
import { catchUp, endSession } from "./errands.js";
import { isWaiting, items } from "./outbox.js";
import { forget, meta, page } from "./store.js";

const SHELL = /* filled in by the build */ __SHELL__;
const NAME = `shell-${__BUILD__}`;
const PATIENCE = 1500; // ms until a page of the phone is shown instead
const FORGIVEN = 20_000; // after a silence, how long pages of the phone are shown at once

self.addEventListener("install", (event) => {
  event.waitUntil(caches.open(NAME).then((shell) => shell.addAll(SHELL)).then(() => self.skipWaiting()));
});

self.addEventListener("activate", (event) => {
  event.waitUntil(Promise.all([self.clients.claim(), tidy(), self.registration.navigationPreload?.enable()]));
});

// Pages on the phone name the files they were made with: the build before stays until a new pack has come.
async function tidy() {
  const shells = (await caches.keys()).filter((name) => name.startsWith("shell-") && name !== NAME);
  for (const name of shells.slice(0, -1)) await caches.delete(name);
}

self.addEventListener("fetch", (event) => {
  const { request } = event;
  const url = new URL(request.url);
  if (request.method !== "GET" || url.origin !== location.origin) return;
  if (url.pathname.startsWith("/static/dist/")) event.respondWith(shell(request));
  else if (request.mode === "navigate") event.respondWith(navigate(event, url));
});

async function shell(request) {
  const kept = await caches.match(request, { ignoreVary: true });
  if (kept) return kept;
  const answer = await fetch(request);
  // A build that came while this page was open: kept beside the shell, so that the page is whole without signal, too.
  if (answer.ok && request.url.includes("-h.")) (await caches.open(NAME)).put(request, answer.clone());
  return answer;
}

let silentAt = 0;

async function navigate(event, url) {
  let preload = event.preloadResponse;
  if (await meta("phone", "signOut")) {
    if (!(await finishSignOut())) return offline();
    preload = undefined; // asked for while the server still knew who it was
  }
  const address = url.pathname === "/" ? "/today" : url.pathname + url.search;
  const own = fromPack(address);
  if (["/saved", "/outbox"].includes(address) && (await own)) return own;
  const network = Promise.resolve(preload).then((early) => early ?? fetch(event.request));
  network.then(() => (silentAt = 0), () => (silentAt = Date.now()));
  event.waitUntil(network.then(() => {}, () => {}));
  const patience = Date.now() - silentAt < FORGIVEN ? 50 : PATIENCE;
  const soon = await Promise.race([network.catch(() => undefined), later(patience, "silent")]);
  if (soon === "silent" && (await own)) silentAt = Date.now();
  const answer = soon === "silent" ? (await own) ?? (await network.catch(() => undefined)) : soon;
  // A proxy in front of a server that is down answers for it.
  if (!answer || [502, 503, 504].includes(answer.status)) return (await own) ?? answer ?? offline();
  return answer;
}

const later = (ms, value) => new Promise((done) => setTimeout(done, ms, value));

// One page of the pack is for every household's events: its script fills in whose door it is.
const EVENTS = /^\/households\/[0-9a-f-]{36}(\/events\/new)(\?.*)?$/;

async function fromPack(address) {
  const found = await page(address).then((own) => own ?? (EVENTS.test(address) ? page("/events/new") : own)).catch(() => undefined);
  if (!found) return undefined;
  const html = found.html.replace("<body ", `<body data-as-of="${found.at}" data-change="${found.change}" `);
  return new Response(html, { headers: { "Content-Type": "text/html; charset=utf-8", "Cache-Control": "no-store", "Content-Security-Policy": found.csp ?? "default-src 'self'" } });
}

async function offline() {
  return (await caches.match("/offline", { ignoreVary: true })) ?? Response.error();
}

// Signed out without signal: the server is told before anything else is asked of it.
async function finishSignOut() {
  await forget();
  if (!(await endSession())) return false;
  await self.registration.navigationPreload?.enable();
  return true;
}

self.addEventListener("message", (event) => {
  if (event.data?.catchUp) event.waitUntil(catchUp(event.data.catchUp));
});

self.addEventListener("sync", (event) => {
  if (event.tag === "outbox") event.waitUntil(catchUp().then(stillWaiting));
});

// A browser tries again only what failed.
async function stillWaiting() {
  if ((await items()).some(isWaiting)) throw new Error("something still waits to be sent");
}
