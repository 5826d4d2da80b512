// Forms that are filled at a door: kept on the phone first, sent after. Where that cannot be, they go the ordinary way.
import { ask } from "./errands.js";
import { inside, item, keep, newId, NobodyHere, NoRoom } from "./outbox.js";
import { recall, remember } from "./install.js";
import { able } from "./store.js";
import { showSaved } from "./saved.js";

export function catchForms() {
  document.addEventListener("submit", caught, true);
  const [what, id] = location.hash.slice(1).split("=");
  const form = document.querySelector("form[data-door=visit]");
  if (form && able() && (what === "corrects" || what === "again")) fill(form, what, id);
}

async function caught(event) {
  const form = event.target;
  if (!form.dataset.door || !able() || form.dataset.online) return;
  event.preventDefault();
  event.stopImmediatePropagation();
  if (form.dataset.sent) return;
  form.dataset.sent = "1";
  form.setAttribute("aria-busy", "true");
  try {
    await handlers[form.dataset.door](form, event.submitter);
    remember("saved", Number(recall("saved")) + 1);
    askToStay();
  } catch (error) {
    if (error instanceof NobodyHere || error instanceof NoRoom) online(form, event.submitter, error);
    else throw error;
  } finally {
    delete form.dataset.sent;
    form.removeAttribute("aria-busy");
  }
}

// No key yet, or not even words find room: with signal the server takes the form itself, and what is typed stays either way.
function online(form, submitter, error) {
  if (error instanceof NoRoom) document.querySelector("[data-full]")?.removeAttribute("hidden");
  if (navigator.onLine === false) return;
  form.dataset.online = "1";
  form.requestSubmit(submitter ?? undefined);
}

function pairs(form) {
  return [...new FormData(form)].filter(([, value]) => typeof value === "string");
}

const set = (fields, name, value) => [...fields.filter(([other]) => other !== name), [name, value]];
const path = (form) => new URL(form.action).pathname;

const handlers = {
  async visit(form) {
    const outcome = form.querySelector("input[name=outcome]:checked");
    const need = form.querySelector("[data-need-outcome]");
    if (!outcome || !form.checkValidity()) {
      need.hidden = Boolean(outcome);
      if (!outcome) scrollTo({ top: 0 });
      else form.reportValidity();
      return;
    }
    const id = newId();
    const { again } = form.dataset;
    const said = outcome.closest("label").querySelector("span").firstChild.textContent.trim();
    const { of, place } = form.dataset;
    const corrects = form.elements.corrects_id?.value;
    const entry = { id, kind: "visit", of, corrects, outcome: outcome.value, urgent: form.elements.urgent.checked, path: path(form), fields: set(pairs(form), "visit_id", id), said, place, instead: again };
    await keep([entry]);
    const photos = (await form.smallPhotos?.()) ?? [];
    const noRoom = photos.length > 0 && !(await keepPhotos(entry, photos));
    await showSaved(id, { noRoom });
    send();
  },

  async nobody(form) {
    const group = newId();
    const entries = [...form.querySelectorAll("input[name=households]:checked")].map((box) => {
      const id = newId();
      return { id, group, kind: "visit", of: box.value, outcome: "nobody", path: `/households/${box.value}/visits`, fields: [["visit_id", id], ["outcome", "nobody"], ["way", "door"]], said: form.dataset.said, place: `${form.dataset.place} ${box.dataset.room}` };
    });
    if (!entries.length) {
      form.querySelector("[data-need]").hidden = false;
      return;
    }
    await keep(entries);
    send();
    location.replace(form.dataset.after);
  },

  async tick(form) {
    const { of, place, said } = form.dataset;
    await keep([{ id: newId(), kind: "tick", of, group: path(form), path: path(form), fields: pairs(form), said, place }]);
    send();
  },

  // Any other form of a door: `data-kind` names it in the tray, `data-key` the field that carries its key.
  async form(form) {
    if (!form.reportValidity()) return;
    const id = newId();
    const { of, place, said, kind, key, after } = form.dataset;
    await keep([{ id, kind, of, path: path(form), fields: set(pairs(form), key, id), said, place }]);
    send();
    const around = form.closest("details");
    around?.removeAttribute("open");
    around?.scrollIntoView({ block: "nearest" });
    form.reset();
    if (after) location.assign(after);
  },

  async fact(form) {
    if (!form.reportValidity()) return;
    const id = newId();
    const { of, place, said } = form.dataset;
    await keep([{ id, kind: "fact", of, path: path(form), fields: set(pairs(form), "change_id", id), said, place }]);
    send();
    form.closest("details")?.removeAttribute("open");
    form.reset();
  },
};

// One by one: as many as find room.
async function keepPhotos({ id, of, place }, photos) {
  try {
    for (const bytes of photos) {
      await keep([{ id: newId(), kind: "photo", of, visit: id, path: `/visits/${id}/photos`, fields: [], bytes, place }]);
    }
    return true;
  } catch (error) {
    if (error instanceof NoRoom) {
      remember("full", Date.now());
      return false;
    }
    throw error;
  }
}

async function send() {
  await ask();
  const registration = await navigator.serviceWorker?.getRegistration();
  // Where the browser can, it sends what is left when this page is long closed.
  registration?.sync?.register("outbox").catch(() => {});
}

// The browser is asked once not to throw away what was saved.
function askToStay() {
  if (recall("stay")) return;
  remember("stay", "asked");
  navigator.storage?.persist?.().catch(() => {});
}

// Fill the form with what was written before: to correct it, or to send it again in place of what was refused.
async function fill(form, what, id) {
  const before = await item(id);
  if (!before) return;
  const { fields } = await inside(before);
  for (const input of form.querySelectorAll("input, textarea, select")) {
    const values = fields.filter(([name]) => name === input.name).map(([, value]) => value);
    if (["radio", "checkbox"].includes(input.type)) input.checked = values.includes(input.value);
    else if (input.type !== "file" && values.length && input.name !== "visit_id") input.value = values[0];
  }
  if (what === "again") form.dataset.again = id;
  const corrected = what === "corrects" ? id : fields.find(([name]) => name === "corrects_id")?.[1];
  if (corrected) form.append(Object.assign(document.createElement("input"), { type: "hidden", name: "corrects_id", value: corrected }));
  if (!form.elements.visited_at.value) form.elements.visited_at.value = wallClock(before.madeAt);
}

// A moment as `datetime-local` writes it, in the community's zone.
function wallClock(moment) {
  const parts = new Intl.DateTimeFormat("sv-SE", { timeZone: "Asia/Shanghai", dateStyle: "short", timeStyle: "short" });
  return parts.format(new Date(moment)).replace(" ", "T");
}
