// terra-draw on Leaflet, as this page needs it: one border at a time, dragged by its corners and by their middles.
import { TerraDraw, TerraDrawRenderMode, TerraDrawSelectMode } from "terra-draw";
import { TerraDrawLeafletAdapter } from "terra-draw-leaflet-adapter";

const MODE = "border";
const BLUE = "#1b5ba6";

class Adapter extends TerraDrawLeafletAdapter {
  // The adapter's own way is a style element with text, which a strict Content-Security-Policy refuses.
  createPaneStyleSheet(pane, above) {
    const made = this._map.getPane(pane) ?? this._map.createPane(pane);
    made.style.zIndex = 660 + above; // above what is written on the map
    made.classList.add("plan-handles");
    made.style.pointerEvents = "none";
    return made;
  }

  clearPanes() {} // they stay with the map

  // A drag may end over a shape that listens by itself; terra-draw waits for an end over the map.
  setDraggability(enabled) {
    if (!enabled && this.pointer !== undefined) this.getMapEventElement().setPointerCapture(this.pointer);
    super.setDraggability(enabled);
  }
}

// Gives {show(line), hide(), busy()}. `drag(line)` is called at every step, `drop(line)` at the end, with the line's
// coordinates; `snap(place, index, line)` may move the place that is dragged.
export function makeHandles(L, map, { drag, drop, snap }) {
  const coarse = matchMedia("(pointer: coarse)").matches;
  const reach = coarse ? 28 : 22; // pixels: a target of 44 and more
  const adapter = new Adapter({ lib: L, map, coordinatePrecision: 15 });
  const select = new TerraDrawSelectMode({
    pointerDistance: reach,
    dragEventThrottle: 1e9, // every n-th step would be left out; none may be
    keyEvents: null,
    allowManualSelection: false,
    allowManualDeselection: false,
    flags: {
      [MODE]: {
        feature: {
          draggable: false,
          selfIntersectable: true, // the whole district is looked at, not the line alone
          coordinates: { draggable: true, midpoints: { draggable: true }, snappable: { toCustom: (event, context) => snap([event.lng, event.lat], context.currentCoordinate, line()) } },
        },
      },
    },
    styles: {
      selectedLineStringColor: BLUE, selectedLineStringWidth: 5,
      selectionPointColor: "#ffffff", selectionPointOutlineColor: BLUE, selectionPointOutlineWidth: 4, selectionPointWidth: coarse ? 11 : 9, selectionPointOpacity: 1,
      midPointColor: "#ffffff", midPointOutlineColor: BLUE, midPointOutlineWidth: 2.5, midPointWidth: coarse ? 7 : 5, midPointOpacity: 1,
    },
  });
  const draw = new TerraDraw({ adapter, modes: [select, new TerraDrawRenderMode({ modeName: MODE, styles: {} })] });
  const element = map.getContainer();
  let shown = null;
  let dragging = false;
  const line = () => (shown !== null && draw.hasFeature(shown) ? draw.getSnapshotFeature(shown).geometry.coordinates : null);

  // terra-draw listens to the map's element; these listeners stand before its own. `armed` is where a handle was touched.
  let armed = null;
  let isOurs = false;
  const tell = (kind, event, { x, y }) => {
    isOurs = true;
    element.dispatchEvent(new PointerEvent(kind, { clientX: x, clientY: y, isPrimary: true, pointerId: event.pointerId, pointerType: event.pointerType }));
    isOurs = false;
  };

  // A touch beside the handles belongs to the map.
  element.addEventListener("pointerdown", (event) => {
    const places = line();
    const box = element.getBoundingClientRect();
    const near = ([lng, lat]) => {
      const at = map.latLngToContainerPoint([lat, lng]);
      return Math.hypot(at.x + box.left - event.clientX, at.y + box.top - event.clientY) < reach;
    };
    const middles = places?.slice(1).map(([x, y], i) => [(x + places[i][0]) / 2, (y + places[i][1]) / 2]);
    if (!places || !event.isPrimary || event.button || ![...places, ...middles].some(near)) return event.stopImmediatePropagation();
    adapter.pointer = event.pointerId;
    armed = { x: event.clientX, y: event.clientY };
    tell("pointermove", event, armed); // a finger does not hover: the nearest handle is told
    element.setPointerCapture(event.pointerId);
  });

  // terra-draw looks for the handle where the first move ends, which a quick hand has long left: it is told of a small
  // one first. Less than that is a tap, and moves nothing.
  element.addEventListener("pointermove", (event) => {
    if (isOurs || !armed) return;
    const [dx, dy] = [event.clientX - armed.x, event.clientY - armed.y];
    const far = Math.hypot(dx, dy);
    if (far < 3) return event.stopImmediatePropagation();
    const { x, y } = armed;
    armed = null;
    tell("pointermove", event, { x: x + (2 * dx) / far, y: y + (2 * dy) / far });
  });
  for (const kind of ["pointerup", "pointercancel"]) element.addEventListener(kind, () => { armed = null; });
  element.addEventListener("pointercancel", (event) => {
    if (dragging) tell("pointerup", event, { x: event.clientX, y: event.clientY });
  });

  draw.start();
  draw.setMode("select");
  draw.on("change", (ids, kind) => {
    if (kind !== "update" || !ids.includes(shown) || !adapter.dragged()) return;
    dragging = true;
    drag(line());
  });
  draw.on("finish", (_id, { action }) => {
    if (action !== "dragCoordinate") return;
    dragging = false;
    const dropped = line();
    setTimeout(() => drop(dropped)); // once terra-draw has let go of it
  });
  return {
    show(coordinates) {
      this.hide();
      const [made] = draw.addFeatures([{ type: "Feature", geometry: { type: "LineString", coordinates }, properties: { mode: MODE } }]);
      if (!made.valid) return;
      shown = made.id;
      draw.selectFeature(shown);
    },
    hide() {
      if (line()) {
        draw.deselectFeature(shown);
        draw.removeFeatures([shown]);
      }
      shown = null;
      dragging = false;
    },
    busy: () => dragging,
  };
}
Adapter.prototype.dragged = function dragged() {
  return this._dragState === "dragging";
};
