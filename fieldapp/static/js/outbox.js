// The outbox: what was saved at a door is on this phone at once, and on the server exactly once.
//
// An item is one form: { id, user, phone, number, kind, of, state, urgent, madeAt, size, sealed }. `of` is the household (or
// the visit, of a photo), so that one household's items go out in their order. `sealed` holds { path, fields, said, place },
// a photo's bytes lie in `bytes`. States: waiting, sent, held (the director decides), refused (somebody must look).
import { v4, v7 } from "uuid";
import { forget, giveRoom, hasRoom, hold, holder, isFull, isRoomAside, meta, note, seal, setMeta, store, tell, unseal, unsealText } from "./store.js";

export const newId = () => v7();
const WEEK = 7 * 86_400_000;
const PATIENCE = 300_000; // the longest wait between two tries
const PHOTO_LANES = 2; // two at once, so that the link is busy while the server rebuilds one

export class NobodyHere extends Error {}
export class NoRoom extends Error {}

// Write items in one transaction and read them back; only then may anybody say "saved". `entries` are
// [{ id, kind, of, urgent, path, fields, said, place, visit, corrects, bytes, instead }]. Throws NobodyHere without a key, NoRoom when
// the phone is full: then nothing of this call was kept.
export async function keep(entries) {
  const who = await holder();
  if (!who) throw new NobodyHere();
  const madeAt = new Date().toISOString();
  const sealed = await Promise.all(entries.map(({ id, path, fields, said, place, visit }) =>
    seal(who.key, id, JSON.stringify({ path, fields, said, place, visit }))));
  const pictures = await Promise.all(entries.map(({ id, bytes }) => bytes && seal(who.key, `${id} bytes`, bytes)));
  const size = pictures.reduce((sum, picture) => sum + (picture?.byteLength ?? 0), 0);
  if (size && !(await isRoomAside()) && !(await hasRoom(size))) throw new NoRoom(); // what was set aside is for words alone
  const following = (await Promise.all(entries.map(({ id, instead }) => (instead ? follow(who, instead, id) : [])))).flat();
  try {
    await write(who, entries, sealed, pictures, following, madeAt);
  } catch (error) {
    if (!isFull(error)) throw error;
    // Words have room set aside for them; a photo has not.
    if (size || !(await giveRoom())) throw new NoRoom();
    await write(who, entries, sealed, pictures, following, madeAt).catch(() => {
      throw new NoRoom();
    });
  }
  const db = await store();
  for (const [i, { id }] of entries.entries()) {
    const found = await db.get("outbox", id);
    if (found?.sealed.byteLength !== sealed[i].byteLength) throw new NoRoom();
  }
  tell("outbox");
}

async function write(who, entries, sealed, pictures, following, madeAt) {
  const tx = (await store()).transaction(["outbox", "bytes", "meta"], "readwrite", { durability: "strict" });
  const counters = tx.objectStore("meta");
  let number = (await counters.get(["phone", "number"])) ?? 0;
  let phone = await counters.get(["phone", "id"]);
  // Each promise is waited for: what fails for want of room fails all of them, and the transaction.
  const writes = [];
  if (!phone) writes.push(counters.put((phone = v4()), ["phone", "id"]));
  entries.forEach(({ id, kind, of, urgent, outcome, group, bytes, visit, corrects, instead }, i) => {
    number += 1;
    const size = bytes?.byteLength ?? sealed[i].byteLength;
    const item = { id, user: who.user, phone, number, kind, of, visit, outcome, group, corrects, urgent: Boolean(urgent), madeAt, size };
    writes.push(tx.objectStore("outbox").put({ ...item, state: "waiting", tries: 0, retryAt: 0, sealed: sealed[i] }));
    if (pictures[i]) writes.push(tx.objectStore("bytes").put(pictures[i], id));
    if (instead) writes.push(tx.objectStore("outbox").delete(instead));
  });
  for (const photo of following) writes.push(tx.objectStore("outbox").put(photo));
  writes.push(counters.put(number, ["phone", "number"]));
  await Promise.all([...writes, tx.done]);
}

// A visit that was refused goes out again under a new key: its photos, as they follow it.
async function follow(who, oldVisit, newVisit) {
  const photos = (await mine(who)).filter(({ kind, visit }) => kind === "photo" && visit === oldVisit);
  return Promise.all(photos.map(async (item) => {
    const inside = await open(who, item);
    const moved = { ...inside, because: undefined, path: inside.path.replace(oldVisit, newVisit), visit: newVisit };
    return { ...item, visit: newVisit, state: "waiting", fault: undefined, sealed: await seal(who.key, item.id, JSON.stringify(moved)) };
  }));
}

async function mine(who) {
  return who ? (await store()).getAllFromIndex("outbox", "user", who.user) : [];
}

// Everything of the person signed in, oldest first, without what is sealed inside.
export async function items() {
  const found = await mine(await holder());
  return found.sort((a, b) => a.number - b.number);
}

async function open(who, item) {
  return JSON.parse(await unsealText(who.key, item.id, item.sealed));
}

// What an item says: { path, fields, said, place, visit }, and `because`: why the server refused or holds it.
export async function inside(item) {
  return open(await holder(), item);
}

export async function item(id) {
  const who = await holder();
  const found = who && (await (await store()).get("outbox", id));
  return found?.user === who?.user ? found : undefined;
}

export const isWaiting = ({ state }) => state === "waiting";

// Urgent before all, but after what was written earlier at the same door; then in the order of writing.
export function inOrder(waiting) {
  const urgent = new Set(waiting.filter((item) => item.urgent).map((item) => item.of));
  return [...waiting].sort((a, b) => urgent.has(b.of) - urgent.has(a.of) || a.number - b.number);
}

// Send what waits, words first. Safe to call at any time, from any tab and from the service worker.
export async function drain({ now = false } = {}) {
  if (now) await note(forgetWaits());
  const sent = await lane("words", (item) => item.kind !== "photo", 1);
  const pictures = await lane("photos", (item) => item.kind === "photo", PHOTO_LANES);
  return sent + pictures;
}

// In one transaction: what is sent meanwhile must not become what waits.
async function forgetWaits() {
  const who = await holder();
  if (!who) return;
  const tx = (await store()).transaction("outbox", "readwrite");
  const late = (await tx.store.index("user").getAll(who.user)).filter((item) => isWaiting(item) && item.retryAt);
  await Promise.all([...late.map((item) => tx.store.put({ ...item, retryAt: 0 })), tx.done]);
}

// Words wait for their turn, so that what was saved while the lane was closing is sent; the lane of photos looks again and
// again while it is open, and minutes may pass.
function lane(name, belongs, width) {
  return navigator.locks.request(`fieldapp-${name}`, { ifAvailable: name === "photos" }, async (lock) => {
    if (!lock) return 0;
    const state = { passed: new Set(), blocked: new Set(), busy: new Set(), sent: 0, over: false };
    await Promise.all(Array.from({ length: width }, () => work(state, belongs)));
    return state.sent;
  });
}

async function work(state, belongs) {
  for (;;) {
    const who = await holder();
    const all = await mine(who);
    const due = inOrder(all.filter((item) => isWaiting(item) && belongs(item)));
    const next = due.find((item) => mayGo(item, all, state, due));
    if (!next || state.over) return;
    state.passed.add(next.id);
    if (next.kind !== "photo") state.busy.add(next.of);
    const outcome = await send(who, next);
    state.busy.delete(next.of);
    if (outcome === "sent") state.sent += 1;
    if (outcome === "later") state.blocked.add(next.of);
    if (outcome === "stop") state.over = true;
  }
}

function mayGo(item, all, state, due) {
  if (state.passed.has(item.id) || item.retryAt > Date.now()) return false;
  if (item.kind === "photo") {
    // A photo follows its visit's words and never holds up any.
    const visit = all.find(({ id }) => id === item.visit);
    return (!visit || visit.state === "sent" || visit.state === "held") && !all.some((other) => isWaiting(other) && other.kind !== "photo" && other.retryAt <= Date.now());
  }
  if (state.blocked.has(item.of) || state.busy.has(item.of)) return false;
  // Earlier words of the same household that wait for another try go first.
  return !due.some((other) => other.of === item.of && other.number < item.number && !state.passed.has(other.id));
}

// Send one. Gives "sent" (it has a receipt, or an answer that only a person can act on), "later" or "stop" (no signal, or
// somebody must sign in first).
async function send(who, item) {
  const given = new AbortController();
  const late = setTimeout(() => given.abort(), item.kind === "photo" ? 180_000 : 30_000);
  let answer, said;
  const floor = await meta(who.user, "change");
  try {
    tell({ sending: item.id });
    answer = await fetch(...(await request(who, item, given.signal)));
    // A hotel's or a train's sign-in page answers 200 to anything: only our own JSON with this item's key is a receipt.
    said = await answer.json();
  } catch {
    if (answer) return wait(item, "later", answer.status);
    return wait(item, "stop", 0);
  } finally {
    clearTimeout(late);
  }
  if (answer.status === 401) return signInFirst(who, item);
  if (answer.status === 410 && said.outcome === "left") return left(who, item, given.signal);
  return settle(who, item, answer.status, said, floor);
}

async function request(who, item, signal) {
  const { path, fields } = await open(who, item);
  const headers = {
    "Outbox-Id": item.id,
    "Outbox-User": item.user,
    "Outbox-Phone": item.phone,
    "Outbox-Number": String(item.number),
    "Outbox-Made-At": item.madeAt,
    "Outbox-Sent-At": new Date().toISOString(),
  };
  let body = new URLSearchParams(fields);
  if (item.kind === "photo") {
    const sealed = await (await store()).get("bytes", item.id);
    body = new FormData();
    for (const [name, value] of fields) body.append(name, value);
    body.append("photos", new Blob([await unseal(who.key, `${item.id} bytes`, sealed)], { type: "image/jpeg" }), "photo.jpg");
  }
  return [item.left ? "/sync/left" : path, { method: "POST", headers: item.left ? { ...headers, "Outbox-Path": path } : headers, body, signal, redirect: "error", cache: "no-store", credentials: "same-origin" }];
}

async function wait(item, outcome, status) {
  if (!status && item.fault?.status === 0) return outcome; // a whole day of the same need not be written each time
  const db = await store();
  const tries = item.tries + 1;
  await note(db.put("outbox", { ...item, tries, retryAt: Date.now() + Math.min(2 ** tries * 1000, PATIENCE), fault: { status } }));
  tell("outbox");
  return outcome;
}

async function signInFirst(who, item) {
  // An account that was closed may have been opened again: its items go the ordinary way then.
  if (item.left) await note((await store()).put("outbox", { ...item, left: undefined }));
  await note(setMeta(who.user, { signIn: true }));
  tell("outbox");
  return "stop";
}

// The account was closed. What was written is kept apart for the director, by another address.
async function left(who, item) {
  await note((await store()).put("outbox", { ...item, left: true }));
  return item.left ? wait(item, "later", 410) : send(who, { ...item, left: true });
}

async function settle(who, item, status, said, floor) {
  const db = await store();
  const isReceipt = status < 300 && said?.id === item.id;
  // Why may name a resident: it is sealed with the rest.
  const because = { reason: said?.reason, fields: said?.fields };
  const sealed = said?.reason ? await seal(who.key, item.id, JSON.stringify({ ...(await open(who, item)), because })) : item.sealed;
  if (isReceipt) {
    const state = said.outcome === "held" ? "held" : "sent";
    const done = { ...item, sealed, state, sentAt: said.at, doneAt: Date.now(), change: said.change, fault: undefined };
    await db.put("outbox", done).catch((error) => {
      if (!isFull(error)) throw error;
      return takeOut([item.id]); // no room even to note it: it has its receipt, and what follows needs the room
    });
    await note(setMeta(who.user, { signIn: false, reached: new Date().toISOString() }));
    await notice(who, said, floor);
  } else if (status >= 500 || [408, 429].includes(status) || status < 400) {
    return wait(item, "later", status);
  } else {
    await note(db.put("outbox", { ...item, sealed, state: "refused", fault: { status } }));
  }
  tell("outbox");
  return "sent";
}

// Every answer says which life of the database this is. When it came back from a backup, ask what it lacks and send that
// again. Gives whether it did.
// `floor` is the highest change known before the question was asked: two answers may overtake each other.
export async function notice(who, { epoch, change, backed_up_until: until }, floor = 0) {
  const [known, highest] = [await meta(who.user, "epoch"), (await meta(who.user, "change")) ?? 0];
  const wentBack = known && (known !== epoch || (change && change < floor));
  if (wentBack && !(await sendAgain(who))) return false;
  await note(setMeta(who.user, { epoch, change: wentBack ? change : Math.max(change ?? 0, highest) }));
  await clear(who, until);
  return wentBack;
}

async function sendAgain(who) {
  const done = (await mine(who)).filter(({ state }) => state === "sent" || state === "held");
  const lacking = new Set();
  for (let i = 0; i < done.length; i += 1000) {
    const body = new URLSearchParams(done.slice(i, i + 1000).map(({ id }) => ["ids", id]));
    const answer = await fetch("/sync/known", { method: "POST", body, redirect: "error" }).catch(() => undefined);
    if (!answer?.ok) return false;
    for (const id of (await answer.json()).lacking) lacking.add(id);
  }
  const tx = (await store()).transaction("outbox", "readwrite", { durability: "strict" });
  const again = done.filter(({ id }) => lacking.has(id)).map((item) => ({ ...item, state: "waiting", retryAt: 0, sentAt: undefined }));
  const isNoted = await Promise.all([...again.map((item) => tx.store.put(item)), tx.done]).then(() => true, () => false);
  tell("outbox");
  return isNoted; // else it is asked again: what is lacking must not be taken for sent
}

// What the server says is in a backup, or is a week old, need not be kept any longer; today's stay to be seen in the tray.
async function clear(who, until) {
  const today = new Date().setHours(0, 0, 0, 0);
  for (const { id, state, sentAt } of await mine(who)) {
    const at = Date.parse(sentAt ?? "");
    const inBackup = until && at <= Date.parse(until);
    if (!["sent", "held"].includes(state) || !at || at >= today || !(inBackup || Date.now() - at > WEEK)) continue;
    await takeOut([id]);
  }
}

// Take an item out for good, a visit with its photos: only what the server refused, and only by a person's own hand.
export async function drop(id) {
  const photos = (await mine(await holder())).filter(({ visit }) => visit === id);
  await takeOut([id, ...photos.map((photo) => photo.id)]);
  tell("outbox");
}

async function takeOut(ids) {
  const tx = (await store()).transaction(["outbox", "bytes"], "readwrite", { durability: "strict" });
  await Promise.all([...ids.flatMap((id) => [tx.objectStore("outbox").delete(id), tx.objectStore("bytes").delete(id)]), tx.done]);
}

const base64 = (buffer) => {
  let said = "";
  const bytes = new Uint8Array(buffer);
  for (let i = 0; i < bytes.length; i += 32768) said += String.fromCharCode(...bytes.subarray(i, i + 32768));
  return btoa(said);
};
const fromBase64 = (said) => Uint8Array.from(atob(said), (sign) => sign.charCodeAt(0)).buffer;

// Everything that waits, as a file: sealed, so that only the same person's phone can open it.
export async function toFile() {
  const who = await holder();
  const db = await store();
  const kept = [];
  for (const item of (await mine(who)).filter(({ state }) => state === "waiting" || state === "refused")) {
    const bytes = await db.get("bytes", item.id);
    kept.push({ ...item, sealed: base64(item.sealed), bytes: bytes && base64(bytes) });
  }
  return new Blob([JSON.stringify({ format: "fieldapp-outbox", version: 1, user: who.user, items: kept })], { type: "application/json" });
}

// Read such a file. Gives how many items were new here, or a word for what is wrong: "format", "person", "sealed".
export async function fromFile(file) {
  const [who, text] = [await holder(), await file.text()];
  let read;
  try {
    read = JSON.parse(text);
  } catch {
    return text.startsWith('{"format":"fieldapp-outbox"') ? "sealed" : "format"; // copied in part, or not ours
  }
  if (read?.format !== "fieldapp-outbox" || !Array.isArray(read.items)) return "format";
  if (read.user !== who?.user) return "person";
  const ready = [];
  try {
    for (const { bytes, ...item } of read.items) {
      const whole = { ...item, user: who.user, sealed: fromBase64(item.sealed), retryAt: 0 };
      await open(who, whole);
      ready.push([whole, bytes && fromBase64(bytes)]);
    }
  } catch {
    return "sealed";
  }
  const tx = (await store()).transaction(["outbox", "bytes"], "readwrite", { durability: "strict" });
  let count = 0;
  for (const [item, bytes] of ready) {
    if (await tx.objectStore("outbox").getKey(item.id)) continue;
    tx.objectStore("outbox").put(item);
    if (bytes) tx.objectStore("bytes").put(bytes, item.id);
    count += 1;
  }
  await tx.done;
  tell("outbox");
  return count;
}

// Make sure the page's reader is the one this phone holds a key for. Gives whether there is a key now.
export async function welcome(user) {
  const who = await holder();
  if (who?.user === user) return true;
  if (who) await forget(); // somebody else's: what waits of theirs stays, sealed
  const forgotten = await meta("phone", "forgotten");
  if (await meta("phone", "signOut")) return false; // the service worker tells the server first
  const answer = await fetch("/sync/key", { cache: "no-store", redirect: "error" }).catch(() => undefined);
  if (!answer?.ok) return false;
  const said = await answer.json();
  const isHeld = await hold(said.user, fromBase64(said.key)).then(() => true, () => false);
  if (!isHeld) return false; // not even room for a key: with signal everything works without
  if ((await meta("phone", "forgotten")) !== forgotten) {
    await forget(); // signed out meanwhile, in another tab
    return false;
  }
  await notice({ user: said.user, key: (await holder()).key }, said);
  return said.user === user;
}
