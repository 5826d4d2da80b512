// Loaded by every page: htmx, what this phone keeps and sends, and a few small comforts. Pages work without it.
import "htmx.org";
import "./install.js";
import { catchForms } from "./door.js";
import { fitEvents } from "./events.js";
import { fitFacts } from "./facts.js";
import { sortByWalk } from "./nearby.js";
import { start } from "./phone.js";
import { fill } from "./saved.js";
import { searchHere } from "./search.js";
import { runSpot } from "./spot.js";
import { showTray } from "./tray.js";

fitEvents();
fitFacts(); // before what is typed is caught
catchForms();
searchHere();
sortByWalk();
runSpot();
showTray();
if (document.querySelector("[data-saved]")) fill(location.hash.slice(1));
start();

// A form is sent once: a second tap while it is on its way does nothing.
document.addEventListener("submit", (event) => {
  const form = event.target;
  if (event.defaultPrevented || form.hasAttribute("hx-post") || form.hasAttribute("data-again")) return;
  if (form.dataset.sent) event.preventDefault();
  form.dataset.sent = "1";
  form.setAttribute("aria-busy", "true");
  form.querySelector("[data-while-sending]")?.removeAttribute("hidden");
  setTimeout(() => again(form), 30000);
});
addEventListener("pageshow", () => document.querySelectorAll("[data-sent]").forEach(again));
function again(form) {
  delete form.dataset.sent;
  form.removeAttribute("aria-busy");
  form.querySelector("[data-while-sending]")?.setAttribute("hidden", "");
}

// What a select or a checkbox changes by itself is sent by itself.
document.addEventListener("change", (event) => {
  if (event.target.matches("[data-send]")) event.target.form.requestSubmit();
});

// The empty search closes its answers.
document.addEventListener("input", (event) => {
  if (event.target.matches("[data-search]") && !event.target.value.trim()) document.getElementById("found")?.replaceChildren();
});
document.addEventListener("click", (event) => {
  const closer = event.target.closest("[data-close-search]");
  if (!closer) return;
  document.getElementById("found").replaceChildren();
  const box = document.querySelector("[data-search]");
  box.value = "";
});

// Nobody home behind several doors: a tap on an entrance chooses every door there that was not met this month.
const chooser = document.getElementById("chosen");
if (chooser) {
  const boxes = [...chooser.querySelectorAll("input[name=households]")];
  const say = () => {
    const count = boxes.filter((box) => box.checked).length;
    for (const said of chooser.querySelectorAll("[data-chosen]")) {
      said.textContent = count ? said.dataset.some.replace("__", count) : said.dataset.none;
    }
  };
  chooser.addEventListener("click", (event) => {
    const button = event.target.closest("[data-entrance]");
    if (!button) return;
    const wanted = button.getAttribute("aria-pressed") !== "true";
    button.setAttribute("aria-pressed", wanted);
    for (const box of boxes) {
      const isMet = "met" in box.dataset || box.closest("[data-marked=met], [data-marked=changed]"); // marks.js: still waiting here
      if (box.dataset.of === button.dataset.entrance && !isMet) box.checked = wanted;
    }
    say();
  });
  chooser.addEventListener("change", say);
  addEventListener("pageshow", say);
}
