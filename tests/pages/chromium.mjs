// Opens every page of a built blog in Chromium, on a phone and on a desk, light and dark: nothing fails to load, axe-core
// finds nothing that keeps anyone from reading, both editions of an issue among it, nothing is asked of another host, no page scrolls sideways, and every link within the blog leads somewhere.
//
// usage: node chromium.mjs FOLDER-OF-THE-BLOG    (playwright-core in NODE_PATH's place; CHROMIUM names the browser)

import { createServer } from 'node:http';
import { readFile, readdir } from 'node:fs/promises';
import { join } from 'node:path';
import { createRequire } from 'node:module';

const [folder] = process.argv.slice(2);
const { chromium } = createRequire(join(process.cwd(), 'target/tools/'))('playwright-core');
const axe = await readFile(join(process.cwd(), 'target/tools/node_modules/axe-core/axe.min.js'), 'utf8');
const types = { html: 'text/html', css: 'text/css', svg: 'image/svg+xml', png: 'image/png', xml: 'application/xml', txt: 'text/plain', json: 'application/feed+json', js: 'text/javascript', jpg: 'image/jpeg', webp: 'image/webp' };

const server = createServer(async (request, response) => {
  let path = decodeURIComponent(new URL(request.url, 'http://localhost').pathname);
  if (path.endsWith('/')) path += 'index.html';
  try {
    const octets = await readFile(join(folder, path));
    response.writeHead(200, { 'content-type': `${types[path.split('.').pop()] ?? 'application/octet-stream'}; charset=utf-8` });
    response.end(octets);
  } catch {
    response.writeHead(404);
    response.end();
  }
});
await new Promise((ready) => server.listen(0, '127.0.0.1', ready));
const origin = `http://127.0.0.1:${server.address().port}`;

const files = await readdir(folder, { recursive: true });
// An old address leads on at once; it is followed, not looked at.
const moved = new Map();
for (const file of files.filter((file) => file.endsWith('.html'))) {
  const to = (await readFile(join(folder, file), 'utf8')).match(/http-equiv="refresh" content="0; url=([^"]*)"/);
  if (to) moved.set(file, to[1]);
}
const pages = files.filter((file) => file.endsWith('.html') && !moved.has(file)).map((file) => '/' + file.replace(/index\.html$/, ''));
const sizes = { phone: { width: 390, height: 844 }, desk: { width: 1280, height: 900 } };
const views = Object.entries(sizes).flatMap(([size, viewport]) =>
  ['light', 'dark'].map((colorScheme) => ({ name: `${size}, ${colorScheme}`, viewport, colorScheme })),
);
const failures = new Set();
const anchors = new Map();
const links = [];
const browser = await chromium.launch({
  executablePath: process.env.CHROMIUM ?? '/usr/bin/chromium',
  args: ['--no-sandbox', '--disable-gpu', '--disable-background-networking', '--disable-component-update', '--disable-sync'],
});
let opened = 0;
for (const { name, ...view } of views) {
  const context = await browser.newContext(view);
  const page = await context.newPage();
  let at = '';
  page.on('request', (request) => request.url().startsWith(origin) || failures.add(`${at}: asks for ${request.url()}`));
  page.on('response', (response) => response.ok() || failures.add(`${at}: ${response.status()} ${response.url()}`));
  page.on('console', (message) => message.type() === 'error' && failures.add(`${at}: ${message.text()}`));
  for (at of pages) {
    await page.goto(origin + encodeURI(at));
    opened += 1;
    const found = await page.evaluate(() => ({
      wide: document.documentElement.scrollWidth - document.documentElement.clientWidth,
      words: document.querySelector('main').innerText.trim().length,
      headings: document.querySelectorAll('h1').length,
      code: document.querySelectorAll('pre > code').length,
      buttons: document.querySelectorAll('.copyable > button').length,
      ids: [...document.querySelectorAll('[id]')].map((element) => element.id),
      links: [...document.querySelectorAll('a[href]')].map((link) => link.href),
    }));
    if (found.wide > 0) failures.add(`${at} (${name}): scrolls ${found.wide} pixels sideways`);
    if (found.words < 10) failures.add(`${at} (${name}): has no words`);
    if (found.headings !== 1) failures.add(`${at}: has ${found.headings} h1`);
    if (found.buttons !== found.code) failures.add(`${at}: ${found.buttons} buttons copy ${found.code} blocks of code`);
    const check = async (edition) => {
      const { violations } = await page.evaluate(() => axe.run());
      for (const { id, nodes } of violations) failures.add(`${at}${edition} (${name}): ${id}: ${nodes[0].html}`);
    };
    await page.evaluate(axe);
    await check('');
    if (found.ids.includes('mail')) {
      await page.evaluate(() => { location.hash = 'mail'; });
      const shown = await page.evaluate(() => ['web', 'mail'].filter((id) => document.getElementById(id).checkVisibility()));
      if (shown.join() !== 'mail') failures.add(`${at}#mail (${name}): shows ${shown}`);
      await check('#mail');
    }
    anchors.set(at, found.ids);
    links.push(...found.links.map((link) => [at, link]));
  }
  await context.close();
}
for (const [file, to] of moved) {
  const page = await browser.newPage();
  await page.goto(`${origin}/${encodeURI(file)}`);
  await page.waitForURL((url) => url.pathname === new URL(to, origin).pathname, { timeout: 10000 })
    .catch(() => failures.add(`${file} does not lead to ${to}`));
  opened += 1;
  await page.close();
}
await browser.close();
server.close();

// The blog's own address stands in canonical links and in the mail; links from page to page are relative to the host.
for (const [at, link] of links.filter(([, link]) => link.startsWith(origin))) {
  const url = new URL(link);
  const path = decodeURIComponent(url.pathname);
  const file = path.endsWith('/') ? path + 'index.html' : path;
  if (!files.includes(file.slice(1))) failures.add(`${at}: the link to ${path} leads nowhere`);
  const anchor = decodeURIComponent(url.hash.slice(1));
  if (anchor && !anchors.get(path)?.includes(anchor)) failures.add(`${at}: ${path} has no #${anchor}`);
}

for (const failure of failures) console.log(failure);
console.log(`${opened} page views in Chromium, ${failures.size} failed`);
process.exit(failures.size > 0 || opened === 0 ? 1 : 0);
