/**
 * Makes one file of each page's modules, per language, and one of all styles. A page then loads three files instead of
 * seventy, each of which would have its own headers and compression.
 *
 * `node gateway/bundle.js` writes them to web/assets/bundles. If a bundle is missing, its source is served instead.
 */

import { mkdirSync, readFileSync, readdirSync, renameSync, rmSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { argv, pid } from "node:process";
import { fileURLToPath } from "node:url";
import { build } from "esbuild";

const WEB = fileURLToPath(new URL("web/", import.meta.url));
const BUNDLES = join(WEB, "assets/bundles");
const SCRIPT = /<script type="module" src="\/assets\/bundles\/([a-z]+)\/([a-z-]+)\.js">/g;

/** @type {import("esbuild").BuildOptions} */
const COMMON = { absWorkingDir: WEB, bundle: true, minify: true, target: "chrome90", charset: "utf8", write: false, logLevel: "warning" };

/** Let a bundle contain the texts of one language only. @param {string} language @returns {import("esbuild").Plugin} */
function inOne(language) {
  const path = join(WEB, `assets/js/words.${language}.js`);
  return { name: "language", setup: ({ onResolve }) => onResolve({ filter: /\/chosen-words\.js$/ }, () => ({ path })) };
}

/** Return every page's script, by language. @returns {Map<string, Set<string>>} */
function scripts() {
  const found = new Map();
  for (const page of readdirSync(WEB, { recursive: true }).map(String).filter((path) => path.endsWith(".html"))) {
    for (const [, language, name] of readFileSync(join(WEB, page), "utf8").matchAll(SCRIPT)) {
      found.set(language, (found.get(language) ?? new Set()).add(`assets/js/${name}.js`));
    }
  }
  return found;
}

/** @returns {Promise<Map<string, Uint8Array>>} every bundle by its path under web/ */
export async function bundles() {
  const styles = build({ ...COMMON, entryPoints: ["assets/css/site.css"], outfile: "assets/bundles/site.css" });
  const modules = Array.from(scripts(), ([language, names]) =>
    build({
      ...COMMON,
      entryPoints: [...names],
      outdir: `assets/bundles/${language}`,
      format: "esm",
      external: ["/assets/*"],
      plugins: [inOne(language)],
    }),
  );
  const made = (await Promise.all([styles, ...modules])).flatMap(({ outputFiles }) => outputFiles ?? []);
  return new Map(made.map(({ path, contents }) => [path.slice(WEB.length), contents]));
}

if (argv[1] === fileURLToPath(import.meta.url)) {
  const made = await bundles();
  for (const [path, contents] of made) {
    const [target, unfinished] = [join(WEB, path), join(WEB, `${path}.${pid}`)];
    mkdirSync(dirname(target), { recursive: true });
    writeFileSync(unfinished, contents);
    renameSync(unfinished, target);
  }
  for (const path of readdirSync(BUNDLES, { recursive: true }).map((name) => join("assets/bundles", String(name)))) {
    if (/\.(css|js)$/.test(path) && !made.has(path)) rmSync(join(WEB, path));
  }
}
