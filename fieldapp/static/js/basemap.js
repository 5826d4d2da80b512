// What lies under a map: the tiles of `pages.map_tiles`, or nothing. All that is drawn above stays in WGS-84.
import * as L from "leaflet/dist/leaflet-src.esm.js";
import { toGcj02, toWgs84 } from "./datum.js";

// Where tiles are in GCJ-02 the projection shifts, not the data: layers, taps and my place need not know.
const Mercator = L.Projection.SphericalMercator;
const SHIFTED = L.extend({}, L.CRS.EPSG3857, {
  projection: L.extend({}, Mercator, {
    project({ lng, lat }) {
      const [east, north] = toGcj02(lng, lat);
      return Mercator.project({ lng: east, lat: north });
    },
    unproject(point) {
      const { lng, lat } = Mercator.unproject(point);
      const [east, north] = toWgs84(lng, lat);
      return L.latLng(north, east);
    },
  }),
});

// The options that a map needs for these tiles: L.map("map", { ...mapOptions(tiles), … }).
export const mapOptions = (tiles) => (tiles?.datum === "gcj02" ? { crs: SHIFTED } : {});

// Lay the tiles under a map, and say whose they are. Leaflet takes HTML: innerHTML of a text is that text, escaped.
export function layTiles(map, tiles) {
  if (!tiles) return;
  const options = { maxZoom: 21, maxNativeZoom: 18, subdomains: tiles.subdomains || "abc", referrerPolicy: tiles.referrer || false };
  L.tileLayer(tiles.url, options).addTo(map);
  if (tiles.labels) L.tileLayer(tiles.labels, options).addTo(map);
  const credit = document.createElement("i");
  credit.textContent = tiles.attribution;
  L.control.attribution({ prefix: false }).addAttribution(credit.innerHTML).addTo(map);
}
