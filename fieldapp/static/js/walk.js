// A day's entrances in a short walk, on the phone: the search of geo/walking.py, with its comments. An open path over
// entrances {at: [longitude, latitude], building}, those of a building one after the other; lengths are millimetres.
const KICKS = 300;
const NEIGHBOURS = 8;
const LONGEST_MOVE = 3;
const STARTS = 40;
const A = 6378137;
const E2 = 0.006694379990141317;

// The entrances in walking order, by their numbers from 0, and the metres from the start, or the first, to the last.
export function walk(entrances, start) {
  const places = entrances.map(({ at }) => at).concat(start ? [start] : []);
  if (!entrances.length) return { order: [], metres: 0 };
  const [x, y] = [0, 1].map((axis) => {
    const values = places.map((place) => place[axis]);
    return (Math.min(...values) + Math.max(...values)) / 2;
  });
  const phi = (y * Math.PI) / 180;
  const w2 = 1 - E2 * Math.sin(phi) ** 2;
  const scale = [((A / Math.sqrt(w2)) * Math.cos(phi) * Math.PI) / 180, (((A * (1 - E2)) / w2 ** 1.5) * Math.PI) / 180];
  const points = places.map((place) => [(place[0] - x) * scale[0], (place[1] - y) * scale[1]]);
  const { tour, length } = path(points.slice(0, entrances.length), entrances.map(({ building }) => building), start && points.at(-1));
  return { order: tour, metres: length / 1000 };
}

const sum = (costs, tour) => tour.reduce((all, point, i) => (i ? all + costs[tour[i - 1]][point] : 0), 0);

function path(points, groups, start) {
  const end = points.length + 1;
  const all = [start, ...points, undefined];
  const length = all.map((a) => all.map((b) => (a && b ? Math.round(Math.hypot(a[0] - b[0], a[1] - b[1]) * 1000) : 0)));
  const apart = (end + 1) * Math.max(...length.map((row) => Math.max(...row))) + 1;
  const group = [undefined, ...groups, undefined];
  const costs = length.map((row, a) => row.map((cost, b) => (group[a] && group[b] && group[a] !== group[b] ? cost + apart : cost)));
  const step = Math.max(1, Math.floor(points.length / STARTS));
  const firsts = start ? [undefined] : points.map((_, i) => i + 1).filter((i) => (i - 1) % step === 0);
  const tours = firsts.map((first) => nearest(costs, end, first));
  const best = tours.reduce((one, other) => (sum(costs, other) < sum(costs, one) ? other : one));
  const tour = search(costs, group, best, KICKS);
  return { tour: tour.slice(1, -1).map((i) => i - 1), length: sum(length, tour) };
}

function nearest(costs, end, first) {
  const tour = first ? [0, first] : [0];
  const left = new Set(costs.keys());
  for (const done of [...tour, end]) left.delete(done);
  while (left.size) {
    const row = costs[tour.at(-1)];
    let next;
    for (const i of left) if (next === undefined || row[i] < row[next]) next = i;
    tour.push(next);
    left.delete(next);
  }
  return [...tour, end];
}

function search(costs, group, tour, kicks) {
  const end = tour.length - 1;
  const at = [];
  const note = (first, last) => { for (let i = first; i <= last; i++) at[tour[i]] = i; };
  const place = (first, points) => {
    for (const [i, point] of points.entries()) tour[first + i] = point;
    note(first, first + points.length - 1);
  };
  note(0, end);
  const near = costs.map((row, point) => {
    const others = [...row.keys()].filter((i) => i !== point).sort((a, b) => row[a] - row[b]);
    const few = (wanted) => others.filter(wanted).slice(0, NEIGHBOURS);
    const ends = others.filter((i) => i === 0 || i === end);
    const same = few((i) => group[i] && group[i] === group[point]);
    return [...new Set([...ends, ...same, ...few((i) => group[i] && group[i] !== group[point])])].sort((a, b) => row[a] - row[b]);
  });

  let chance = 1;
  const draw = (below) => {
    chance = (Math.imul(chance, 1664525) + 1013904223) >>> 0;
    return (chance >>> 8) % below;
  };

  // 2-opt: a stretch is turned around.
  function turn(point) {
    const [here, row] = [at[point], costs[point]];
    for (const side of [1, -1]) {
      const beside = tour[here + side];
      for (const other of near[point]) {
        if (row[other] >= row[beside]) break;
        const next = tour[at[other] + side];
        if (next === undefined) continue;
        const gain = row[beside] - row[other] + costs[other][next] - costs[beside][next];
        if (gain <= 0) continue;
        const [low, high] = [here, at[other]].sort((a, b) => a - b);
        const first = side > 0 ? low + 1 : low;
        place(first, tour.slice(first, side > 0 ? high + 1 : high).reverse());
        return [gain, point, beside, other, next];
      }
    }
    return [0];
  }

  function lengths(here, side) {
    let far = here;
    while (group[tour[far + side]] === group[tour[here]]) far += side;
    const whole = Math.abs(far - here) + 1;
    return whole > LONGEST_MOVE ? [1, 2, 3, whole] : [1, 2, 3];
  }

  // Or-opt: a stretch, or a whole building, goes elsewhere.
  function move(point) {
    const [here, row] = [at[point], costs[point]];
    for (const side of [1, -1]) {
      for (const length of lengths(here, side)) {
        const far = here + side * (length - 1);
        if (far <= 0 || far >= end) break;
        const [tail, ahead, behind] = [tour[far], tour[here - side], tour[far + side]];
        const freed = row[ahead] + costs[tail][behind] - costs[ahead][behind];
        const [low, high] = side > 0 ? [here, far] : [far, here];
        const within = (i) => i >= low && i <= high;
        for (const other of near[point]) {
          if (row[other] >= freed) break;
          const there = at[other];
          if (within(there)) continue;
          for (const beyond of [there + 1, there - 1]) {
            const next = tour[beyond];
            if (next === undefined || within(beyond)) continue;
            const gain = freed - row[other] + costs[other][next] - costs[tail][next];
            if (gain <= 0) continue;
            const stretch = tour.slice(low, high + 1);
            if (there < beyond !== (here === low)) stretch.reverse();
            const after = Math.min(there, beyond);
            if (after < low) place(after + 1, [...stretch, ...tour.slice(after + 1, low)]);
            else place(low, [...tour.slice(high + 1, after + 1), ...stretch]);
            return [gain, point, tail, ahead, behind, other, next];
          }
        }
      }
    }
    return [0];
  }

  function improve(points) {
    const inner = (point) => point > 0 && point < end;
    const waiting = new Set(points.filter(inner));
    let gained = 0;
    for (const point of waiting) { // what is added while it runs comes last
      waiting.delete(point);
      let [gain, ...touched] = turn(point);
      if (!gain) [gain, ...touched] = move(point);
      gained += gain;
      for (const other of touched) if (inner(other)) waiting.add(other);
    }
    return gained;
  }

  function cuts() {
    const steps = tour.slice(1).map((_, i) => i);
    const between = steps.filter((i) => group[tour[i]] !== group[tour[i + 1]]);
    if (between.length === end || (between.length > 3 && draw(4))) return between;
    const inside = group[tour[1 + draw(end - 1)]];
    const within = steps.filter((i) => group[tour[i]] === inside || group[tour[i + 1]] === inside);
    return within.length > 3 ? within : between;
  }

  // The double bridge of a path: two neighbouring stretches change places.
  function kick() {
    const places = cuts();
    if (places.length < 3) return [0];
    const reach = Math.min(places.length, 12);
    const first = draw(places.length - reach + 1);
    const chosen = new Set();
    while (chosen.size < 3) chosen.add(places[first + draw(reach)]);
    const [i, j, k] = [...chosen].sort((a, b) => a - b);
    const [a, b, c, d, e, f] = [tour[i], tour[i + 1], tour[j], tour[j + 1], tour[k], tour[k + 1]];
    place(i + 1, [...tour.slice(j + 1, k + 1), ...tour.slice(i + 1, j + 1)]);
    return [costs[a][d] + costs[e][b] + costs[c][f] - costs[a][b] - costs[c][d] - costs[e][f], a, b, c, d, e, f];
  }

  improve(tour);
  for (let n = 0; n < kicks; n++) {
    const before = tour.slice();
    const [change, ...touched] = kick();
    if (change > improve(touched)) place(0, before);
  }
  return tour;
}
