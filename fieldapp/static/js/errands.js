// Sending and fetching, done by the service worker where there is one: a photo on its way, or a first pack, goes on while
// the worker walks from page to page. Elsewhere the page does it itself.
import { drain, notice } from "./outbox.js";
import { renew } from "./pack.js";
import { holder, meta, setMeta, setRoomAside, tell } from "./store.js";

// Send what waits, then bring the pack up to date.
export async function catchUp({ force = false } = {}) {
  const sent = await drain({ now: true });
  const who = await holder();
  if (!who) return;
  if (await meta(who.user, "packless")) return tell("quiet"); // a director
  const isFirst = !(await meta(who.user, "token"));
  const progress = isFirst ? (...loading) => tell({ loading }) : undefined;
  const floor = await meta(who.user, "change");
  const end = await renew({ force: force || sent > 0 || isFirst, progress });
  if (end && (await notice(who, end, floor))) await drain(); // the server came back from a backup
  if (end) await setRoomAside();
  tell("quiet");
}

// End the session on the server. Gives whether that has truly happened: a hotel's sign-in page answers to anything, too.
export async function endSession() {
  await setMeta("phone", { signOut: true });
  const given = new AbortController();
  const late = setTimeout(() => given.abort(), 5000);
  const answer = await fetch("/sign-out", { method: "POST", signal: given.signal }).catch(() => undefined);
  clearTimeout(late);
  const isOurs = answer?.headers.get("Content-Security-Policy")?.startsWith("default-src 'none'");
  const isTold = Boolean(isOurs && (answer.status === 401 || (answer.ok && answer.url.endsWith("/sign-in"))));
  if (isTold) await setMeta("phone", { signOut: false });
  return isTold;
}

const soon = (ms) => new Promise((done) => setTimeout(done, ms));

// Have it done, by whoever goes on longest.
export async function ask(what = {}) {
  // Looked for each time: a new version's takes the old one's place while this page is open.
  const worker = await Promise.race([navigator.serviceWorker.ready.then(({ active }) => active), soon(1000)]);
  if (worker) worker.postMessage({ catchUp: what });
  else await catchUp(what);
}
