/** Rules for every page: the content security policy, no other host, ids that labels and scripts rely on. */

import assert from "node:assert/strict";
import { readFileSync, readdirSync, statSync } from "node:fs";
import { join } from "node:path";
import { test } from "node:test";
import { fileURLToPath } from "node:url";
import { gzipSync } from "node:zlib";

const WEB = fileURLToPath(new URL("../web/", import.meta.url));
/** Bundles and npm modules exist only after gateway/install, and their comments may mention other hosts. */
const MADE = /^assets\/(?:bundles|npm)\//;
const FILES = readdirSync(WEB, { recursive: true })
  .map(String)
  .filter((path) => !MADE.test(path) && statSync(join(WEB, path)).isFile());
const PAGES = FILES.filter((path) => path.endsWith(".html"));

/** @param {string} path */
const read = (path) => readFileSync(join(WEB, path), "utf8");

/** @param {string} text @param {RegExp} pattern */
const all = (text, pattern) => Array.from(text.matchAll(pattern), (match) => match[1] ?? "");

/** The source that is served if there is no bundle. @param {string} path */
const sourceOf = (path) => path.replace(/^assets\/bundles\/(?:[a-z]+\/)?([a-z.-]+)\.(css|js)$/, "assets/$2/$1.$2");

/** All modules that a module imports, directly or indirectly. @param {string} path @param {Set<string>} [found] */
function importsOf(path, found = new Set()) {
  for (const name of all(read(path), /^import[^;]*?from "\.\/([^"]+)"/gms)) {
    const imported = `assets/js/${name}`;
    if (found.has(imported)) continue;
    found.add(imported);
    importsOf(imported, found);
  }
  return found;
}

/** Every bundle by its path, or nothing if esbuild is not installed. */
async function bundled() {
  const { bundles } = await import("../bundle.js").catch((error) => {
    if (error.code !== "ERR_MODULE_NOT_FOUND" || process.env["CI"] === "true") throw error;
    return { bundles: undefined };
  });
  return bundles?.();
}

test("no page has an inline script, style or handler", () => {
  for (const page of PAGES) {
    const html = read(page);
    assert.doesNotMatch(html, /<style|\sstyle=|\son[a-z]+=|javascript:/i, page);
    assert.doesNotMatch(html, /<script(?![^>]*\ssrc=)/i, page);
  }
});

test("no script turns text into HTML or code", () => {
  for (const path of FILES.filter((name) => name.endsWith(".js"))) {
    assert.doesNotMatch(read(path), /innerHTML|outerHTML|insertAdjacentHTML|document\.write|\beval\(|new Function/, path);
  }
});

test("nothing is loaded from another host", () => {
  for (const path of FILES) {
    const text = read(path).replaceAll("http://www.w3.org/2000/svg", "");
    assert.doesNotMatch(text, /(?:https?:)?\/\/[a-z0-9-]+\.[a-z]/i, path);
  }
});

test("every file that a page names exists", () => {
  for (const page of PAGES) {
    for (const path of all(read(page), /(?:href|src)="\/(assets\/[^"]+)"/g)) {
      assert.ok(FILES.includes(sourceOf(path)) || path.startsWith("assets/npm/"), `${page}: ${path}`);
    }
  }
});

/** @param {string} page @param {string} path as in a link */
function existing(page, path) {
  const language = page.includes("/") ? page.split("/")[0] : "fa";
  return [`${language}/${path || "index"}.html`, `${path}.html`, path].some((file) => FILES.includes(file));
}

test("every link inside the desk has a target", () => {
  for (const page of PAGES) {
    for (const path of all(read(page), /<a[^>]*\shref="\/([^"#]*)"/g)) assert.ok(existing(page, path), `${page}: /${path}`);
  }
});

test("every script and style that a page names is a bundle, in the language of the page", async (t) => {
  const made = await bundled();
  if (made === undefined) return t.skip("esbuild is not here; gateway/install brings it from npm");
  for (const page of PAGES) {
    const named = all(read(page), /(?:href|src)="\/(assets\/bundles\/[^"]+)"/g);
    for (const path of named) assert.ok(made.has(path), `${page}: ${path}`);
    for (const path of named.filter((each) => each.endsWith(".js"))) {
      assert.equal(path.split("/")[2], page.split("/")[0]);
      const text = new TextDecoder().decode(made.get(path));
      assert.equal(text.includes("یکشنبه"), page.startsWith("fa/"), `${page}: ${path}`);
    }
  }
});

test("ids are unique, and targets of labels and descriptions exist", () => {
  for (const page of PAGES) {
    const html = read(page);
    const ids = all(html, /\sid="([^"]+)"/g);
    assert.equal(new Set(ids).size, ids.length, page);
    const named = all(html, /\s(?:for|aria-labelledby|aria-describedby)="([^"]+)"/g).flatMap((value) => value.split(" "));
    for (const id of named) assert.ok(ids.includes(id), `${page}: ${id}`);
  }
});

test("every element that a script finds by id is on its page", () => {
  for (const page of PAGES) {
    const html = read(page);
    const [script] = all(html, /<script type="module" src="\/([^"]+)"/g);
    if (script === undefined) continue;
    const ids = all(html, /\sid="([^"]+)"/g);
    for (const path of [sourceOf(script), ...importsOf(sourceOf(script))]) {
      for (const id of all(read(path), /\b(?:byId|input|select|button|block)\("([a-z_]+)"/g)) assert.ok(ids.includes(id), `${page} ${path}: ${id}`);
    }
  }
});

test("every input has the same name as id, and radio buttons the name of their group", () => {
  for (const page of PAGES) {
    for (const [tag] of read(page).matchAll(/<(?:input|select|textarea)\b[^>]*>/g)) {
      if (tag.includes('type="radio"')) {
        assert.ok(read(page).includes(`<fieldset id="${/\sname="([^"]+)"/.exec(tag)?.[1]}"`), tag);
        continue;
      }
      assert.equal(/\sname="([^"]+)"/.exec(tag)?.[1], /\sid="([^"]+)"/.exec(tag)?.[1], tag);
    }
  }
});

test("the pages stay small: the first one under 60 KB, sending under 120 KB", async (t) => {
  const made = await bundled();
  if (made === undefined) return t.skip("esbuild is not here; gateway/install brings it from npm");
  /** @param {string} page */
  const weight = (page) => {
    const parts = all(read(page), /(?:href|src)="\/(assets\/[^"]+)"/g).filter((path) => !path.startsWith("assets/npm/"));
    return [page, ...parts].reduce((sum, path) => sum + gzipSync(made.get(path) ?? read(path)).length, 0);
  };
  for (const language of ["fa", "en"]) {
    assert.ok(weight(`${language}/index.html`) < 60 * 1024);
    assert.ok(weight(`${language}/send.html`) < 120 * 1024);
  }
});
