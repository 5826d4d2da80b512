// What is shown after saving: that it is on this phone, whether it is on the server yet, how the month stands, the next door.
import { inside, items } from "./outbox.js";
import { doors } from "./pack.js";
import { clock, dayOf, fillProgress, met } from "./marks.js";
import { hear } from "./store.js";

let shown;

// Put the screen in place of the form: no page is asked for, so it is there within a tap's time.
export async function showSaved(id, { noRoom = false } = {}) {
  const screen = document.getElementById("saved-screen")?.content.cloneNode(true);
  if (!screen) {
    location.assign(`/saved#${id}`);
    return;
  }
  const [header, ...rest] = screen.children;
  document.querySelector("header.top").replaceWith(header);
  document.getElementById("main").replaceChildren(...rest);
  history.replaceState(null, "", `/saved#${id}`);
  document.title = header.dataset.title;
  scrollTo({ top: 0 });
  await fill(id);
  if (noRoom) document.querySelector("[data-no-room]").hidden = false;
}

export async function fill(id) {
  shown = id;
  await refresh();
}

hear(() => shown && refresh());

async function refresh() {
  const [all, facts] = await Promise.all([items(), doors()]);
  const found = all.find(({ id }) => id === shown);
  const root = document.getElementById("main");
  if (!found || !root.querySelector("[data-state]")) return;
  const { said, place, because, fields } = await inside(found);
  const photos = all.filter(({ visit }) => visit === found.id);
  const bad = photos.find(({ state }) => state === "refused");
  const badBecause = bad && (await inside(bad)).because;
  for (const part of root.querySelectorAll("[data-state]")) part.hidden = !part.dataset.state.split(" ").includes(found.state);
  root.querySelector("[data-place]").textContent = place;
  root.querySelector("[data-said]").textContent = said;
  // A time that was typed is the community's wall clock; on an earlier day it is written down late.
  const typed = fields.find(([name]) => name === "visited_at")?.[1];
  root.querySelector("[data-time]").textContent = clock(typed ? `${typed}+08:00` : found.madeAt);
  root.querySelector("[data-late]").hidden = !typed || typed.slice(0, 10) >= dayOf(found.madeAt);
  root.querySelector("[data-photos]").hidden = !photos.length;
  root.querySelector("[data-photo-count]").textContent = photos.length;
  root.querySelector("[data-photo-refused]").hidden = !bad;
  root.querySelector("[data-photo-reason]").textContent = badBecause?.reason ?? "";
  root.querySelector("[data-correct]").href = `/households/${found.of}/visits/new#corrects=${found.id}`;
  root.querySelector("[data-reason]").textContent = because?.reason ?? "";
  const icon = found.outcome === "changed" ? "met" : found.outcome;
  root.querySelector("[data-icon] use").setAttribute("href", `#i-${found.state === "waiting" && icon === "met" ? "waiting" : icon}`);
  if (facts) standing(root, found, all, facts);
}

function standing(root, found, all, facts) {
  const line = root.querySelector(".answer");
  line.hidden = false;
  fillProgress(line, facts, met(facts, all));
  const touched = new Set(all.filter(({ kind, state }) => kind === "visit" && state !== "refused").map(({ of }) => of));
  const here = facts.doors.find(({ h }) => h === found.of);
  const next = here?.next.map((i) => facts.doors[i]).find(({ h }) => !touched.has(h));
  for (const part of root.querySelectorAll("[data-next]")) part.hidden = !next;
  for (const part of root.querySelectorAll("[data-no-next]")) part.hidden = Boolean(next);
  if (!next) return;
  const building = facts.buildings[next.b];
  const words = root.querySelector("[data-next-place]").dataset;
  const stairwell = building.courtyard ? building.name : words.entrance.replace("__b", building.name).replace("__e", next.e);
  root.querySelector("[data-next-room]").textContent = next.r;
  root.querySelector("[data-next-name]").textContent = next.n ?? "";
  root.querySelector("[data-next-place]").textContent = next.b === here.b && next.e === here.e ? "" : stairwell;
  root.querySelector("[data-next-icon] use").setAttribute("href", `#i-${next.s}`);
  root.querySelector("[data-next-household]").href = `/households/${next.h}`;
  const go = root.querySelector("[data-next-visit]");
  go.href = `/households/${next.h}/visits/new`;
  go.textContent = go.dataset.words.replace("__r", next.r).replace("__n", next.n ?? "").trim();
}
