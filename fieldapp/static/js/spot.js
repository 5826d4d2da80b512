// A spot check, at the table or alone: one question a screen, each answer kept on the phone before anything else.
// Without this the page is a list of forms. Nothing here knows a clock: nobody is timed.
import { ask } from "./errands.js";
import { inside, items, keep, newId, NobodyHere, NoRoom } from "./outbox.js";
import { able, hear } from "./store.js";

let root, forms, now;

export function runSpot() {
  const printing = document.querySelector("[data-print]");
  printing?.removeAttribute("hidden");
  printing?.addEventListener("click", () => print());
  root = document.querySelector("[data-run]");
  forms = [...(root?.querySelectorAll("form[data-question]") ?? [])];
  if (!forms.length) return;
  document.body.classList.add("one-by-one");
  document.addEventListener("submit", answered, true);
  document.addEventListener("click", clicked);
  for (const form of forms.slice(1)) form.querySelector("[data-before]").hidden = false;
  document.querySelector("[data-next-household]").hidden = false;
  hear((what) => what === "outbox" && recount());
  begin();
}

// What this phone has kept is answered, whether the page knows of it or not; then the first question that is open.
async function begin() {
  if (able()) await overlay();
  const chosen = location.hash.startsWith("#h-") && document.getElementById(location.hash.slice(1))?.querySelector("form");
  const from = chosen ? forms.indexOf(chosen) : 0;
  show([...forms.slice(from), ...forms.slice(0, from)].find((form) => !form.dataset.done));
}

async function overlay() {
  for (const item of await items()) {
    if (item.kind !== "spot" || item.state === "refused") continue;
    const { path, said } = await inside(item);
    const form = forms.find((one) => new URL(one.action).pathname === path);
    if (form) settle(form, said);
  }
}

function settle(form, said) {
  form.dataset.done = said;
  form.querySelector("[data-verdict]").textContent = said;
  root.querySelector(`[data-step="${form.dataset.question}"]`).classList.add("done");
}

// Show one question with its household; none: everything was asked.
function show(form) {
  now = form;
  for (const one of root.querySelectorAll("[data-household], form[data-question]")) one.classList.remove("now");
  for (const step of root.querySelectorAll("[data-step]")) step.classList.remove("now");
  root.querySelector("[data-finish]").hidden = Boolean(form);
  if (!form) return finish();
  const household = form.closest("[data-household]");
  household.classList.add("now");
  form.classList.add("now");
  root.querySelector(`[data-step="${form.dataset.question}"]`).classList.add("now");
  const all = root.querySelectorAll("[data-household]").length;
  document.querySelector("[data-run-title]").textContent = root.dataset.ofHouseholds.replace("__n", household.dataset.number).replace("__a", all);
  document.querySelector("[data-run-who]").textContent = household.dataset.who;
  form.querySelector("[data-answered]").hidden = !form.dataset.done;
  for (const part of form.querySelectorAll("[data-open]")) part.hidden = Boolean(form.dataset.done);
  const reveal = form.querySelector("details");
  if (reveal) reveal.open = Boolean(form.dataset.done);
  scrollTo({ top: 0 });
  form.querySelector("h3").focus({ preventScroll: true });
}

async function finish() {
  document.querySelector("[data-run-title]").textContent = document.title;
  document.querySelector("[data-run-who]").textContent = "";
  await recount();
}

async function recount() {
  const waiting = (await items()).filter(({ kind, state }) => kind === "spot" && state === "waiting").length;
  root.querySelector("[data-waiting-answers]").textContent = waiting;
  root.querySelector("[data-finish-waiting]").hidden = !waiting;
  root.querySelector("[data-finish-sent]").hidden = Boolean(waiting);
}

// The next open question: of this household first, then of the next ones; from the start where somebody jumped ahead.
function next(from) {
  const at = forms.indexOf(from);
  const later = [...forms.slice(at + 1), ...forms.slice(0, at)];
  return later.find((form) => !form.dataset.done);
}

async function answered(event) {
  const form = event.target;
  if (!forms.includes(form) || !able() || form.dataset.online) return;
  event.preventDefault();
  event.stopImmediatePropagation();
  if (form.dataset.sent || form.dataset.done) return;
  form.dataset.sent = "1";
  const { submitter } = event;
  try {
    const id = newId();
    const fields = [["answer_id", id], ["way", root.dataset.way], [submitter.name, submitter.value]];
    const { sample, place } = form.dataset;
    await keep([{ id, kind: "spot", of: sample, path: new URL(form.action).pathname, fields, said: submitter.dataset.said, place }]);
  } catch (error) {
    if (!(error instanceof NobodyHere || error instanceof NoRoom)) throw error;
    return online(form, submitter, error);
  } finally {
    delete form.dataset.sent;
  }
  settle(form, submitter.dataset.said);
  send();
  show(next(form));
}

// No key yet, or not even words find room: with signal the server takes the form itself.
function online(form, submitter, error) {
  if (error instanceof NoRoom) document.querySelector("[data-full]").hidden = false;
  if (navigator.onLine === false) return;
  form.dataset.online = "1";
  form.requestSubmit(submitter);
}

async function send() {
  await ask();
  const registration = await navigator.serviceWorker?.getRegistration();
  registration?.sync?.register("outbox").catch(() => {});
}

function clicked({ target }) {
  const at = forms.indexOf(now);
  if (target.closest("[data-before]")) show(forms[Math.max(at - 1, 0)]);
  if (target.closest("[data-after]")) show(forms[at + 1] ?? next(now));
  if (target.closest("[data-look-back]")) show(forms[0]);
  if (target.closest("[data-next-household]")) {
    const here = now?.closest("[data-household]");
    const following = here?.nextElementSibling;
    show(following?.matches("[data-household]") ? following.querySelector("form[data-question]") : forms[0]);
  }
}
