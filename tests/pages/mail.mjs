// Opens the HTML of mails in Chromium, on a phone and on a desk, light and dark: nothing is asked for but the blog's
// pictures, nothing scrolls sideways, and axe-core finds nothing that keeps anyone from reading.
//
// usage: node mail.mjs FOLDER-OF-PAGES FOLDER-OF-THE-BLOG [FOLDER-FOR-SCREENSHOTS]

import { readFile, readdir } from 'node:fs/promises';
import { join, resolve } from 'node:path';
import { createRequire } from 'node:module';
import { pathToFileURL } from 'node:url';

const [folder, blog, screenshots] = process.argv.slice(2);
const { chromium } = createRequire(join(process.cwd(), 'target/tools/'))('playwright-core');
const axe = await readFile(join(process.cwd(), 'target/tools/node_modules/axe-core/axe.min.js'), 'utf8');
const [, origin] = (await readFile('mailmag.toml', 'utf8')).match(/^\[blog\]\nurl = "([^"]+)"/m);
// A mail is shown within a page, which has the landmarks.
const rules = { region: { enabled: false }, 'landmark-one-main': { enabled: false } };

const failures = new Set();
const pages = (await readdir(folder)).filter((name) => name.endsWith('.html'));
const browser = await chromium.launch({
  executablePath: process.env.CHROMIUM ?? '/usr/bin/chromium',
  args: ['--no-sandbox', '--disable-gpu', '--disable-background-networking', '--disable-component-update', '--disable-sync'],
});
let opened = 0;
for (const width of [390, 800]) {
  for (const colorScheme of ['light', 'dark']) {
    const context = await browser.newContext({ viewport: { width, height: 900 }, colorScheme });
    const page = await context.newPage();
    let at = '';
    await page.route((url) => url.protocol !== 'file:', async (route) => {
      const url = new URL(route.request().url());
      if (url.origin !== origin || !/\.(jpg|png|webp|gif)$/.test(url.pathname)) failures.add(`${at}: asks for ${url}`);
      const octets = await readFile(join(blog, decodeURIComponent(url.pathname))).catch(() => null);
      if (!octets) failures.add(`${at}: there is no ${url.pathname} on the blog`);
      await (octets ? route.fulfill({ body: octets }) : route.abort());
    });
    for (at of pages) {
      await page.goto(pathToFileURL(resolve(folder, at)).href, { waitUntil: 'networkidle' });
      opened += 1;
      const found = await page.evaluate(() => ({
        wide: document.documentElement.scrollWidth - document.documentElement.clientWidth,
        words: document.body.innerText.trim().length,
        headings: document.querySelectorAll('h1').length,
        small: [...document.querySelectorAll('p, li, td')].filter((element) => parseFloat(getComputedStyle(element).fontSize) < 12).length,
      }));
      const name = `${at} (${width}, ${colorScheme})`;
      if (found.wide > 0) failures.add(`${name}: scrolls ${found.wide} pixels sideways`);
      if (found.words < 100) failures.add(`${name}: has no words`);
      if (found.headings !== 1) failures.add(`${name}: has ${found.headings} h1`);
      if (found.small > 0) failures.add(`${name}: ${found.small} elements are too small to read`);
      // axe-core takes the browser's own background for white.
      await page.addStyleTag({ content: 'html { background: Canvas }' });
      await page.evaluate(axe);
      const { violations } = await page.evaluate((rules) => axe.run({ rules }), rules);
      for (const { id, nodes } of violations) failures.add(`${name}: ${id}: ${nodes[0].html}`);
      if (screenshots) await page.screenshot({ path: join(screenshots, `${at}-${width}-${colorScheme}.png`), fullPage: true });
    }
    await context.close();
  }
}
await browser.close();
for (const failure of failures) console.log(failure);
console.log(`${opened} views of mails in Chromium, ${failures.size} failed`);
process.exit(failures.size > 0 || opened === 0 ? 1 : 0);
