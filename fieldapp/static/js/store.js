// What a phone keeps: pages to read, forms to send, photos. All of it is sealed under the person's own key; signing out
// destroys that key, and nothing here can be read any more.
//
// The key lies wrapped in an entry of Cache Storage, and what unwraps it in IndexedDB. Chromium writes IndexedDB into a
// LevelDB, and what is deleted there stays in its files for weeks, a whole database, too; the file of an entry is gone
// when the entry is. So what is left behind is a key to nothing.
import { openDB } from "idb";

const WRAPPED = "fieldapp-key"; // the only thing in Cache Storage beside the shell
const HOLDER = ["phone", "holder"];

// Without any one of these a page works with signal only, and says so (install.js).
export const able = () =>
  self.isSecureContext && "indexedDB" in self && "caches" in self && "locks" in navigator && "DecompressionStream" in self && Boolean(self.crypto?.subtle);

let opened;
export function store() {
  opened ??= openDB("fieldapp", 1, {
    upgrade(db) {
      db.createObjectStore("pages"); // [user, url] → { sealed, etag }
      db.createObjectStore("meta"); // [user, name] → anything that tells nothing of a resident
      db.createObjectStore("outbox", { keyPath: "id" }).createIndex("user", "user");
      db.createObjectStore("bytes"); // a photo's sealed bytes by its item's id
    },
    blocking: close,
    terminated: close,
  }).catch((error) => {
    opened = undefined; // the next one to ask tries again
    throw error;
  });
  return opened;
}

async function close() {
  const closing = opened;
  opened = undefined;
  (await closing).close();
}

// Who is signed in on this phone, and the key: { user, key } or undefined.
let held; // what was unwrapped last: only the database says whether it still holds
export async function holder() {
  const found = await (await store()).get("meta", HOLDER);
  if (!found || held?.entry !== found.entry) held = found && (await unwrap(found));
  return held;
}

async function unwrap({ user, entry, wrapping }) {
  try {
    const answer = await caches.match(entry, { cacheName: WRAPPED });
    const bytes = new Uint8Array(await answer.arrayBuffer());
    const algorithm = { name: "AES-GCM", iv: bytes.subarray(0, 12), additionalData: text.encode(entry) };
    const key = await crypto.subtle.unwrapKey("raw", bytes.subarray(12), wrapping, algorithm, "AES-GCM", false, ["encrypt", "decrypt"]);
    return { user, entry, key };
  } catch {
    return undefined; // one half is lost: with signal the next page asks for the key again
  }
}

export async function hold(user, bytes) {
  const wrapping = await crypto.subtle.generateKey({ name: "AES-GCM", length: 256 }, false, ["encrypt", "unwrapKey"]);
  const entry = `/${WRAPPED}/${crypto.getRandomValues(new Uint32Array(2)).join("-")}`;
  await (await caches.open(WRAPPED)).put(entry, new Response(await seal(wrapping, entry, bytes)));
  const tx = (await store()).transaction("meta", "readwrite", { durability: "strict" });
  await Promise.all([tx.store.put({ user, entry, wrapping }, HOLDER), tx.done]);
}

// Forget the key and what could be read with it. What waits to be sent stays, sealed: the server has the key, too.
export async function forget() {
  held = undefined;
  const count = ((await meta("phone", "forgotten")) ?? 0) + 1;
  await setMeta("phone", { forgotten: count }).catch(() => {}); // a full phone forgets, too
  const tx = (await store()).transaction(["pages", "meta"], "readwrite", { durability: "strict" });
  const noted = tx.objectStore("meta");
  tx.objectStore("pages").clear();
  noted.delete(HOLDER);
  for (const key of await noted.getAllKeys()) {
    if (key[1] === "token") noted.delete(key);
  }
  await tx.done;
  await destroyWrapped();
}

// Each entry by itself: deleting the whole cache leaves its files until nobody has it open.
async function destroyWrapped() {
  if (!(await caches.has(WRAPPED))) return;
  const cache = await caches.open(WRAPPED);
  for (const entry of await cache.keys()) await cache.delete(entry);
  await caches.delete(WRAPPED);
}

const text = new TextEncoder();
const bytesOf = (said) => (typeof said === "string" ? text.encode(said) : said);

// AES-GCM with a fresh 96-bit nonce in front (NIST SP 800-38D); `about` binds the sealed bytes to their place.
export async function seal(key, about, said) {
  const iv = crypto.getRandomValues(new Uint8Array(12));
  const hidden = await crypto.subtle.encrypt({ name: "AES-GCM", iv, additionalData: text.encode(about) }, key, bytesOf(said));
  const both = new Uint8Array(12 + hidden.byteLength);
  both.set(iv);
  both.set(new Uint8Array(hidden), 12);
  return both.buffer;
}

export async function unseal(key, about, sealed) {
  const bytes = new Uint8Array(sealed);
  const algorithm = { name: "AES-GCM", iv: bytes.subarray(0, 12), additionalData: text.encode(about) };
  return crypto.subtle.decrypt(algorithm, key, bytes.subarray(12));
}

// Room that is kept free for words: when a phone is full of photos, this goes first. Browsers do not say truly how much
// room is left (Chromium answers with whole gigabytes since 138), so nothing can be reckoned beforehand.
const SPARE = 1_000_000;
const SPARED = "spare";
const PROBE = "fieldapp-room";

export const isRoomAside = async () => Boolean(await (await store()).getKey("bytes", SPARED));

export async function setRoomAside() {
  if ((await isRoomAside()) || !(await hasRoom(0))) return;
  // Random, so that no file system makes it small.
  const spare = new Uint8Array(SPARE);
  for (let i = 0; i < SPARE; i += 50_000) crypto.getRandomValues(spare.subarray(i, i + 50_000));
  await note((await store()).put("bytes", spare.buffer, SPARED));
}

// Whether so many bytes find room, beside what is kept free for words. Cache Storage is asked, since it looks before it
// writes: IndexedDB looks when a transaction ends, and what it then takes back stays in its log, where words need the room.
export async function hasRoom(bytes) {
  const size = (await isRoomAside()) ? bytes : bytes + SPARE;
  const cache = await caches.open(PROBE);
  const fits = await cache.put(`/${PROBE}`, new Response(new Uint8Array(size))).then(() => true, () => false);
  await cache.delete(`/${PROBE}`);
  await caches.delete(PROBE);
  return fits;
}

export async function giveRoom() {
  if (!(await isRoomAside())) return false;
  await (await store()).delete("bytes", SPARED);
  return true;
}

// A note that finds no room is gone without: what it says is found out again.
export const note = (writing) => writing.catch((error) => {
  if (!isFull(error)) throw error;
});

export const isFull = (error) => error?.name === "QuotaExceededError" || /quota|disk/i.test(String(error?.message));

export const unsealText = async (...all) => new TextDecoder().decode(await unseal(...all));

export const everyPageOf = (user) => IDBKeyRange.bound([user], [user, []]);

export async function meta(user, name) {
  return (await store()).get("meta", [user, name]);
}

export async function setMeta(user, values) {
  const tx = (await store()).transaction("meta", "readwrite");
  await Promise.all([...Object.entries(values).map(([name, value]) => tx.store.put(value, [user, name])), tx.done]);
}

// A page is made small before it is sealed: 20 KB become 4, and two hundred households fit where little room is left.
export async function sealPage(who, url, html) {
  const small = new Response(html).body.pipeThrough(new CompressionStream("gzip"));
  return seal(who.key, `${who.user} ${url}`, await new Response(small).arrayBuffer());
}

export async function openPage(who, url, { sealed }) {
  const small = await unseal(who.key, `${who.user} ${url}`, sealed);
  return new Response(new Response(small).body.pipeThrough(new DecompressionStream("gzip"))).text();
}

// A page of the pack as text, with the moment it was made; undefined where there is none or nobody who may read it.
export async function page(url) {
  const who = await holder();
  if (!who) return undefined;
  const tx = (await store()).transaction(["pages", "meta"]);
  const said = ["at", "packChange", "csp"].map((name) => tx.objectStore("meta").get([who.user, name]));
  const [found, at, change, csp] = await Promise.all([tx.objectStore("pages").get([who.user, url]), ...said]);
  return found && { html: await openPage(who, url, found), at, change, csp };
}

// Hints between tabs and the service worker; whoever hears one looks into the database.
const channel = "BroadcastChannel" in self ? new BroadcastChannel("fieldapp") : undefined;
const listeners = new Set();
export function tell(what) {
  channel?.postMessage(what);
  for (const listener of listeners) listener(what);
}
export function hear(listener) {
  listeners.add(listener);
  channel?.addEventListener("message", ({ data }) => listener(data));
}
