// Draws every dashboard at two widths, dark and light, and complains of what cannot be read:
// pictures.mjs PROMETHEUS-URL FOLDER. A picture for each is left in the folder.

import { mkdirSync, readdirSync, readFileSync } from "node:fs";
import { chromium } from "playwright-core";

import { complaints } from "./checks.mjs";

const [prometheus, folder] = process.argv.slice(2);
const DASHBOARDS = new URL("../../../dashboards/", import.meta.url);
const MODULES = new URL("../node_modules/", import.meta.url);
const HTML = '<!doctype html><link rel="stylesheet" href="/page.css"><div id="root"></div><script type="module" src="/page.js"></script>';
const FILES = [
  [/^\/public\/build\//, "/@grafana/ui/dist/public/"],
  [/^\/public\/fonts\/inter\/.*/, "/@fontsource-variable/inter/files/inter-latin-wght-normal.woff2"],
  [/^\/page\./, "/.drawing/page."],
];
const TYPES = { css: "text/css", js: "text/javascript", svg: "image/svg+xml", woff2: "font/woff2" };
const MINUTE = 60;

// The page stands before Prometheus, so that it may ask it; it and Grafana's icons come from files.
async function answer(route) {
  const { origin, pathname } = new URL(route.request().url());
  if (origin === prometheus && pathname.startsWith("/api/")) return route.continue();
  if (pathname === "/") return route.fulfill({ contentType: "text/html", body: HTML });
  const file = FILES.reduce((path, [start, folder]) => path.replace(start, folder), pathname);
  const contentType = TYPES[file.split(".").pop()];
  try {
    return await route.fulfill({ contentType, body: readFileSync(new URL(`.${file}`, MODULES)) });
  } catch {
    return route.abort();
  }
}

async function draw(browser, dashboard, mode, width, clock) {
  const page = await browser.newPage({ viewport: { width, height: 1000 } });
  const errors = [];
  page.on("pageerror", (error) => errors.push(error.message));
  await page.route("**", answer);
  await page.goto(prometheus);
  await page.evaluate((what) => window.draw(what), { dashboard, prometheus, mode, clock });
  const height = await page.evaluate(() => document.documentElement.scrollHeight);
  await page.setViewportSize({ width, height });
  await page.waitForTimeout(1000);
  const name = `${dashboard.uid}-${width}-${mode}`;
  await page.screenshot({ path: `${folder}/${name}.png` });
  const found = [...errors, ...(await page.evaluate(complaints))];
  await page.close();
  return found.map((complaint) => `${name}: ${complaint}`);
}

// Every picture is of the same moment: that of the latest scrape that was whole.
async function moment() {
  const query = "max_over_time(timestamp(min(queueboard_collector_success) == 1)[10m:1s])";
  const answer = await fetch(`${prometheus}/api/v1/query?${new URLSearchParams({ query })}`);
  const [found] = (await answer.json()).data.result;
  if (!found) throw new Error("no scrape was whole");
  const now = Math.floor(Number(found.value[1]));
  return { now, start: now - MINUTE, step: 1, rateInterval: "15s" };
}

const clock = await moment();
mkdirSync(folder, { recursive: true });
const browser = await chromium.launch({
  executablePath: "/usr/bin/chromium",
  args: ["--disable-gpu", "--disable-background-networking", "--disable-component-update", "--disable-dev-shm-usage"],
  chromiumSandbox: false,
});
const found = [];
for (const file of readdirSync(DASHBOARDS).filter((name) => name.endsWith(".json"))) {
  const dashboard = JSON.parse(readFileSync(new URL(file, DASHBOARDS), "utf8"));
  for (const mode of ["dark", "light"]) {
    for (const width of [1280, 1920]) found.push(...(await draw(browser, dashboard, mode, width, clock)));
  }
}
await browser.close();
console.log([...found, `${found.length} complaints; the pictures are in ${folder}`].join("\n"));
process.exitCode = found.length ? 1 : 0;
