// An entrance moves: a building is chosen, which of its entrances, and the district that they go to.
import { brief, element, households, speak } from "./planwords.js";
import { nearest, neighbours, ringsOf } from "./topology.js";

const MOST = 8; // districts on offer, the nearest first

// Gives {open(building, entrance), close(), offer(buildings, wanted)}. `plan()` is the plan as it is drawn now,
// `move(building, numbers, key)` does the deed.
export function makeMover(frame, { plan, move }) {
  const sheet = frame.querySelector("[data-plan-sheet]");
  const finder = frame.querySelector("[data-plan-find]");
  const select = finder.querySelector("select");
  const [first] = select.options;

  function open(building, only) {
    const chosen = new Set((only ? [only] : building.entrances).map((entrance) => entrance.n));
    sheet.querySelector("h2").textContent = `${building.name} ${speak("households", { n: households(building.entrances) })}`;
    sheet.querySelector("[data-plan-entrances]").hidden = building.entrances.length < 2;
    sheet.querySelector("[data-plan-entrances] .pills").replaceChildren(...building.entrances.map((entrance) => box(entrance, chosen, () => showTargets(building, chosen))));
    showTargets(building, chosen);
    sheet.hidden = false;
    sheet.querySelector(".plan-target")?.focus({ preventScroll: true });
  }

  function box(entrance, chosen, changed) {
    const name = plan().data.districts.find(({ key }) => key === entrance.draft)?.name;
    const text = [speak("entrance", { n: entrance.n }), speak("households", { n: entrance.households })].join(" ");
    const input = Object.assign(document.createElement("input"), { type: "checkbox", checked: chosen.has(entrance.n) });
    input.addEventListener("change", () => {
      chosen[input.checked ? "add" : "delete"](entrance.n);
      changed();
    });
    const label = element("label", "", { className: "pill" });
    label.append(input, element("span", name ? `${text} · ${brief(name)}` : text));
    return label;
  }

  function showTargets(building, chosen) {
    const moving = building.entrances.filter((entrance) => chosen.has(entrance.n));
    sheet.querySelector("[data-plan-targets]").replaceChildren(...targets(building, moving).map((district) => {
      const entry = document.createElement("li");
      entry.append(target(building, moving, district));
      return entry;
    }));
  }

  // Neighbours of where the entrances are now come first, then what is near; locked districts take nobody.
  function targets(building, moving) {
    const { data, draft, squeeze } = plan();
    const homes = new Set(moving.map((entrance) => entrance.draft));
    const near = new Set([...homes].filter(Boolean).flatMap((key) => neighbours(draft, key)));
    const at = building.entrances[0].at ?? [0, 0];
    const far = ({ geometry }) => Math.min(...ringsOf(geometry).map((ring) => nearest(ring, at, squeeze).distance));
    const possible = data.districts.filter(({ key, locked }) => !locked && !(homes.size === 1 && homes.has(key)));
    return possible.sort((a, b) => near.has(b.key) - near.has(a.key) || far(a) - far(b)).slice(0, MOST);
  }

  function target(building, moving, district) {
    const gained = households(moving.filter((entrance) => entrance.draft !== district.key));
    const button = element("button", "", { type: "button", className: "plan-target", disabled: !moving.length });
    const swatch = element("span", "", { className: "swatch" });
    swatch.dataset.hue = plan().hue[district.key];
    const becomes = speak("becomes", { a: district.households, b: district.households + gained });
    button.append(swatch, element("b", brief(district.name)), element("span", becomes));
    button.addEventListener("click", () => {
      close();
      move(building, moving.map((entrance) => entrance.n), district.key);
    });
    return button;
  }

  function close() {
    if (sheet.contains(document.activeElement)) select.focus({ preventScroll: true });
    sheet.hidden = true;
  }

  // Every building by its name, for whoever does not point.
  function offer(buildings, wanted) {
    finder.hidden = !wanted;
    if (!wanted) return;
    select.replaceChildren(first, ...buildings.filter(({ entrances }) => entrances.length).map(({ id, name }) => element("option", name, { value: id })));
  }
  select.addEventListener("change", () => {
    const building = plan().data.buildings.find(({ id }) => id === select.value);
    select.value = "";
    if (building) open(building);
  });

  return { open, close, offer };
}
