// WGS-84 to GCJ-02 and back, longitude first, in degrees: geo/datum.py again, for a map whose tiles are in GCJ-02.
const WEST = 72.004, SOUTH = 0.8293, EAST = 137.8347, NORTH = 55.8271;
const A = 6378245, EE = 0.006693421622965943;
const STEPS = 6; // the sixth is below the noise of the numbers
const inside = (lng, lat) => lng >= WEST && lng <= EAST && lat >= SOUTH && lat <= NORTH;
const wave = (frequency, degrees) => Math.sin(frequency * Math.PI * degrees);

// How far GCJ-02 lies east and north of WGS-84 here, in degrees.
function offset(lng, lat) {
  const x = lng - 105, y = lat - 35, root = Math.sqrt(Math.abs(x));
  const both = (20 * wave(6, x) + 20 * wave(2, x)) * 2 / 3;
  const east = 300 + x + 2 * y + 0.1 * x * x + 0.1 * x * y + 0.1 * root + both
    + (20 * wave(1, x) + 40 * wave(1 / 3, x) + 150 * wave(1 / 12, x) + 300 * wave(1 / 30, x)) * 2 / 3;
  const north = -100 + 2 * x + 3 * y + 0.2 * y * y + 0.1 * x * y + 0.2 * root + both
    + (20 * wave(1, y) + 40 * wave(1 / 3, y) + 160 * wave(1 / 12, y) + 320 * wave(1 / 30, y)) * 2 / 3;
  const phi = lat * Math.PI / 180, w2 = 1 - EE * Math.sin(phi) ** 2;
  const degrees = 180 / Math.PI;
  return [east / (A / Math.sqrt(w2) * Math.cos(phi)) * degrees, north / (A * (1 - EE) / w2 ** 1.5) * degrees];
}

export function toGcj02(lng, lat) {
  if (!inside(lng, lat)) return [lng, lat];
  const [east, north] = offset(lng, lat);
  return [lng + east, lat + north];
}

export function toWgs84(lng, lat) {
  if (!(lng > WEST - 0.05 && lng < EAST + 0.05 && lat > SOUTH - 0.05 && lat < NORTH + 0.05)) return [lng, lat];
  let found = [lng, lat];
  for (let step = 0; step < STEPS; step++) {
    const [east, north] = offset(...found);
    found = [lng - east, lat - north];
  }
  return inside(...found) ? found : [lng, lat];
}
