// The tray: everything that waits, what is on its way, what needs somebody, and what has arrived today.
import { ask } from "./errands.js";
import { drop, fromFile, inside, inOrder, isWaiting, items, toFile } from "./outbox.js";
import { clock } from "./marks.js";
import { hear, holder, meta } from "./store.js";

const MET = ["met", "changed"];
let root, sending;

export function showTray() {
  root = document.getElementById("tray");
  if (!root) return;
  hear((what) => {
    sending = what?.sending ?? (what === "outbox" ? undefined : sending);
    draw();
  });
  document.addEventListener("click", clicked);
  root.querySelector("[data-read-file]").addEventListener("change", read);
  draw();
}

const byKind = (kind) => root.querySelector(`template[data-row=${kind}]`).content.firstElementChild.cloneNode(true);
const megabytes = (bytes) => (bytes / 1e6).toFixed(1);

let drawing, redraw;
// One drawing at a time; what is told meanwhile is drawn after.
async function draw() {
  if (drawing) return void (redraw = true);
  drawing = true;
  do {
    redraw = false;
    await drawOnce();
  } while (redraw);
  drawing = false;
}

async function drawOnce() {
  const who = await holder();
  const all = await items();
  const words = all.filter(({ kind }) => kind !== "photo");
  const photos = all.filter(({ kind }) => kind === "photo");
  const waiting = { words: inOrder(words.filter(isWaiting)), photos: photos.filter(isWaiting) };
  const refused = all.filter(({ state }) => state === "refused");
  const today = new Date().setHours(0, 0, 0, 0);
  const arrived = words.filter(({ state, sentAt }) => ["sent", "held"].includes(state) && Date.parse(sentAt) >= today).reverse();
  count("words", waiting.words.length);
  count("photos", waiting.photos.length);
  const bytes = waiting.photos.reduce((sum, { size }) => sum + size, 0);
  root.querySelector("[data-photo-bytes]").textContent = bytes ? ` · ${megabytes(bytes)} MB` : "";
  const rows = [...(await grouped(waiting.words)), ...(await photoRow(waiting.photos))];
  fill("waiting", rows, rows.length);
  fill("refused", await Promise.all(refused.map(refusal)), refused.length);
  fill("arrived", await Promise.all(arrived.map(arrival)), arrived.length);
  const empty = !rows.length && !refused.length;
  root.querySelector("[data-empty]").hidden = !empty || !who;
  root.querySelector("[data-nobody]").hidden = Boolean(who);
  const signIn = Boolean(who && (await meta(who.user, "signIn")));
  const silent = navigator.onLine === false || waiting.words.some(({ fault }) => fault?.status === 0);
  for (const [name, on] of Object.entries({ signin: signIn, silent: !signIn && silent && !empty, sending: !signIn && !silent && !empty })) {
    document.querySelector(`[data-tray-state=${name}]`).hidden = !on;
  }
}

function count(name, number) {
  root.querySelector(`[data-count=${name}]`).textContent = number;
}

function fill(name, rows, number) {
  const part = root.querySelector(`[data-part=${name}]`);
  part.hidden = !rows.length;
  part.querySelector("[data-number]").textContent = number;
  part.querySelector("ul").replaceChildren(...rows);
}

// "Nobody home" for an entrance is one line.
async function grouped(waiting) {
  const groups = new Map();
  for (const item of waiting) {
    const key = item.kind === "visit" && item.group ? item.group : item.id;
    groups.set(key, [...(groups.get(key) ?? []), item]);
  }
  return Promise.all([...groups.values()].map(line));
}

async function line(group) {
  const [first] = group;
  const { said, place, fields } = await inside(first);
  const row = byKind("waiting");
  const several = root.dataset.wordsSeveral;
  icon(row, first.urgent ? "alert" : iconOf(first), first.urgent);
  const where = group.length > 1 ? several.replace("__p", place.split(" ").slice(0, -1).join(" ")).replace("__n", group.length) : place;
  row.querySelector("[data-place]").textContent = where;
  row.querySelector("[data-urgent]").hidden = !first.urgent;
  const sentence = fields.find(([name]) => name === "sentence")?.[1];
  row.querySelector("[data-said]").textContent = [(first.urgent && sentence) || said, clock(first.madeAt)].join(" · ");
  chip(row, group.some(({ id }) => id === sending) ? "sending" : first.fault?.status >= 400 ? "again" : "waiting");
  return row;
}

async function photoRow(waiting) {
  if (!waiting.length) return [];
  const row = byKind("photos");
  row.querySelector("[data-number]").textContent = waiting.length;
  const on = waiting.some(({ id }) => id === sending);
  chip(row, on ? "sending" : "waiting");
  return [row];
}

async function refusal(item) {
  const { said, place, fields, because } = await inside(item);
  const row = byKind("refused");
  row.querySelector("[data-place]").textContent = place;
  const why = [because?.reason, ...Object.values(because?.fields ?? {})].filter(Boolean);
  row.querySelector("[data-reason]").textContent = [...new Set(why)].join(" ");
  row.querySelector("[data-wrote]").textContent = [said, ...fields.filter(([name, value]) => value && ["sentence", "promise"].includes(name)).map(([, value]) => value), clock(item.madeAt)].filter(Boolean).join(" · ");
  const change = row.querySelector("[data-change]");
  change.hidden = item.kind !== "visit";
  change.href = `/households/${item.of}/visits/new#again=${item.id}`;
  const away = row.querySelector("[data-drop]");
  away.dataset.drop = item.id;
  if (item.id === tapped) arm(away);
  return row;
}

async function arrival(item) {
  const { said, place, because } = await inside(item);
  const row = byKind("arrived");
  icon(row, item.kind === "visit" ? (MET.includes(item.outcome) ? "met" : item.outcome) : iconOf(item));
  row.querySelector("[data-place]").textContent = place;
  row.querySelector("[data-said]").textContent = [said, because?.reason, clock(item.madeAt)].filter(Boolean).join(" · ");
  row.querySelector("[data-held]").hidden = item.state !== "held";
  return row;
}

function iconOf({ kind, outcome }) {
  return { tick: "bookmark", fact: "edit", event: "people", photo: "photo", spot: "table", door: "nobody" }[kind] ?? (MET.includes(outcome) ? "waiting" : outcome);
}

function icon(row, name, alarming = false) {
  row.querySelector("svg.i use").setAttribute("href", `#i-${name}`);
  row.querySelector("svg.i").classList.toggle("state-overdue", alarming);
}

function chip(row, name) {
  for (const word of row.querySelectorAll("[data-chip]")) word.hidden = word.dataset.chip !== name;
}

async function clicked(event) {
  const button = event.target.closest("[data-send-now], [data-save-file], [data-drop], [data-show]");
  if (!button) return;
  if ("sendNow" in button.dataset) await ask();
  if ("saveFile" in button.dataset) await saveFile();
  if ("show" in button.dataset) button.closest("li").querySelector("[data-wrote]").toggleAttribute("hidden");
  if (button.dataset.drop) await confirmDrop(button);
}

// Twice tapped: the first tap asks, and the row that is drawn anew between the two has not forgotten it.
let tapped;
async function confirmDrop(button) {
  if (button.dataset.sure !== undefined) return drop(button.dataset.drop);
  tapped = button.dataset.drop;
  arm(button);
}

function arm(button) {
  button.dataset.sure = "";
  button.textContent = button.dataset.words;
}

async function saveFile() {
  const link = document.createElement("a");
  link.href = URL.createObjectURL(await toFile());
  link.download = `fieldapp-${new Date().toISOString().slice(0, 10)}.outbox.json`;
  link.click();
  setTimeout(() => URL.revokeObjectURL(link.href), 60_000);
}

async function read(event) {
  const [file] = event.target.files;
  event.target.value = "";
  if (!file) return;
  const got = await fromFile(file);
  const said = root.querySelector("[data-file-said]");
  said.hidden = false;
  said.textContent = typeof got === "number" ? said.dataset.read.replace("__", got) : said.dataset[got];
  if (got > 0) ask();
}
