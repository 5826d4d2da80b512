// The map of a district (worker) and of a community's coverage (director): the same shapes as the list and the table.
import * as L from "leaflet/dist/leaflet-src.esm.js";
import { layTiles, mapOptions } from "./basemap.js";
import { keptWay } from "./way.js";

const data = JSON.parse(document.getElementById("map-data").textContent);
const frame = document.querySelector("[data-map]");
const list = document.querySelector("[data-list]");
const sheet = document.querySelector("[data-sheet]");
frame.hidden = false;
if (data.mode === "worker") list.hidden = true;

const map = L.map("map", { ...mapOptions(data.tiles), zoomControl: false, attributionControl: false, zoomSnap: 0.25, maxZoom: 21, renderer: L.svg({ padding: 0.6 }) });
if (matchMedia("(min-width: 900px)").matches) L.control.zoom({ position: "topright" }).addTo(map);
map.createPane("veil").style.zIndex = 350;
layTiles(map, data.tiles);

const SOLID = data.tiles ? 0.85 : 0.95; // streets shine through
const SHADES = ["url(#hatch)", "#cfe6da", "#8cc4a8", "#2e7d5b", "#0a6a45"];
const say = (parts) => {
  const label = document.createElement("div");
  for (const [tag, text] of parts) label.append(Object.assign(document.createElement(tag), { textContent: text }), " ");
  return label;
};
const rings = (geometry) => (geometry.type === "Polygon" ? [geometry.coordinates] : geometry.type === "MultiPolygon" ? geometry.coordinates : []);
const bounds = L.latLngBounds([]);

// What is not ours lies under a veil: one polygon around the world with the districts as its holes.
const holes = data.districts.flatMap((district) => rings(district.geometry).map((polygon) => polygon[0].map(([x, y]) => [y, x])));
for (const shape of data.around ?? []) L.geoJSON(shape, { interactive: false, pointToLayer: () => L.layerGroup(), style: { stroke: false, fillColor: "#9aa29b", fillOpacity: 0.5 } }).addTo(map);
for (const ring of holes) bounds.extend(L.latLngBounds(ring));
if (holes.length) {
  L.polygon([[[-85, -180], [-85, 180], [85, 180], [85, -180]], ...holes], { pane: "veil", renderer: L.svg({ pane: "veil", padding: 0.6 }), interactive: false, stroke: false, fillColor: "#8d958f", fillOpacity: 0.55 }).addTo(map);
}

const districts = L.layerGroup().addTo(map);
const buildings = L.layerGroup();
const labels = [];
for (const district of data.districts) {
  const shape = L.geoJSON(district.geometry, {
    interactive: data.mode === "coverage",
    style: data.mode === "coverage"
      ? { color: "#13201a", weight: 2.5, fillColor: SHADES[district.shade], fillOpacity: SOLID }
      : { color: "#0a6a45", weight: 5, fillColor: "#e8ede9", fillOpacity: data.tiles ? 0.2 : 1 },
  });
  districts.addLayer(shape);
  if (data.mode === "coverage") {
    shape.bindTooltip(say([["b", district.name.replace("包干区", "")], ["span", `${district.met}/${district.households}`]]), { permanent: true, direction: "center", className: "map-label district" });
  }
}

for (const fault of data.faults ?? []) {
  const style = { color: "#b3261e", weight: 3, dashArray: "6 5", fillColor: "#b3261e", fillOpacity: 0.35 };
  L.geoJSON(fault, { interactive: false, style, pointToLayer: () => L.layerGroup() }).addTo(map);
}

let chosen = null;
for (const building of data.buildings) {
  const shape = L.geoJSON(building.geometry, {
    style: { color: "#085538", weight: 1.5, fillColor: SHADES[building.shade ?? 0], fillOpacity: 1 },
    pointToLayer: (_feature, place) => L.circleMarker(place, { radius: 12 }),
  });
  if (!holes.length) bounds.extend(shape.getBounds());
  buildings.addLayer(shape);
  if (building.name && building.households) {
    const label = L.tooltip({ permanent: true, direction: "center", className: "map-label" + (building.shade > 2 ? " dark" : "") + (building.geometry.type === "MultiPolygon" ? " parts" : ""), interactive: false });
    label.setContent(say([["b", building.name.replace("楼", "")], ["span", `${building.met}/${building.households}`]]));
    labels.push([shape, label]);
  }
  const corner = shape.getBounds().getNorthEast();
  const mark = building.overdue ? String(building.overdue) : building.orphan ? "?" : "";
  if (mark) {
    const inner = document.createElement("span");
    inner.append(Object.assign(document.createElement("i"), { textContent: mark }));
    L.marker(corner, { icon: L.divIcon({ className: building.orphan ? "map-mark orphan" : "map-mark", html: inner, iconSize: [26, 26] }), interactive: false, keyboard: false })
      .addTo(building.orphan ? districts : buildings);
  }
  shape.on("click", () => open(building, shape));
}
if (data.mode === "worker") buildings.addTo(map);

function open(building, shape) {
  if (building.href) return location.assign(building.href);
  chosen?.setStyle({ weight: 1.5, color: "#085538" });
  chosen = shape;
  shape.setStyle({ weight: 5, color: "#13201a" }).bringToFront();
  const entry = document.querySelector(`[data-building="${building.id}"]`);
  if (!entry || !sheet) return;
  sheet.replaceChildren(...[...entry.children].map((child) => child.cloneNode(true)));
  sheet.hidden = false;
}
map.on("click", (event) => {
  if (sheet && event.originalEvent.target === map.getContainer()) sheet.hidden = true;
});

// Labels only where they fit: a building's own width on the screen decides.
function fit() {
  for (const [shape, label] of labels) {
    const box = shape.getBounds();
    const wide = map.latLngToContainerPoint(box.getNorthEast()).x - map.latLngToContainerPoint(box.getSouthWest()).x;
    if (wide > 56 && map.hasLayer(buildings)) label.setLatLng(box.getCenter()).addTo(map);
    else label.remove();
  }
}

// Coverage: districts from afar, buildings when near, or by the switch.
function byBuilding(wanted) {
  if (wanted === map.hasLayer(buildings)) return;
  if (wanted) buildings.addTo(map);
  else buildings.remove();
  districts.eachLayer((layer) => {
    layer.setStyle?.({ fillOpacity: wanted ? 0.06 : SOLID });
  });
  for (const scale of document.querySelectorAll("[data-scale]")) scale.hidden = (scale.dataset.scale === "buildings") !== wanted;
  for (const button of document.querySelectorAll("[data-level]")) button.setAttribute("aria-pressed", (button.dataset.level === "buildings") === wanted);
  fit();
}
document.addEventListener("click", (event) => {
  const level = event.target.closest("[data-level]");
  if (level) byBuilding(level.dataset.level === "buildings");
});

const hatch = document.getElementById("hatch-pattern");
const drawn = map.getPane("overlayPane");
if (bounds.isValid()) map.fitBounds(bounds, { ...(data.mode === "coverage" ? { paddingTopLeft: [14, 66], paddingBottomRight: [14, 92] } : { paddingTopLeft: [14, 74], paddingBottomRight: [14, 14] }), animate: false });
else map.setView([31.57, 120.3], 15);
drawn.querySelector("svg")?.prepend(hatch.content.cloneNode(true));
const home = map.getZoom();
map.on("zoomend", () => {
  if (data.mode === "coverage") byBuilding(map.getZoom() >= home + 1);
  fit();
});
fit();

document.querySelector("[data-list-toggle]")?.removeAttribute("hidden");
document.querySelector("[data-list-toggle]")?.addEventListener("click", (event) => {
  const button = event.currentTarget;
  const shown = list.hidden;
  list.hidden = !shown;
  frame.hidden = shown;
  button.setAttribute("aria-expanded", shown);
  const words = button.querySelector("[data-words]");
  words.textContent = words.dataset.words.split("|")[shown ? 1 : 0];
  if (!shown) map.invalidateSize();
});

// Today's walk, as it was last sorted: a line through its numbered stops.
const way = data.mode === "worker" ? keptWay(document.body.dataset.user) : [];
const switches = document.querySelector("[data-way]");
const walked = L.layerGroup();
if (way.length > 1 && switches) {
  map.createPane("way").style.zIndex = 640; // over the marks, under the buildings' names
  map.createPane("stops").style.zIndex = 660;
  const line = way.map(({ at: [x, y] }) => [y, x]);
  const drawn = L.svg({ pane: "way", padding: 0.6 });
  for (const [color, weight] of [["#fff", 8], ["#1b5ba6", 4]]) L.polyline(line, { pane: "way", renderer: drawn, interactive: false, color, weight, className: "way" }).addTo(walked);
  way.forEach(({ name }, i) => {
    const inner = Object.assign(document.createElement("span"), { textContent: i + 1, title: name });
    L.marker(line[i], { pane: "stops", icon: L.divIcon({ className: "map-stop", html: inner, iconSize: [28, 28] }), interactive: false, keyboard: false }).addTo(walked);
  });
  const showWay = (wanted) => {
    switches.setAttribute("aria-pressed", wanted);
    map.getContainer().classList.toggle("walked", wanted);
    if (!wanted) return walked.remove();
    walked.addTo(map);
    map.fitBounds(L.latLngBounds(line), { paddingTopLeft: [34, 96], paddingBottomRight: [34, 96], maxZoom: 18.5, animate: false });
  };
  switches.hidden = false;
  switches.addEventListener("click", () => showWay(switches.getAttribute("aria-pressed") !== "true"));
  if (location.hash === "#walk") showWay(true);
}

// Where I am: only when asked, never kept.
let me = null;
document.querySelector("[data-locate]")?.addEventListener("click", () => {
  const said = document.querySelector("[data-map-said]");
  said.textContent = "";
  navigator.geolocation.getCurrentPosition(
    ({ coords }) => {
      me?.remove();
      const place = [coords.latitude, coords.longitude];
      me = L.layerGroup([
        L.circle(place, { radius: coords.accuracy, stroke: false, fillColor: "#1b5ba6", fillOpacity: 0.2, interactive: false }),
        L.circleMarker(place, { radius: 9, color: "#fff", weight: 3, fillColor: "#1b5ba6", fillOpacity: 1, interactive: false }),
      ]).addTo(map);
      map.panTo(place);
    },
    () => { said.textContent = said.dataset.denied; },
    { enableHighAccuracy: true, timeout: 15000 },
  );
});
