// Districts that share their borders vertex by vertex, as arcs between nodes: a border is kept once, so that moving it
// moves it for both sides and the tiling stays whole. Pure: no page, no map. Coordinates are [longitude, latitude].

const STEP = 1e-7; // degrees: the grid on which all coordinates lie
const name = ([x, y]) => `${Math.round(x / STEP)},${Math.round(y / STEP)}`;
const onGrid = ([x, y]) => [Number((Math.round(x / STEP) * STEP).toFixed(7)), Number((Math.round(y / STEP) * STEP).toFixed(7))];
const same = (a, b) => name(a) === name(b);

// Every ring of a Polygon or MultiPolygon, closed as GeoJSON closes it.
export const ringsOf = (geometry) => (geometry.type === "Polygon" ? geometry.coordinates : geometry.coordinates.flat());
const partsOf = (geometry) => (geometry.type === "Polygon" ? [geometry.coordinates] : geometry.coordinates);

// Builds {arcs, parts} of districts {key, geometry}. An arc is {line, sides}: its vertices, and the one or two keys of
// the districts beside it (one: the outer boundary). parts[key] is polygons of rings of [arc, forwards].
export function build(districts) {
  const edges = new Map();
  const near = new Map();
  const rings = [];
  for (const { key, geometry } of districts) {
    partsOf(geometry).forEach((polygon, part) => {
      for (const closed of polygon) {
        const ring = closed.slice(0, -1).filter((place, i, all) => !same(place, all[(i + all.length - 1) % all.length]));
        rings.push({ key, part, ring });
        ring.forEach((place, i) => {
          const [a, b] = [name(place), name(ring[(i + 1) % ring.length])];
          const edge = a < b ? `${a} ${b}` : `${b} ${a}`;
          if (!edges.has(edge)) edges.set(edge, []);
          edges.get(edge).push(key);
          for (const [from, to] of [[a, b], [b, a]]) {
            if (!near.has(from)) near.set(from, new Set());
            near.get(from).add(to);
          }
        });
      }
    });
  }
  const sidesOf = (a, b) => [...new Set(edges.get(a < b ? `${a} ${b}` : `${b} ${a}`))].sort();
  // A node is where other than two edges meet, or where the districts beside the line change.
  const isNode = (at) => {
    const around = [...near.get(at)];
    return around.length !== 2 || sidesOf(at, around[0]).join() !== sidesOf(at, around[1]).join();
  };
  const arcs = [];
  const known = new Map();
  const parts = {};
  for (const { key, part, ring } of rings) {
    const names = ring.map(name);
    const first = Math.max(0, names.findIndex(isNode)); // a ring without a node is one arc from anywhere
    const turned = [...ring.slice(first), ...ring.slice(0, first), ring[first]];
    const run = [];
    let line = [turned[0]];
    for (let i = 1; i < turned.length; i++) {
      line.push(turned[i]);
      if (i < turned.length - 1 && !isNode(name(turned[i]))) continue;
      run.push(keep(line));
      line = [turned[i]];
    }
    parts[key] ??= [];
    (parts[key][part] ??= []).push(run);
  }
  return { arcs, parts };

  function keep(line) {
    const loop = same(line[0], line.at(-1));
    const names = line.map(name);
    const forwards = loop ? names.slice(1).sort().join(" ") : names.join(" ");
    const backwards = loop ? forwards : [...names].reverse().join(" ");
    for (const [word, way] of [[forwards, true], [backwards, false]]) {
      if (known.has(word)) return [known.get(word), loop ? turnsAlike(arcs[known.get(word)].line, line) : way];
    }
    known.set(forwards, arcs.length);
    arcs.push({ line: line.map(onGrid), sides: sidesOf(names[0], names[1]) });
    return [arcs.length - 1, true];
  }
}

const area2 = (ring) => ring.reduce((sum, [x, y], i) => {
  const [u, v] = ring[(i + 1) % ring.length];
  return sum + (x - ring[0][0]) * (v - ring[0][1]) - (u - ring[0][0]) * (y - ring[0][1]);
}, 0);
const turnsAlike = (a, b) => area2(a) * area2(b) > 0;

// The GeoJSON geometry of a district as its arcs lie now.
export function geometryOf({ arcs, parts }, key) {
  const polygons = parts[key].map((rings) => rings.map((run) => {
    const ring = run.flatMap(([index, forwards]) => {
      const line = forwards ? arcs[index].line : [...arcs[index].line].reverse();
      return line.slice(0, -1);
    });
    return [...ring, ring[0]];
  }));
  return polygons.length === 1 ? { type: "Polygon", coordinates: polygons[0] } : { type: "MultiPolygon", coordinates: polygons };
}

// The districts that share a border with this one.
export const neighbours = ({ arcs }, key) => [...new Set(arcs.filter((arc) => arc.sides.includes(key)).flatMap((arc) => arc.sides))].filter((other) => other !== key);

export const isOuter = (arc) => arc.sides.length === 1;
export const isLoop = (arc) => same(arc.line[0], arc.line.at(-1));

// The two arcs of the outer boundary that meet at a node, as one path through it: {path, at, arcs: [[index, forwards] × 2]};
// null for a node inside, or where the boundary is not a plain path.
export function outerThrough({ arcs }, node) {
  const ends = [];
  arcs.forEach((arc, index) => {
    if (!isOuter(arc)) return;
    if (same(arc.line[0], node)) ends.push([index, true]);
    if (same(arc.line.at(-1), node)) ends.push([index, false]);
  });
  if (ends.length !== 2 || ends[0][0] === ends[1][0]) return null;
  const away = ends.map(([index, forwards]) => (forwards ? arcs[index].line : [...arcs[index].line].reverse()));
  return { path: [...away[0].slice(1).reverse(), ...away[1]], at: away[0].length - 1, ends };
}

export const touchesOuter = ({ arcs }, node) => arcs.some((arc) => isOuter(arc) && arc.line.some((place) => same(place, node)));

// The nearest place on a line: {place, segment, distance}, measured in degrees with longitudes shortened by `squeeze`.
export function nearest(line, [x, y], squeeze = 1) {
  let best = null;
  for (let i = 0; i + 1 < line.length; i++) {
    const [[ax, ay], [bx, by]] = [line[i], line[i + 1]];
    const [dx, dy] = [(bx - ax) * squeeze, by - ay];
    const length = dx * dx + dy * dy;
    const along = length ? Math.min(1, Math.max(0, ((x - ax) * squeeze * dx + (y - ay) * dy) / length)) : 0;
    const place = [ax + along * (bx - ax), ay + along * (by - ay)];
    const distance = Math.hypot((place[0] - x) * squeeze, place[1] - y);
    if (!best || distance < best.distance) best = { place, segment: i, distance };
  }
  return best;
}

// A new topology in which the border `index` has this line. A moved end takes every border that meets there along; an
// end on the outer boundary slides along it, and the boundary itself keeps its course. Null where that cannot be.
export function moveArc(topology, index, wanted) {
  const line = wanted.map(onGrid).filter((place, i, all) => !i || !same(place, all[i - 1]));
  if (line.length < 2) return null;
  const arcs = topology.arcs.map((arc) => ({ ...arc }));
  const before = arcs[index].line;
  if (isLoop(arcs[index])) {
    if (!same(line[0], line.at(-1)) || line.length < 4) return null;
    arcs[index].line = line;
    return { ...topology, arcs };
  }
  for (const [from, to] of [[before[0], line[0]], [before.at(-1), line.at(-1)]]) {
    if (same(from, to)) continue;
    const outer = outerThrough(topology, from);
    if (!outer && touchesOuter(topology, from)) return null;
    if (outer && !slide(arcs, outer, to)) return null;
    arcs.forEach((arc, i) => {
      if (i === index || (outer && isOuter(arc))) return;
      if (same(arc.line[0], from)) arc.line = [to, ...arc.line.slice(1)];
      if (same(arc.line.at(-1), from)) arc.line = [...arc.line.slice(0, -1), to];
    });
  }
  arcs[index].line = line;
  return { ...topology, arcs };
}

function slide(arcs, { path, ends }, to) {
  const found = nearest(path, to);
  const left = [...path.slice(0, found.segment + 1), to];
  const right = [to, ...path.slice(found.segment + 1)];
  for (const half of [left, right]) if (half.length < 2 || same(half[0], half.at(-1))) return false;
  const plain = (half) => half.filter((place, i) => !i || !same(place, half[i - 1]));
  const [[a, aAway], [b, bAway]] = ends;
  arcs[a].line = aAway ? plain(left).reverse() : plain(left);
  arcs[b].line = bAway ? plain(right) : plain(right).reverse();
  return true;
}

// Whether a ring of the geometry crosses or touches itself.
export function crossesItself(geometry) {
  const segments = ringsOf(geometry).flatMap((ring, r) => ring.slice(0, -1).map((a, i) => ({ a, b: ring[i + 1], r, i, last: ring.length - 2 })));
  for (const s of segments) [s.west, s.east] = s.a[0] < s.b[0] ? [s.a[0], s.b[0]] : [s.b[0], s.a[0]];
  segments.sort((s, t) => s.west - t.west);
  for (let i = 0; i < segments.length; i++) {
    for (let j = i + 1; j < segments.length && segments[j].west <= segments[i].east; j++) {
      if (meet(segments[i], segments[j])) return true;
    }
  }
  return false;
}

const side = ([ax, ay], [bx, by], [x, y]) => Math.sign((bx - ax) * (y - ay) - (by - ay) * (x - ax));

function meet(s, t) {
  if (s.r === t.r) {
    const apart = Math.abs(s.i - t.i);
    if (apart === 1 || apart === s.last) {
      // Neighbours share one end; they are at fault only where one runs back over the other.
      const shared = same(s.b, t.a) ? [s.a, s.b, t.b] : same(t.b, s.a) ? [t.a, t.b, s.b] : null;
      if (!shared) return true;
      const [p, q, r] = shared;
      return side(p, q, r) === 0 && (p[0] - q[0]) * (r[0] - q[0]) + (p[1] - q[1]) * (r[1] - q[1]) > 0;
    }
  }
  const [a, b, c, d] = [side(s.a, s.b, t.a), side(s.a, s.b, t.b), side(t.a, t.b, s.a), side(t.a, t.b, s.b)];
  if (a * b < 0 && c * d < 0) return true;
  const within = (p, q, r) => Math.min(p[0], q[0]) <= r[0] && r[0] <= Math.max(p[0], q[0]) && Math.min(p[1], q[1]) <= r[1] && r[1] <= Math.max(p[1], q[1]);
  return (a === 0 && within(s.a, s.b, t.a)) || (b === 0 && within(s.a, s.b, t.b)) || (c === 0 && within(t.a, t.b, s.a)) || (d === 0 && within(t.a, t.b, s.b));
}

// Whether a place lies inside, by the even-odd rule over all rings.
export function contains(geometry, [x, y]) {
  let inside = false;
  for (const ring of ringsOf(geometry)) {
    for (let i = 0, j = ring.length - 1; i < ring.length; j = i++) {
      const [[ax, ay], [bx, by]] = [ring[i], ring[j]];
      if (ay > y !== by > y && x < ((bx - ax) * (y - ay)) / (by - ay) + ax) inside = !inside;
    }
  }
  return inside;
}

// Where something is written in a district: the widest place that is clear of the places `taken`.
export function restingPlace(geometry, taken, squeeze = 1) {
  const rings = ringsOf(geometry);
  const [xs, ys] = [0, 1].map((axis) => rings[0].map((place) => place[axis]));
  const [west, east, south, north] = [Math.min(...xs), Math.max(...xs), Math.min(...ys), Math.max(...ys)];
  let best = null;
  for (let i = 1; i < 16; i++) {
    for (let j = 1; j < 16; j++) {
      const place = [west + ((east - west) * i) / 16, south + ((north - south) * j) / 16];
      if (!contains(geometry, place)) continue;
      const edge = Math.min(...rings.map((ring) => nearest(ring, place, squeeze).distance));
      const crowd = Math.min(Infinity, ...taken.map(([x, y]) => Math.hypot((x - place[0]) * squeeze * 0.55, y - place[1]))); // writing is wide
      const room = Math.min(edge, crowd);
      if (!best || room > best.room) best = { place, room };
    }
  }
  return best?.place ?? rings[0][0];
}

// The vertices worth a handle: both ends, and what Douglas and Peucker's way keeps at `tolerance` (in the units that
// `project` gives, pixels), at least `apart` from each other. Indices into the line, in order.
export function handles(line, project, tolerance = 4, apart = 44) {
  const places = line.map(project);
  const far = (i, j, k) => {
    const [ax, ay] = places[i], [bx, by] = places[j], [x, y] = places[k];
    const length = Math.hypot(bx - ax, by - ay);
    return length ? Math.abs((bx - ax) * (ay - y) - (ax - x) * (by - ay)) / length : Math.hypot(x - ax, y - ay);
  };
  const kept = new Map([[0, Infinity], [line.length - 1, Infinity]]);
  const walk = (i, j) => {
    let [worst, most] = [-1, tolerance];
    for (let k = i + 1; k < j; k++) if (far(i, j, k) > most) [worst, most] = [k, far(i, j, k)];
    if (worst < 0) return;
    kept.set(worst, most);
    walk(i, worst);
    walk(worst, j);
  };
  walk(0, line.length - 1);
  const chosen = [];
  for (const [k] of [...kept].sort((a, b) => b[1] - a[1])) {
    if (chosen.every((c) => Math.hypot(places[c][0] - places[k][0], places[c][1] - places[k][1]) >= apart) || k === 0 || k === line.length - 1) chosen.push(k);
  }
  return chosen.sort((a, b) => a - b);
}

// The full line again from handles that were dragged: stretches between two untouched handles keep their vertices.
export function expand(line, chosen, dragged) {
  const where = new Map(chosen.map((k) => [name(line[k]), k]));
  const result = [dragged[0]];
  for (let i = 1; i < dragged.length; i++) {
    const from = i === 1 && same(dragged[0], line[0]) ? 0 : where.get(name(dragged[i - 1]));
    let to = where.get(name(dragged[i]));
    if (i === dragged.length - 1 && same(dragged[i], line.at(-1))) to = line.length - 1;
    const follows = from !== undefined && to !== undefined && chosen.indexOf(to) === chosen.indexOf(from) + 1;
    if (follows) result.push(...line.slice(from + 1, to));
    result.push(dragged[i]);
  }
  return result;
}

// A hue of five for every district, so that neighbours differ where five are enough and an untroubled one keeps its own.
export function hues(topology, keys, count = 5) {
  const chosen = {};
  keys.forEach((key, i) => {
    const taken = new Set(neighbours(topology, key).map((other) => chosen[other]));
    const wishes = Array.from({ length: count }, (_, k) => (i + k) % count);
    chosen[key] = wishes.find((hue) => !taken.has(hue)) ?? i % count;
  });
  return chosen;
}
