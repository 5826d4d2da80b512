// The order in which today's entrances are walked, while this tab is open: so that coming back to Today does not ask
// where one stands again, and that the map draws the same walk. Where somebody stood is not in it.
const KEY = "walk";
const today = () => new Date().toDateString();

export function keepWay(user, stops) {
  try { sessionStorage.setItem(KEY, JSON.stringify({ user, day: today(), stops })); } catch { /* found anew next time */ }
}

// The stops [{key, name, at}] of today's walk of this reader, in walking order.
export function keptWay(user) {
  try {
    const kept = JSON.parse(sessionStorage.getItem(KEY));
    return kept?.user === user && kept.day === today() ? kept.stops : [];
  } catch { return []; }
}

export function forgetWay() {
  try { sessionStorage.removeItem(KEY); } catch { /* nothing was kept */ }
}
