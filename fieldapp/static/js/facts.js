// Changing a fact in place: the field that fits what was chosen, with what is on record. Without this it is a plain field.
const OF_ONE = "form[data-door=fact]";

export function fitFacts() {
  document.addEventListener("change", ({ target }) => {
    const form = target.closest(OF_ONE);
    if (!form) return;
    if (target.name === "field") fit(form).focus();
    if (target.name === "none") for (const input of form.querySelectorAll("[name=value]")) input.disabled = target.checked;
  });
  // Opening does not bubble.
  document.addEventListener("toggle", ({ target }) => {
    const form = target.open ? target.querySelector(`:scope > ${OF_ONE}`) : undefined;
    if (form?.querySelector("[data-field]")) fit(form);
  }, true);
  // Before what is typed is kept on the phone: in a list of what waits it is said in words, not in a standard's codes.
  document.addEventListener("submit", ({ target }) => {
    if (target.matches(OF_ONE)) target.dataset.said = words(target);
  }, true);
}

function fit(form) {
  const key = form.elements.field.value;
  const place = form.querySelector("[data-field]");
  place.replaceChildren(document.querySelector(`template[data-fact=${key}]`).content.cloneNode(true));
  const seen = form.elements[`saw-${key}`]?.value ?? "";
  for (const input of place.querySelectorAll("[name=value]")) {
    if (input.type === "radio") input.checked = input.value === (seen || "0");
    else if (!("blank" in input.dataset)) input.value = seen;
  }
  return place.querySelector("[name=value]");
}

function words(form) {
  const chosen = form.querySelector("[name=none]:checked") ?? form.querySelector("[type=radio]:checked");
  const typed = form.querySelector("[name=value]");
  const isNumber = form.elements.field.value === "id_number";
  const plain = isNumber ? typed.value.replace(/^(.{6}).*(.{4})$/, "$1********$2") : typed.value;
  const value = chosen ? chosen.closest("label").textContent : typed.selectedOptions?.[0]?.text ?? plain;
  form.dataset.who ??= form.dataset.said.split(" · ")[0];
  const what = form.elements.field.selectedOptions?.[0]?.text;
  return [form.dataset.who, what && "·", what, value.trim()].filter(Boolean).join(" ");
}
