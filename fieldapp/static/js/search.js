// Without signal a search looks through the doors on this phone; with signal the server answers, by every resident.
import { doors } from "./pack.js";
import { able } from "./store.js";

const MOST = 30;

export function searchHere() {
  const form = document.querySelector("form[role=search]");
  const words = document.getElementById("found-here");
  if (!form || !words || !able()) return;
  const here = () => document.body.dataset.asOf !== undefined || navigator.onLine === false;
  let soon;
  const look = (event) => {
    if (event.type !== "htmx:error" && !here()) return;
    event.preventDefault();
    event.stopImmediatePropagation();
    clearTimeout(soon);
    soon = setTimeout(() => show(form.elements.q.value, words), 100);
  };
  form.addEventListener("submit", look, true);
  form.addEventListener("input", look, true);
  document.addEventListener("htmx:error", look);
}

async function show(typed, words) {
  const facts = await doors();
  const found = facts ? facts.doors.filter(matcher(typed, facts.buildings)).slice(0, MOST) : [];
  const list = words.content.cloneNode(true);
  list.querySelector("[data-some]").hidden = !found.length;
  list.querySelector("[data-none]").hidden = Boolean(found.length);
  list.querySelector("[data-number]").textContent = found.length;
  const ul = list.querySelector("ul");
  const row = ul.firstElementChild;
  ul.replaceChildren(...found.map((door) => {
    const one = row.cloneNode(true);
    const building = facts.buildings[door.b];
    one.querySelector("a").href = `/households/${door.h}`;
    one.querySelector("[data-room]").textContent = door.r;
    one.querySelector("[data-name]").textContent = door.n ?? "";
    one.querySelector("[data-place]").textContent = building.courtyard ? building.name : ul.dataset.entrance.replace("__b", building.name).replace("__e", door.e);
    return one;
  }));
  ul.hidden = !found.length;
  document.getElementById("found").replaceChildren(...(typed.trim() ? [list] : []));
}

// Name, pinyin or initials, room, building and room, or the last four digits of a phone: as the server finds them.
function matcher(typed, buildings) {
  const text = typed.trim().toLowerCase();
  const place = /^(\S+?)\s*(?:号楼|栋|幢|号|院)?[\s\-—_/]+(\S+)$/.exec(text) ?? /^(\S+?)(?:号楼|栋|幢|院)(\d\S*)$/.exec(text);
  const joined = text.replace(/\s/g, "");
  if (!joined) return () => false;
  if (place && /\d/.test(place[2])) return ({ b, r }) => buildings[b].name.toLowerCase().startsWith(place[1]) && r.toLowerCase().startsWith(place[2]);
  if (/^\d+$/.test(joined)) return ({ r, t }) => r.startsWith(joined) || t?.includes(joined);
  if (/^[a-z]+$/.test(joined)) return ({ p }) => p?.split(" ").some((word) => word.startsWith(joined));
  return ({ n, b, q }) => [n, ...(q ?? [])].some((name) => name?.toLowerCase().startsWith(joined)) || buildings[b].name.toLowerCase().startsWith(joined);
}
