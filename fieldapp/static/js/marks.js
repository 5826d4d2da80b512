// What waits on this phone is seen wherever it matters: Today's line and rows, the matrix's cells, a household's visits.
// Pages say where by `data-door-of`, `data-waiting-visits`, `data-tick-of`; each is marked by its key, so never twice.
import { inside, items } from "./outbox.js";
import { doors } from "./pack.js";
import { holder, meta } from "./store.js";

const MET = ["met", "changed"];
const zone = { timeZone: "Asia/Shanghai" };
// Made once: making one takes longer than all the rest of marking a page.
const [days, months] = [
  new Intl.DateTimeFormat("sv-SE", { ...zone, dateStyle: "short" }),
  new Intl.DateTimeFormat("sv-SE", { ...zone, year: "numeric", month: "2-digit" }),
];

// 9:12, or with its day when that is not today.
export function clock(moment) {
  const at = new Date(moment);
  const lang = document.documentElement.lang;
  const time = new Intl.DateTimeFormat(lang, { ...zone, hour: "numeric", minute: "2-digit", hour12: false }).format(at);
  const day = (when) => new Intl.DateTimeFormat(lang, { ...zone, month: "short", day: "numeric" }).format(when);
  return day(at) === day(new Date()) ? time : `${day(at)} ${time}`;
}

// A phone's day and month are the community's.
export const dayOf = (moment) => days.format(new Date(moment));
const monthOf = (moment) => months.format(new Date(moment));

const counts = ({ kind, outcome, state }) => kind === "visit" && MET.includes(outcome) && !["refused", "held"].includes(state);

// Households that were met this month by what is only on this phone: not counted by the server's figures in `facts`.
export function met(facts, all) {
  const known = new Set(facts.doors.filter((door) => door.met).map(({ h }) => h));
  const corrected = new Set(all.filter(({ state }) => state !== "refused").map(({ corrects }) => corrects));
  const mine = all.filter((item) => counts(item) && !corrected.has(item.id) && monthOf(item.madeAt) === facts.month);
  return new Set(mine.map(({ of }) => of).filter((of) => !known.has(of)));
}

export function fillProgress(line, facts, waiting) {
  const priority = facts.doors.filter(({ h, pri }) => pri && !waiting.has(h)).length;
  show(line, { met: facts.met, quota: facts.quota, waiting: waiting.size, priority, days: facts.working_days_left });
}

function show(line, { met: done, quota, waiting, priority, days }) {
  line.querySelector(".answer-met").textContent = done + waiting;
  line.querySelector("[data-quota]").textContent = quota;
  line.querySelector("[data-priority]").textContent = priority;
  line.querySelector("[data-days]").textContent = days;
  const ticks = line.querySelector(".ticks");
  const bar = line.querySelector("progress");
  if (bar) Object.assign(bar, { max: quota, value: Math.min(done + waiting, quota), hidden: quota <= 40 });
  if (!ticks) return;
  ticks.toggleAttribute("hidden", quota > 40);
  const first = ticks.querySelector("path");
  if (quota <= 40 && ticks.querySelectorAll("path").length !== quota) {
    ticks.setAttribute("viewBox", `0 0 ${quota * 20} 28`);
    ticks.replaceChildren(...Array.from({ length: quota }, (_, i) => {
      const tick = first.cloneNode();
      tick.setAttribute("d", `M${i * 20 + 3} 26V9a7 7 0 0 1 14 0V26z`);
      return tick;
    }));
  }
  ticks.querySelectorAll("path").forEach((tick, i) => {
    tick.setAttribute("class", i < done ? "tick-met" : i < done + waiting ? "tick-wait" : "tick");
  });
}

// Mark the page for what waits. On a page of the phone, also what is on the server and not yet in the pack.
export async function mark() {
  const all = await items();
  // What reached the server since this page was made is not on it either.
  const packed = Number(document.body.dataset.change ?? Infinity);
  const shown = all.filter(({ state, change, doneAt }) => state !== "sent" || change > packed || doneAt >= performance.timeOrigin);
  document.querySelectorAll("[data-marked]").forEach(clean);
  for (const item of shown) {
    if (item.kind === "visit" && item.state !== "refused") {
      for (const place of document.querySelectorAll(`[data-door-of="${item.of}"]`)) markDoor(place, item);
    }
    if (item.kind === "tick") markTick(item);
    if (item.kind === "door") document.querySelectorAll(`[data-asked-at="${item.of}"]`).forEach((place) => markAsked(place, item));
  }
  await listVisits(shown);
  await listFacts(shown);
  await listEvents(shown);
  const line = document.querySelector(".answer[data-own]");
  if (line) await standing(line, all, shown);
}

// How the month stands, by the page or by the pack, whichever is newer, and by what neither knows.
async function standing(line, all, shown) {
  const [who, facts] = [await holder(), await doors()];
  if (!facts) return;
  const [change, asked] = [await meta(who.user, "packChange"), await meta(who.user, "asked")];
  if (asked < performance.timeOrigin) progress(line, facts, met(facts, shown));
  else fillProgress(line, facts, met(facts, all.filter((item) => item.state !== "sent" || item.change > change)));
}

function progress(line, facts, waiting) {
  const { met: done, quota, priority, days } = line.dataset;
  const left = facts.doors.filter(({ h, pri }) => pri && waiting.has(h)).length;
  show(line, { met: Number(done), quota: Number(quota), waiting: waiting.size, priority: Math.max(priority - left, 0), days });
}

function clean(place) {
  place.classList.remove("waits");
  place.querySelectorAll("[data-mark]").forEach((mark) => mark.remove());
  place.removeAttribute("data-marked");
}

function part(name) {
  return document.getElementById(`mark-${name}`).content.firstElementChild.cloneNode(true);
}

function markDoor(place, item) {
  clean(place);
  place.setAttribute("data-marked", item.outcome);
  place.classList.add("waits");
  const outcome = MET.includes(item.outcome) ? "waiting" : item.outcome;
  const icon = place.querySelector("svg.i");
  icon?.querySelector("use").setAttribute("href", `#i-${outcome}`);
  icon?.setAttribute("class", `i state-${outcome === "waiting" ? "met" : outcome}`);
  const chips = place.querySelector(".chips");
  if (chips) chips.prepend(part(item.state));
  else place.append(part(outcome === "waiting" ? "waits" : "up"));
}

// What a resident said to a checker at the door.
function markAsked(place, item) {
  clean(place);
  place.setAttribute("data-marked", "door");
  place.lastElementChild.before(part(item.state));
}

function markTick(item) {
  for (const form of document.querySelectorAll(`form[data-door=tick][action="${item.group}"]`)) {
    form.replaceChildren(part(item.state));
  }
}

// What was saved at this household, on top of what the server has logged.
async function listVisits(shown) {
  const list = document.querySelector("[data-waiting-visits]");
  if (!list) return;
  const here = shown.filter(({ kind, of }) => kind === "visit" && of === list.dataset.waitingVisits);
  const rows = [];
  for (const item of here.reverse()) {
    if (document.querySelector(`[data-visit="${item.id}"]`)) continue;
    const { said, fields } = await inside(item);
    const row = document.getElementById("waiting-visit").content.firstElementChild.cloneNode(true);
    const outcome = MET.includes(item.outcome) ? "waiting" : item.outcome;
    row.querySelector("svg.i use").setAttribute("href", `#i-${outcome}`);
    row.querySelector("[data-said]").textContent = said;
    row.querySelector("[data-sentence]").textContent = fields.find(([name]) => name === "sentence")?.[1] ?? "";
    row.querySelector("[data-time]").textContent = clock(item.madeAt);
    row.querySelector(".chips").append(part(item.state));
    rows.push(row);
  }
  list.replaceChildren(...rows);
  list.hidden = !rows.length;
}

// What was changed of somebody, under their name: the page itself says still what it said before.
async function listFacts(shown) {
  const lines = [];
  for (const item of shown.filter(({ kind }) => kind === "fact")) {
    const { said, path } = await inside(item);
    const form = document.querySelector(`form[data-door=fact][action="${path}"]`);
    if (!form) continue;
    const line = Object.assign(document.createElement("p"), { className: "changed", textContent: said });
    line.append(part(item.state));
    lines.push([form.parentElement, line]);
  }
  document.querySelectorAll("p.changed").forEach((line) => line.remove());
  for (const [details, line] of lines) details.after(line);
}

// What was written down of this household's people coming and going, under the way to it.
async function listEvents(shown) {
  const row = document.querySelector("a[data-people]");
  if (!row) return;
  const home = row.getAttribute("href").split("/")[2];
  const lines = [];
  for (const item of shown.filter(({ kind, of }) => kind === "event" && of === home)) {
    const line = Object.assign(document.createElement("p"), { className: "changed", textContent: (await inside(item)).said });
    line.append(part(item.state));
    lines.push(line);
  }
  row.parentElement.querySelectorAll("p.changed").forEach((line) => line.remove());
  row.after(...lines);
}
