// Bundles scripts and styles into static/dist, names them by content, and compresses each once, as hard as it goes.
import { createHash } from "node:crypto";
import { existsSync, mkdirSync, readFileSync, readdirSync, rmSync, writeFileSync } from "node:fs";
import { brotliCompressSync, constants, gzipSync } from "node:zlib";
import { build, transform } from "esbuild";

const here = new URL(".", import.meta.url).pathname;
const dist = `${here}dist/`;
mkdirSync(dist, { recursive: true });
// Pages that are open now, and a server that still runs, ask for the build before this one: it stays for one more.
const before = existsSync(`${dist}manifest.json`) ? Object.values(JSON.parse(readFileSync(`${dist}manifest.json`))) : [];
for (const file of readdirSync(dist)) {
  if (!before.includes(file.replace(/\.(br|gz)$/, ""))) rmSync(dist + file);
}

const { outputFiles } = await build({
  entryPoints: ["app", "map", "plan", "visit"].map((name) => `${here}js/${name}.js`).concat(
    ["app", "map", "plan"].map((name) => `${here}css/${name}.css`),
  ),
  bundle: true,
  minify: true,
  format: "iife",
  target: ["chrome90", "safari15.4", "firefox100"],
  outdir: dist,
  write: false,
  logLevel: "warning",
  loader: { ".png": "empty" },
});

const manifest = {};
function keep(name, contents) {
  const [stem, kind] = name.split(/\.(?=[^.]+$)/);
  const hash = createHash("sha256").update(contents).digest("hex").slice(0, 10);
  const named = `${stem}-${hash}-h.${kind}`;
  manifest[name] = named;
  writeFileSync(dist + named, contents);
  if (kind === "png") return; // compressed already
  const best = { params: { [constants.BROTLI_PARAM_QUALITY]: 11 } };
  writeFileSync(`${dist}${named}.br`, brotliCompressSync(contents, best));
  writeFileSync(`${dist}${named}.gz`, gzipSync(contents, { level: 9 }));
}
for (const file of outputFiles) keep(file.path.split("/").slice(-2).join("-").replace("js-", "").replace("css-", ""), file.contents);

// A door's place on the matrix is a class: a strict Content-Security-Policy allows no style attributes.
const places = [".at{grid-row:var(--r) / span var(--h,1);grid-column:var(--c) / span var(--w,1)}"];
for (let i = 1; i <= 130; i++) {
  places.push(`.r-${i}{--r:${i}}.c-${i}{--c:${i}}.h-${i}{--h:${i}}.w-${i}{--w:${i}}`);
  places.push(`.cols-${i}{grid-template-columns:var(--floors,28px) repeat(${i},minmax(46px,1fr))}`);
}
keep("matrix.css", Buffer.from((await transform(places.join(""), { loader: "css", minify: true })).code));
const icons = readdirSync(`${here}icons`).filter((name) => name === "icon.svg" || name.endsWith(".png"));
for (const icon of icons) keep(icon, readFileSync(`${here}icons/${icon}`));

// The service worker knows the shell by name: the files of this build, and the page shown when there is nothing else.
// The director's drawing board needs signal, so no worker's phone carries it.
const shell = ["/offline", ...Object.values(manifest).filter((name) => /-h\.(css|js|svg)$/.test(name) && !name.startsWith("plan-")).map((name) => `/static/dist/${name}`)];
const worker = await build({
  entryPoints: [`${here}js/sw.js`],
  bundle: true,
  minify: true,
  format: "iife",
  target: ["chrome90", "safari15.4", "firefox100"],
  write: false,
  define: { __SHELL__: JSON.stringify(shell), __BUILD__: JSON.stringify(createHash("sha256").update(shell.join()).digest("hex").slice(0, 12)) },
});
keep("sw.js", worker.outputFiles[0].contents);
writeFileSync(`${dist}manifest.json`, JSON.stringify(manifest, null, 1));
