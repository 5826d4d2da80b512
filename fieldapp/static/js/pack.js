// The pack: every page that may be needed at a door, fetched and renewed by one request, kept in one transaction.
import { everyPageOf, hasRoom, holder, meta, note, openPage, sealPage, setMeta, store, tell } from "./store.js";

const OFTEN = 30_000; // renewed at most this often, unless something was sent
const FULL = 600_000; // what found no room is not asked for again before this

async function* lines(body) {
  const reader = body.pipeThrough(new TextDecoderStream()).getReader();
  let rest = "";
  for (;;) {
    const { value, done } = await reader.read();
    if (done) break;
    const found = (rest + value).split("\n");
    rest = found.pop();
    for (const line of found) if (line) yield JSON.parse(line);
  }
}

// Fetch what changed. `progress(done, pages, households)` is told while a whole pack loads. Gives the server's last line, or undefined.
export function renew({ force = false, progress } = {}) {
  return navigator.locks.request("fieldapp-pack", { ifAvailable: !force }, async (lock) => {
    const who = lock && (await holder());
    if (!who) return undefined;
    const [token, tried] = [await meta(who.user, "token"), await meta(who.user, "tried")];
    if (!force && tried && Date.now() - tried < OFTEN && tried <= Date.now()) return undefined;
    const asked = Date.now();
    const fullAt = await meta(who.user, "fullAt");
    if (fullAt <= asked && asked - fullAt < FULL) return undefined;
    await note(setMeta(who.user, { tried: asked }));
    const given = new AbortController();
    const late = setTimeout(() => given.abort(), 120_000);
    try {
      const answer = await fetch(`/sync/pack?since=${encodeURIComponent(token ?? "")}`, { signal: given.signal, cache: "no-store" });
      if (!answer.ok || answer.redirected) return undefined;
      return await take(who, answer, asked, progress);
    } catch {
      return undefined; // no signal, cut off, or no room: the phone keeps what it has
    } finally {
      clearTimeout(late);
    }
  });
}

async function take(who, answer, asked, progress) {
  let start, end;
  const puts = [], gone = [];
  for await (const line of lines(answer.body)) {
    if (line.start) start = line.start;
    else if (line.end) end = line.end;
    else if (line.gone) gone.push(line.gone);
    else {
      puts.push(sealPage(who, line.url, line.html).then((sealed) => [line.url, { sealed, etag: line.etag }]));
      if (start?.whole) progress?.(puts.length, start.pages, start.households);
    }
  }
  if (!end || start?.user !== who.user) return undefined; // cut off half-way, or somebody else signed in meanwhile
  const kept = await Promise.all(puts);
  const size = kept.reduce((sum, [, { sealed }]) => sum + sealed.byteLength, 0);
  if (size && !(await hasRoom(size))) return void (await note(setMeta(who.user, { fullAt: Date.now() })));
  // Signed out meanwhile: what would be kept now could be read by nobody, and should not be there.
  if ((await holder())?.user !== who.user) return undefined;
  const tx = (await store()).transaction(["pages", "meta"], "readwrite");
  const pages = tx.objectStore("pages");
  const writes = [];
  if (start.whole) writes.push(pages.delete(everyPageOf(who.user)));
  for (const url of gone) writes.push(pages.delete([who.user, url]));
  for (const [url, page] of kept) writes.push(pages.put(page, [who.user, url]));
  const said = { token: end.token, asked, at: start.at, build: start.build, packChange: end.change, csp: answer.headers.get("Content-Security-Policy") };
  for (const [name, value] of Object.entries(said)) writes.push(tx.objectStore("meta").put(value, [who.user, name]));
  await Promise.all([...writes, tx.done]);
  tell("pack");
  return end;
}

// A page that is kept by opening it, sealed like those of the pack; who has no pack knows by it when it was made. Gives
// whether it is on the phone now.
export async function keepPage(url) {
  const who = await holder();
  const packChange = who && (await meta(who.user, "change"));
  const answer = who && (await fetch(url, { cache: "no-store" }).catch(() => undefined));
  if (!answer?.ok || answer.redirected) return false;
  const sealed = await sealPage(who, url, await answer.text());
  if (!(await hasRoom(sealed.byteLength)) || (await holder())?.user !== who.user) return false;
  const isPackless = !(await meta(who.user, "token"));
  const tx = (await store()).transaction(["pages", "meta"], "readwrite");
  const pages = tx.objectStore("pages");
  // Of its kind only this one thing stays: last month's spot check need not lie on a phone that gets lost.
  const [, kind, id] = url.split("/");
  const older = (await pages.getAllKeys(everyPageOf(who.user))).filter(([, at]) => at.startsWith(`/${kind}/`) && !at.startsWith(`/${kind}/${id}`));
  const writes = [...older.map((key) => pages.delete(key)), pages.put({ sealed }, [who.user, url])];
  const said = isPackless ? { at: new Date().toISOString(), packChange, csp: answer.headers.get("Content-Security-Policy") } : {};
  for (const [name, value] of Object.entries(said)) writes.push(tx.objectStore("meta").put(value, [who.user, name]));
  return Promise.all([...writes, tx.done]).then(() => true, () => false);
}

// The facts about the doors: who lives where, what state, which door is next.
export async function doors() {
  const who = await holder();
  const found = who && (await (await store()).get("pages", [who.user, "/sync/doors"]));
  return found && JSON.parse(await openPage(who, "/sync/doors", found));
}
