// The director's drawing board: today's districts, the draft, and a hand that moves borders and entrances. What the
// server answers is drawn; what is dragged is reckoned here first, and counts only when the server has taken it.
import * as L from "leaflet/dist/leaflet-src.esm.js";
import { layTiles, mapOptions } from "./basemap.js";
import { makeHandles } from "./handles.js";
import { followRows, renewPanel } from "./planpanel.js";
import { makeMover } from "./planmove.js";
import { brief, element, households, speak } from "./planwords.js";
import { build, contains, crossesItself, expand, geometryOf, handles as cornersOf, hues, isLoop, isOuter, moveArc, nearest, outerThrough, restingPlace, ringsOf, touchesOuter } from "./topology.js";

const FILLS = ["#dcebdc", "#f6e7c8", "#d7e4f2", "#e8dcee", "#f5dcd1"];
const INK = "#13201a";
const RED = "#b3261e";

let data = JSON.parse(document.getElementById("plan-data").textContent);
const frame = document.querySelector("[data-plan-map]");
const panel = document.querySelector("[data-plan-panel]");
const said = frame.querySelector("[data-plan-said]");
const flip = (geometry) => ringsOf(geometry).map((ring) => ring.map(([x, y]) => [y, x]));
const tidy = ([x, y]) => [Number(x.toFixed(7)), Number(y.toFixed(7))];

const map = L.map("map", { ...mapOptions(data.tiles), zoomControl: false, attributionControl: false, zoomSnap: 0.25, maxZoom: 21, renderer: L.svg({ padding: 0.6 }), doubleClickZoom: false, fadeAnimation: false });
if (matchMedia("(min-width: 900px)").matches) L.control.zoom({ position: "bottomright", zoomInTitle: speak("zoom_in"), zoomOutTitle: speak("zoom_out") }).addTo(map);
layTiles(map, data.tiles);
frame.classList.toggle("has-tiles", Boolean(data.tiles));

let view = "both";
let tool = "border";
let draft = null; // the draft's topology, and today's
let today = null;
let hue = {};
let chosen = null; // the arc that has handles
let corners = [];
const shapes = L.layerGroup().addTo(map);
const lines = L.layerGroup().addTo(map);
const pills = L.layerGroup().addTo(map);
const tags = L.layerGroup().addTo(map);
const fills = new Map();
const drawn = new Map(); // arc index -> polylines
const named = new Map(); // district -> its pill
const labels = [];
const pill = L.tooltip({ permanent: true, direction: "top", offset: [0, -26], className: "plan-live" });

const byKey = (key) => data.districts.find((district) => district.key === key) ?? data.now.find((district) => district.key === key);
const hasDraft = () => ["draft", "waiting"].includes(data.state) && data.districts.length > 0;
const inDraft = () => data.state === "draft" && hasDraft() && view !== "now"; // where a hand may change something
const isChanged = () => JSON.stringify(data.districts.map((district) => district.geometry)) !== JSON.stringify(data.now.map((district) => district.geometry));
const isLocked = (key) => Boolean(data.districts.find((district) => district.key === key)?.locked);
const isFree = (arc) => !isOuter(arc) && !arc.sides.some(isLocked);
const squeeze = () => Math.cos((map.getCenter().lat * Math.PI) / 180);
const onScreen = ([x, y]) => { const at = map.latLngToLayerPoint([y, x]); return [at.x, at.y]; };
const changes = (entrance) => entrance.draft !== null && entrance.now !== entrance.draft;

function say(text, kind = "") {
  said.textContent = text;
  said.dataset.kind = kind;
}

// ---- drawing

function take(state) {
  data = state;
  draft = data.districts.length ? build(data.districts) : null;
  today = data.now.length ? build(data.now) : null;
  const keys = [...new Set([...data.districts, ...data.now].map((district) => district.key))];
  hue = draft ? hues(draft, data.districts.map((district) => district.key)) : {};
  const left = today ? hues(today, data.now.map((district) => district.key)) : {};
  for (const key of keys) hue[key] ??= left[key];
  if (!hasDraft()) view = data.state === "computing" && isChanged() ? "draft" : "now";
  frame.dataset.view = view;
  frame.querySelector("[data-plan-edits]").hidden = data.state !== "draft" || !hasDraft();
  frame.querySelector("[data-plan-views]").hidden = !hasDraft();
  for (const button of frame.querySelectorAll("[data-step]")) button.disabled = !data[`can_${button.dataset.step}`];
  redraw();
  showProgress();
  renewPanel(panel, data.panel);
  followRows(panel, data, hue);
}

function redraw() {
  hands.hide();
  chosen = null;
  pill.remove();
  for (const layer of [shapes, lines, pills, tags]) layer.clearLayers();
  for (const kept of [fills, drawn, named]) kept.clear();
  labels.length = 0;
  const shown = view === "now" || !draft ? data.now : data.districts;
  for (const district of shown) drawDistrict(district);
  for (const building of data.buildings) drawBuilding(building);
  const board = shown === data.now ? today : draft;
  if (view === "both" && today && draft) {
    const isLoose = today.arcs.every(isOuter); // borders that were drawn apart share no vertices
    for (const arc of today.arcs) if (isLoose || !isOuter(arc)) stroke(arc.line, { color: RED, weight: 3, dashArray: "7 5", lineCap: "butt", interactive: false });
  }
  board?.arcs.forEach((arc, index) => drawArc(arc, index));
  for (const district of shown) drawPill(district);
  fit();
  mover.offer(data.buildings, tool === "move" && inDraft());
  frame.querySelectorAll("[data-in]").forEach((entry) => {
    entry.hidden = !entry.dataset.in.split(" ").includes(view) || (entry.dataset.of ?? tool) !== tool || (entry.dataset.of && !inDraft());
  });
  if (!map.getPane("overlayPane").querySelector("#moves")) map.getPane("overlayPane").querySelector("svg")?.prepend(document.getElementById("plan-patterns").content.cloneNode(true));
}

const stroke = (line, style) => L.polyline(line.map(([x, y]) => [y, x]), style).addTo(lines);

function drawDistrict({ key, geometry }) {
  const shape = L.polygon(flip(geometry), { stroke: false, fillColor: FILLS[hue[key] ?? 0], fillOpacity: data.tiles ? 0.62 : 1, className: "plan-district" });
  shape.on("click", () => tool === "lock" && inDraft() && lock(key));
  fills.set(key, shape.addTo(shapes));
}

function drawBuilding(building) {
  if (!building.geometry) return;
  const moves = view !== "now" && hasDraft() && building.entrances.some(changes);
  const style = { color: INK, weight: moves ? 1.8 : 1, fillColor: moves ? "url(#moves)" : "#ffffff", fillOpacity: 1, className: "plan-building" };
  const shape = L.geoJSON(building.geometry, { style, pointToLayer: (_feature, place) => L.circleMarker(place, { radius: 9 }) });
  shape.on("click", (event) => {
    if (tool === "move" && inDraft()) mover.open(building);
    else if (tool === "lock" && inDraft()) lockAt(event.latlng);
  });
  shapes.addLayer(shape);
  const counted = households(building.entrances);
  if (building.name && counted) {
    const text = element("div", "");
    text.append(element("b", building.name.replace(/楼$/, "")), " ", element("span", counted));
    const label = L.tooltip({ permanent: true, direction: "center", className: `plan-label${moves ? " moves" : ""}`, interactive: false }).setContent(text);
    labels.push({ shape, label, building });
  }
}

function drawArc(arc, index) {
  const style = { color: INK, weight: isOuter(arc) ? 2.5 : 3, interactive: false };
  const made = [stroke(arc.line, style)];
  if (inDraft() && tool === "border" && isFree(arc)) {
    const wide = stroke(arc.line, { color: INK, opacity: 0, weight: 30, className: "plan-border" });
    wide.on("click", () => pick(index));
    made.push(wide);
  }
  drawn.set(index, made);
}

function drawPill({ key, name, geometry }) {
  const box = L.geoJSON(geometry).getBounds();
  const taken = data.buildings.flatMap((building) => {
    if (!building.geometry) return [];
    const at = L.geoJSON(building.geometry).getBounds().getCenter();
    return box.contains(at) ? [[at.lng, at.lat]] : [];
  });
  const [x, y] = restingPlace(geometry, taken, squeeze());
  const label = L.tooltip({ permanent: true, direction: "center", className: "plan-pill", interactive: false, pane: "tooltipPane" }).setLatLng([y, x]);
  named.set(key, { label, name });
  writePill(key, countNow(key));
  label.addTo(pills);
}

function countNow(key) {
  if (view !== "now" && draft) return data.districts.find((district) => district.key === key)?.households;
  return households(data.buildings.flatMap((building) => building.entrances.filter((entrance) => entrance.now === key)));
}

function writePill(key, count) {
  const { label, name } = named.get(key);
  const text = element("div", "");
  text.append(element("span", brief(name)), " ", element("b", count));
  if (view !== "now" && isLocked(key)) text.append(element("small", speak("locked")));
  label.setContent(text);
}

// Names of buildings only where they fit; a Chinese sign is as wide as it is high, a digit about half.
const width = (text) => [...text.replace(/楼$/, "")].reduce((sum, sign) => sum + (sign > "\u00ff" ? 13 : 7.5), 0);
function fit() {
  for (const { shape, label, building } of labels) {
    const box = shape.getBounds();
    const [a, b] = [map.latLngToContainerPoint(box.getNorthEast()), map.latLngToContainerPoint(box.getSouthWest())];
    const [wide, high] = [a.x - b.x, b.y - a.y];
    const name = width(building.name);
    const isNarrow = high > 30 && high > wide * 0.6;
    if ((isNarrow ? name : name + 28) > wide * 1.4) tags.removeLayer(label);
    else {
      label.setLatLng(box.getCenter()).addTo(tags);
      label.getElement().classList.toggle("narrow", isNarrow);
      label.update();
    }
  }
  for (const [key, { label }] of named) {
    const box = fills.get(key).getBounds();
    const wide = map.latLngToContainerPoint(box.getNorthEast()).x - map.latLngToContainerPoint(box.getSouthWest()).x;
    label.getElement()?.classList.toggle("small", wide < 120);
    label.update();
  }
  drawDots();
}

const dots = L.layerGroup().addTo(map);
function drawDots() {
  dots.clearLayers();
  if (tool !== "move" || !inDraft()) return;
  for (const { shape, building } of labels) {
    const box = shape.getBounds();
    const wide = map.latLngToContainerPoint(box.getNorthEast()).x - map.latLngToContainerPoint(box.getSouthWest()).x;
    const isSplit = new Set(building.entrances.map((entrance) => entrance.draft)).size > 1;
    if (building.entrances.length < 2 || (wide < 40 && !isSplit)) continue;
    for (const entrance of building.entrances) {
      const [x, y] = entrance.at;
      L.circleMarker([y, x], { radius: 6, color: INK, weight: 1.5, fillColor: FILLS[hue[entrance.draft]] ?? "#fff", fillOpacity: 1, className: "plan-building" })
        .on("click", (event) => { L.DomEvent.stop(event); mover.open(building, entrance); }).addTo(dots);
    }
  }
}

// ---- a border is dragged

const mover = makeMover(frame, {
  plan: () => ({ data, draft, hue, squeeze: squeeze() }),
  move: (building, entrances, to) => send(data.urls.edit, { kind: "move", building: building.id, entrances, to }),
});
const hands = makeHandles(L, map, { drag: dragged, drop: dropped, snap });

function pick(index) {
  if (!inDraft() || tool !== "border") return;
  chosen = index;
  const { line } = draft.arcs[index];
  corners = cornersOf(line, onScreen);
  hands.show(corners.map((corner) => line[corner]));
  say("");
}

// Where a dragged handle may go: an end on the outer boundary slides along it; others are drawn to today's borders.
function snap(place, index, line) {
  const { line: whole } = draft.arcs[chosen];
  const isEnd = index === 0 || index === line.length - 1;
  if (isEnd) {
    const home = index === 0 ? whole[0] : whole.at(-1);
    const isHeld = draft.arcs.some((arc) => arc.sides.some(isLocked) && [arc.line[0], arc.line.at(-1)].some((end) => end.join() === home.join()));
    if (isLoop(draft.arcs[chosen]) || isHeld) return home;
    const outer = outerThrough(draft, home);
    if (outer) return tidy(nearest(outer.path, place, squeeze()).place);
    if (touchesOuter(draft, home)) return home;
  }
  const at = onScreen(place);
  let best = { distance: 10, place };
  for (const arc of today?.arcs ?? []) {
    for (const [targets, bonus] of [[arc.line, 4], [[nearest(arc.line, place, squeeze()).place], 0]]) {
      for (const target of targets) {
        const [x, y] = onScreen(target);
        const distance = Math.hypot(x - at[0], y - at[1]) - bonus;
        if (distance < best.distance) best = { distance, place: target };
      }
    }
  }
  return tidy(best.place);
}

// What the draft would be with the border drawn so: {topology, keys, counts}; null where it cannot be.
function reckon(line) {
  const arc = draft.arcs[chosen];
  const topology = moveArc(draft, chosen, expand(arc.line, corners, line.map(tidy)));
  if (!topology) return null;
  const keys = [...new Set(topology.arcs.flatMap((moved, i) => (moved.line.join() === draft.arcs[i].line.join() ? [] : moved.sides)))];
  const geometries = Object.fromEntries(keys.map((key) => [key, geometryOf(topology, key)]));
  const counts = Object.fromEntries(keys.map((key) => [key, 0]));
  for (const building of data.buildings) {
    for (const entrance of building.entrances) {
      if (!keys.includes(entrance.draft)) continue;
      const home = entrance.at ? keys.find((key) => contains(geometries[key], entrance.at)) : entrance.draft;
      counts[home ?? entrance.draft] += entrance.households;
    }
  }
  return { topology, keys, geometries, counts };
}

let pending = 0;
function dragged(line) {
  pending ||= requestAnimationFrame(() => {
    pending = 0;
    if (chosen !== null && hands.busy()) follow(line);
  });
}

function follow(line) {
  const found = reckon(line);
  if (!found) return;
  const { topology, keys, geometries, counts } = found;
  for (const key of keys) {
    fills.get(key)?.setLatLngs(flip(geometries[key]));
    writePill(key, counts[key]);
  }
  topology.arcs.forEach((arc, index) => {
    if (arc.line !== draft.arcs[index].line) for (const made of drawn.get(index)) made.setLatLngs(arc.line.map(([x, y]) => [y, x]));
  });
  const moved = line.find((place, i) => i >= corners.length || place.join() !== draft.arcs[chosen].line[corners[i]].join()) ?? line[0];
  const text = element("div", "");
  draft.arcs[chosen].sides.forEach((key, i) => {
    if (i) text.append(" · ");
    text.append(`${brief(byKey(key).name)} `, element("b", counts[key] ?? byKey(key).households));
  });
  pill.setLatLng([moved[1], moved[0]]).setContent(text).addTo(map);
  followRows(panel, data, hue, counts);
}

// Handles that were dropped on their neighbour become one.
const merged = (line) => line.filter((place, i) => {
  if (!i || i === line.length - 1) return true;
  const [x, y] = onScreen(place);
  return [line[i - 1], line[i + 1]].every((other) => Math.hypot(onScreen(other)[0] - x, onScreen(other)[1] - y) > 6);
});

function dropped(line) {
  cancelAnimationFrame(pending);
  pending = 0;
  pill.remove();
  const was = draft.arcs[chosen].line;
  const found = reckon(merged(line));
  if (found && !found.keys.length) return restore(was);
  if (!found || Object.values(found.geometries).some(crossesItself)) {
    restore(was);
    return say(speak("crosses"), "fault");
  }
  send(data.urls.edit, { kind: "border", polygons: found.geometries }, was);
}

function restore(was) {
  redraw();
  repick(was);
  followRows(panel, data, hue);
}

// The border that was in hand stays in hand: the one between the same districts nearest to where it was.
function repick(was, sides) {
  if (!was || !inDraft() || tool !== "border") return;
  const middle = was[Math.floor(was.length / 2)];
  let best = null;
  draft.arcs.forEach((arc, index) => {
    if (!isFree(arc) || (sides && arc.sides.join() !== sides.join())) return;
    const { distance } = nearest(arc.line, middle, squeeze());
    if (!best || distance < best.distance) best = { index, distance };
  });
  if (best) pick(best.index);
}

// ---- the server

async function send(address, body, was) {
  const sides = chosen === null ? null : draft.arcs[chosen].sides;
  frame.setAttribute("aria-busy", "true");
  try {
    const answer = await fetch(address, { method: "POST", headers: { "Content-Type": "application/json", Accept: "application/json" }, body: JSON.stringify({ version: data.version, ...body }) });
    const isJson = answer.headers.get("Content-Type")?.startsWith("application/json");
    if (answer.redirected || answer.status === 401) say(speak("signed_out"), "fault");
    else if (!isJson) say(speak("refused"), "fault");
    else {
      const told = await answer.json();
      take(answer.ok ? told : told.state ?? data);
      repick(was, sides);
      say(answer.ok ? speak("saved") : told.error ?? speak("refused"), answer.ok ? "" : "fault");
      return;
    }
  } catch {
    say(speak("lost"), "fault");
  } finally {
    frame.removeAttribute("aria-busy");
  }
  redraw();
  repick(was, sides);
  followRows(panel, data, hue);
}

const step = (way) => data[`can_${way}`] && send(data.urls[way], {}, chosen === null ? null : draft.arcs[chosen].line);
const lock = (key) => send(data.urls.edit, { kind: "lock", district: key, locked: !isLocked(key) });
function lockAt({ lng, lat }) {
  const found = data.districts.find((district) => contains(district.geometry, [lng, lat]));
  if (found) lock(found.key);
}

// A new draft grows district by district.
function grow() {
  if (matchMedia("(prefers-reduced-motion: reduce)").matches) return;
  const step = Math.min(120, 1500 / fills.size);
  let after = 0;
  for (const shape of fills.values()) {
    const { fillOpacity } = shape.options;
    shape.setStyle({ fillOpacity: 0 });
    setTimeout(() => shape.setStyle({ fillOpacity }), (after += step));
  }
}

let polling = null;
function showProgress() {
  const bar = frame.querySelector("[data-plan-progress]");
  const isComputing = data.state === "computing";
  bar.hidden = !isComputing;
  if (!isComputing) return;
  const percent = Math.round(100 * (data.progress ?? 0));
  bar.querySelector("progress").value = percent;
  panel?.querySelector("[data-plan-progress]")?.setAttribute("value", data.progress ?? 0);
  bar.querySelector("[data-plan-percent]").textContent = speak("computing", { n: percent });
  clearTimeout(polling);
  polling = setTimeout(poll, 1000);
}

async function poll() {
  try {
    const answer = await fetch(data.urls.state, { headers: { Accept: "application/json" } });
    if (answer.ok && !answer.redirected) {
      const state = await answer.json();
      const isNew = state.state !== data.state || JSON.stringify(state.districts) !== JSON.stringify(data.districts);
      const isDone = state.state !== "computing";
      if (isDone) view = "both";
      if (isNew) take(state);
      else Object.assign(data, { progress: state.progress });
      if (isDone) {
        start();
        grow();
      }
    }
  } catch {
    // No signal: asked again in a second.
  }
  showProgress();
}

// ---- buttons and keys

function setTool(name) {
  tool = name;
  frame.dataset.tool = name;
  for (const button of frame.querySelectorAll("[data-tool]")) if (button.localName === "button") button.setAttribute("aria-pressed", button.dataset.tool === name);
  mover.close();
  redraw();
  say(hint());
}

const hint = () => (inDraft() ? { border: speak("pick_border"), move: speak("pick_building"), lock: speak("pick_district") }[tool] : "");

function setView(name) {
  view = name;
  frame.dataset.view = name;
  for (const button of frame.querySelectorAll("[data-view]")) if (button.localName === "button") button.setAttribute("aria-pressed", button.dataset.view === name);
  mover.close();
  redraw();
  say(hint());
}

frame.addEventListener("click", (event) => {
  const button = event.target.closest("button");
  if (!button) return;
  if (button.dataset.tool) {
    if (view === "now") setView("both");
    setTool(button.dataset.tool);
  } else if (button.dataset.view) setView(button.dataset.view);
  else if (button.dataset.step) step(button.dataset.step);
  else if ("planClose" in button.dataset) mover.close();
});

document.addEventListener("keydown", (event) => {
  if (event.key === "Escape") mover.close();
  if (!(event.ctrlKey || event.metaKey) || event.target.closest("input, textarea, select")) return;
  const key = event.key.toLowerCase();
  const way = key === "y" || (key === "z" && event.shiftKey) ? "redo" : key === "z" ? "undo" : null;
  if (!way || data.state !== "draft" || frame.getAttribute("aria-busy")) return;
  event.preventDefault();
  step(way);
});

// The panel's small forms (its pair, its lock, undo) are sent from here, so that the map stays where it is.
document.addEventListener("submit", (event) => {
  const form = event.target;
  if (!form.matches("[data-plan-form]")) return;
  event.preventDefault();
  const { version, ...body } = Object.fromEntries(new FormData(form));
  if ("locked" in body) body.locked = body.locked === "1";
  for (const part of ["lead", "partner"]) if (body[part] === "") body[part] = null;
  send(form.action, body, chosen === null ? null : draft.arcs[chosen].line);
}, true);

map.on("zoomend", () => {
  fit();
  if (chosen !== null && !hands.busy()) pick(chosen);
});

function home() {
  const bounds = L.latLngBounds([]);
  for (const { geometry } of [...data.now, ...data.districts, ...data.buildings]) if (geometry) bounds.extend(L.geoJSON(geometry).getBounds());
  const isWide = frame.clientWidth > 600;
  if (bounds.isValid()) map.fitBounds(bounds, { paddingTopLeft: [16, isWide ? 84 : 70], paddingBottomRight: [16, isWide ? 76 : 60], animate: false });
  else map.setView([31.57, 120.3], 15);
}

// The first border in hand is the longest one of the district that is furthest off.
function start() {
  if (!inDraft()) return;
  const off = ({ households: count }) => Math.abs(count - data.target);
  const worst = data.districts.reduce((a, b) => (off(b) > off(a) ? b : a)).key;
  let best = null;
  draft.arcs.forEach((arc, index) => {
    if (!isFree(arc) || !arc.sides.includes(worst)) return;
    const places = arc.line.map(onScreen);
    const length = places.slice(1).reduce((sum, [x, y], i) => sum + Math.hypot(x - places[i][0], y - places[i][1]), 0);
    if (!best || length > best.length) best = { index, length };
  });
  if (best) pick(best.index);
  say(hint());
}

frame.classList.add("is-ready");
document.body.classList.add("has-plan-script");
home();
take(data);
start();
new ResizeObserver(() => map.invalidateSize()).observe(frame);
