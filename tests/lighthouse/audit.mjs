// Signs in, audits each page as a phone, prints what was found, writes the reports: node audit.mjs ORIGIN FOLDER
import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { launch } from "chrome-launcher";
import lighthouse from "lighthouse";

const PASSWORD = "fieldapp-demo";
const LEAST = { accessibility: 100, "best-practices": 100, performance: 95 };
const LARGEST = { plain: 40_000, map: 95_000 }; // bytes of scripts and styles together, compressed, as sent
const ATTEMPTS = 3;

const [origin, folder] = process.argv.slice(2);

/** The cookie of a fresh session of one of the demonstration's accounts. */
async function signIn(username) {
  const answer = await fetch(`${origin}/sign-in`, {
    method: "POST",
    redirect: "manual",
    headers: { Origin: origin },
    body: new URLSearchParams({ username, password: PASSWORD }),
  });
  const cookie = answer.headers.get("set-cookie");
  if (answer.status !== 303 || !cookie) throw new Error(`${username} could not sign in: ${answer.status}`);
  return cookie.split(";")[0];
}

/** The first household on a worker's Today. */
async function firstHousehold(cookie) {
  const page = await (await fetch(`${origin}/today`, { headers: { Cookie: cookie } })).text();
  const found = page.match(/href="(\/households\/[0-9a-f-]{36})"/);
  if (!found) throw new Error("Today lists no household");
  return found[1];
}

/** The pages to audit; `kind` chooses the limit of bytes. */
async function pages() {
  const worker = await signIn("worker1");
  const director = await signIn("director");
  const household = await firstHousehold(worker);
  return [
    { name: "today", address: "/today", cookie: worker, kind: "plain" },
    { name: "household", address: household, cookie: worker, kind: "plain" },
    { name: "visit", address: `${household}/visits/new`, cookie: worker, kind: "plain" },
    { name: "map", address: "/map", cookie: worker, kind: "map" },
    { name: "coverage", address: "/coverage", cookie: director, kind: "map" },
  ];
}

/** Bytes of scripts and of styles that a page loaded, as they came over the wire. */
function bytesOf(report) {
  const loaded = { Script: 0, Stylesheet: 0 };
  for (const item of report.audits["network-requests"].details.items) {
    if (item.resourceType in loaded) loaded[item.resourceType] += item.transferSize;
  }
  return loaded;
}

/** Audits of the categories with a limit that did not pass and weigh something, with where they failed. */
function failures(report) {
  const failed = [];
  for (const category of Object.keys(LEAST)) {
    for (const { id, weight } of report.categories[category].auditRefs) {
      const audit = report.audits[id];
      if (weight && audit.score !== null && audit.score < 0.9) failed.push({ category, id, audit });
    }
  }
  return failed;
}

function describe({ category, id, audit }) {
  const places = (audit.details?.items ?? []).slice(0, 5)
    .map((item) => item.node?.snippet ?? item.description ?? item.url ?? item.source).filter(Boolean);
  return [`  ${category}: ${id}: ${audit.title} ${audit.displayValue ?? ""}`.trimEnd(), ...places.map((p) => `    ${p}`)].join("\n");
}

/** A page audited; again where the browser failed Lighthouse, as it does now and then on a busy machine. */
async function audit(page) {
  for (let attempt = 1; ; attempt++) {
    const report = await auditOnce(page);
    if (!report.runtimeError) return report;
    if (attempt === ATTEMPTS) throw new Error(`${page.name}: ${report.runtimeError.message}`);
  }
}

/** One page in a browser of its own: what an earlier page kept, a cookie or a cached file, is not there. */
async function auditOnce({ name, address, cookie }) {
  const browser = await launch({ chromeFlags: ["--headless=new", "--no-sandbox"], logLevel: "silent" });
  try {
    const { lhr, report } = await lighthouse(origin + address, {
      port: browser.port, output: "json", logLevel: "error", formFactor: "mobile",
      onlyCategories: Object.keys(LEAST), extraHeaders: { Cookie: cookie },
    });
    writeFileSync(join(folder, `${name}.json`), report);
    if (!lhr.runtimeError && new URL(lhr.finalDisplayedUrl).pathname !== address) throw new Error(`${name} led to ${lhr.finalDisplayedUrl}`);
    return lhr;
  } finally {
    await browser.kill();
  }
}

let sound = true;
console.log("page        accessibility  best practices  performance  JS bytes  CSS bytes  together");
for (const page of await pages()) {
  const report = await audit(page);
  const score = (category) => Math.round(report.categories[category].score * 100);
  const { Script, Stylesheet } = bytesOf(report);
  const [together, largest] = [Script + Stylesheet, LARGEST[page.kind]];
  console.log([
    page.name.padEnd(10), String(score("accessibility")).padStart(14), String(score("best-practices")).padStart(15),
    String(score("performance")).padStart(12), String(Script).padStart(9), String(Stylesheet).padStart(10),
    `${together} of ${largest}`.padStart(17),
  ].join(" "));
  for (const failure of failures(report)) console.log(describe(failure));
  if (together > largest) console.log(`  too many bytes: ${together}`);
  sound &&= together <= largest && Object.entries(LEAST).every(([category, least]) => score(category) >= least);
}
console.log(`reports: ${folder}`);
process.exit(sound ? 0 : 1);
