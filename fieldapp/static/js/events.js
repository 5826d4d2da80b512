// What happened in a household: forms that the pack carries once for all doors. Which door it is says the address, who lives
// behind it the household's own page on this phone.
import { page } from "./store.js";

const FORMS = "form[data-kind=event]";

export function fitEvents() {
  // Before it is kept on the phone: in a list of what waits it says whom it is about.
  document.addEventListener("submit", ({ target }) => {
    if (target.matches(FORMS)) target.dataset.said = words(target);
  }, true);
  const found = location.pathname.match(/^\/households\/([0-9a-f-]{36})\/events\/new$/);
  if (found && document.querySelector(`${FORMS}[data-of=""]`)) fill(found[1]);
}

function words(form) {
  form.dataset.word ??= form.dataset.said;
  const typed = [...form.querySelectorAll("[name^=name-]")].map(({ value }) => value.trim());
  const chosen = [...form.querySelectorAll("[name=who]:checked, [name=everyone]:checked")].map((box) => box.closest("label").textContent.trim());
  return [form.dataset.word, [...typed, ...chosen].filter(Boolean).join("、")].filter(Boolean).join(" · ");
}

async function fill(household) {
  const home = `/households/${household}`;
  const kept = await page(home).catch(() => undefined);
  const row = kept && new DOMParser().parseFromString(kept.html, "text/html").querySelector("[data-people]");
  document.querySelector("[data-events-missing]").hidden = Boolean(row);
  document.querySelector("[data-back]").href = home;
  if (!row) return;
  const { people, place } = row.dataset;
  document.querySelector("[data-where]").textContent = place;
  for (const form of document.querySelectorAll(FORMS)) {
    form.action = `${home}/events`;
    Object.assign(form.dataset, { of: household, place, after: home });
  }
  const living = [...people.matchAll(/([0-9a-f-]{36}) (.*?)(?=,[0-9a-f-]{36} |$)/g)];
  for (const group of document.querySelectorAll("[data-who]")) {
    group.append(...living.map(([, key, name]) => pill(group.dataset, key, name)));
  }
}

function pill({ who, name }, value, word) {
  const label = Object.assign(document.createElement("label"), { className: "pill" });
  label.append(Object.assign(document.createElement("input"), { type: who, name, value }));
  label.append(Object.assign(document.createElement("span"), { textContent: word }));
  return label;
}
