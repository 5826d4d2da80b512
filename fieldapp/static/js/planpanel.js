// The table beside the drawing board: the server writes it, this keeps its figures in step with a border being dragged.

// Puts the server's new panel in place of the old one, leaving open what is open.
export function renewPanel(panel, markup) {
  if (!markup) return;
  const fresh = new DOMParser().parseFromString(markup, "text/html").body;
  const open = [...panel.querySelectorAll("details[open]")].map(where);
  const [down, focused] = [panel.scrollTop, panel.contains(document.activeElement) ? document.activeElement : null];
  const name = focused && where(focused.closest("details") ?? focused);
  panel.replaceChildren(...document.importNode(fresh, true).childNodes);
  for (const details of panel.querySelectorAll("details")) if (open.includes(where(details))) details.open = true;
  panel.scrollTop = down;
  if (name) [...panel.querySelectorAll("details")].find((details) => where(details) === name)?.querySelector("summary").focus({ preventScroll: true });
}

const where = (part) => part.closest("[data-district]")?.dataset.district ?? part.className;

// Colours of the rows, and the draft's figures: those of `counts` while something moves, else the server's.
export function followRows(panel, data, hue, counts = {}) {
  for (const row of panel?.querySelectorAll("tr[data-district]") ?? []) {
    const { district: key } = row.dataset;
    const swatch = row.querySelector("[data-swatch]");
    if (swatch) swatch.dataset.hue = hue[key] ?? "";
    const known = data.districts.find((district) => district.key === key);
    const figure = row.querySelector("td:last-child b");
    const chart = row.querySelector("svg.plan-change");
    if (!known || !figure || !chart) continue;
    const count = counts[key] ?? known.households;
    figure.textContent = count;
    const isOff = Math.abs(count - data.target) * 100 > data.target * data.tolerance;
    figure.classList.toggle("chip", isOff);
    figure.classList.toggle("overdue", isOff);
    move(chart, count, isOff, data);
  }
}

// The chart's own scale, read from what the server drew: the aim, and the band of the tolerance around it.
function move(chart, count, isOff, { target, tolerance }) {
  const band = chart.querySelector(".band");
  const aim = Number(band.getAttribute("x")) + Number(band.getAttribute("width")) / 2;
  const step = Number(band.getAttribute("width")) / ((2 * target * tolerance) / 100);
  const x = Math.min(97, Math.max(3, aim + (count - target) * step));
  const dot = chart.querySelector(".is");
  dot?.setAttribute("cx", x);
  dot?.classList.toggle("off", isOff);
  const was = chart.querySelector(".was");
  if (was) chart.querySelector(".way")?.setAttribute("d", `M${was.getAttribute("cx")} 10H${x}`);
}
