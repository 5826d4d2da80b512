// Today in walking order: the stairwells of the page, sorted on the phone, from where one stands or from the first one.
// Where one stands is asked for by the button alone, is not kept and goes nowhere.
import { recall, remember } from "./install.js";
import { walk } from "./walk.js";
import { forgetWay, keepWay, keptWay } from "./way.js";

const CHOICE = "doors-by";

export function sortByWalk() {
  const head = document.querySelector("[data-walk-head]");
  const button = document.querySelector("[data-walk]");
  const sections = [...document.querySelectorAll("section[data-stop]")];
  const placed = sections.filter((section) => section.dataset.at);
  if (!head || !button || placed.length < 2) return;
  const user = head.dataset.user;
  const stops = placed.map((section) => ({
    key: section.dataset.stop,
    building: section.dataset.stop.split("/")[0],
    name: section.querySelector("h2").textContent.trim(),
    at: section.dataset.at.split(" ").map(Number),
    section,
  }));
  const after = document.createComment("");
  sections.at(-1).after(after);
  let asked = 0;

  const put = (ordered) => after.before(...ordered, ...sections.filter((section) => !ordered.includes(section)));

  function say(kind, metres, where) {
    for (const said of head.querySelectorAll("[data-walk-said]")) said.hidden = said.dataset.walkSaid !== kind;
    for (const slot of head.querySelectorAll("[data-metres]")) slot.textContent = Math.ceil(metres / 10) * 10;
    for (const slot of head.querySelectorAll("[data-where]")) slot.textContent = where;
  }

  function order(kind, start) {
    const found = walk(stops, start);
    const ordered = found.order.map((i) => stops[i]);
    put(ordered.map(({ section }) => section));
    say(kind, found.metres, ordered[0].name);
    keepWay(user, ordered.map(({ key, name, at }) => ({ key, name, at })));
  }

  // Without a place to stand: on from the first stop of the last walk that is still there, else from the most urgent.
  function fromFirst(kind = "first") {
    const before = keptWay(user).map(({ key }) => stops.find((stop) => stop.key === key)).find(Boolean);
    order(kind, (before ?? stops[0]).at);
  }

  function fromHere() {
    const turn = ++asked;
    const is = () => turn === asked && button.getAttribute("aria-pressed") === "true";
    say("looking", 0, "");
    if (!navigator.geolocation) return fromFirst("denied");
    navigator.geolocation.getCurrentPosition(
      ({ coords }) => is() && order("here", [coords.longitude, coords.latitude]),
      () => is() && fromFirst("denied"),
      { enableHighAccuracy: true, timeout: 10000, maximumAge: 60000 },
    );
  }

  function show(wanted) {
    button.setAttribute("aria-pressed", wanted);
    head.hidden = !wanted;
  }

  head.querySelector("[data-way-link]").hash = "walk"; // the map draws it at once
  button.hidden = false;
  button.addEventListener("click", () => {
    const wanted = button.getAttribute("aria-pressed") !== "true";
    show(wanted);
    remember(CHOICE, wanted ? "walk" : "");
    asked++;
    if (!wanted) {
      forgetWay();
      return put(sections);
    }
    scrollTo({ top: 0 });
    fromFirst();
    fromHere();
  });
  if (recall(CHOICE) === "walk") {
    show(true);
    fromFirst();
  }
}
