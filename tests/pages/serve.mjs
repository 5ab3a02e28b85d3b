// Subscribes, confirms, changes and leaves in Chromium as readers do, with JavaScript and without, in both languages; holds
// every page on the way to axe-core, light and dark, on a phone and on a desk; applies where work is asked for: nothing scrolls sideways, nothing is asked of another host, nothing is reported on the console.
//
// usage: node serve.mjs PROGRAM FOLDER    (playwright-core in target/tools; CHROMIUM names the browser; SHOTS a folder for
// pictures). Every page that was met is left in FOLDER, for the checker of HTML.

import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { mkdtemp, mkdir, readFile, readdir, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createRequire } from 'node:module';
import { once } from 'node:events';

const [program, kept] = process.argv.slice(2);
const { chromium } = createRequire(join(process.cwd(), 'target/tools/'))('playwright-core');
const axe = await readFile(join(process.cwd(), 'target/tools/node_modules/axe-core/axe.min.js'), 'utf8');

/** A service with some settings of its own, and the folder of its magazine. */
const serve = async (more) => {
  const folder = await mkdtemp(join(tmpdir(), 'mailmag-serve-'));
  await writeFile(join(folder, 'mailmag.toml'), `
[magazine]
name = "等幅通信"
publisher = "桁そろえ研究会"
language = "ja"
timezone = "Asia/Tokyo"
[mail]
from = "等幅通信 <news@tohaba.example.jp>"
subject = "等幅通信"
[blog]
url = "https://tohaba.example.jp"
[web]
url = "http://127.0.0.1"
listen = "127.0.0.1:0"
metrics-listen = "127.0.0.1:0"
confirmations-per-hour = 1000
requests-per-second = 1000
${more}
[[smtp]]
folder = "outbox"
`);
  const child = spawn(program, ['-C', folder, '-q', 'serve'], { stdio: ['ignore', 'pipe', 'inherit'] });
  const [line] = await once(child.stdout, 'data');
  return { folder, child, origin: String(line).trim().replace(/\/$/, '') };
};
const usual = await serve('');
// Some thousands of tries.
const working = await serve('proof-bits = 13');

/** The link of the newest mail of a service to an address, once it lies in the outbox. */
const linkOf = async ({ folder }, address, path) => {
  for (let tries = 0; tries < 200; tries++) {
    const names = await readdir(join(folder, 'outbox')).catch(() => []);
    for (const name of names.filter((name) => name.endsWith('.eml')).sort().reverse()) {
      const text = await readFile(join(folder, 'outbox', name), 'latin1');
      if (!text.includes(`To: <${address}>`) && !text.includes(`To: ${address}`)) continue;
      const [head, ...rest] = text.split('\r\n\r\n');
      const coded = /^Content-Transfer-Encoding: base64/im.test(head);
      const body = coded ? Buffer.from(rest.join(''), 'base64').toString('latin1') : rest.join('\r\n\r\n');
      const found = body.match(new RegExp(`/${path}/([a-z2-7]{26})`));
      if (found) return `/${path}/${found[1]}`;
    }
    await new Promise((later) => setTimeout(later, 50));
  }
  throw new Error(`no mail to ${address} has /${path}/`);
};

const browser = await chromium.launch({
  executablePath: process.env.CHROMIUM ?? '/usr/bin/chromium',
  args: ['--no-sandbox', '--disable-gpu', '--disable-background-networking', '--disable-component-update', '--disable-sync'],
});
const failures = new Set();
const sizes = { phone: { width: 390, height: 844 }, desk: { width: 1280, height: 900 } };
const shots = process.env.SHOTS;
if (shots) await mkdir(shots, { recursive: true });
await mkdir(kept, { recursive: true });
let looked = 0;
let met = 0;

/** Opens one kind of browser, and gives what looks at its pages and presses their buttons. */
const open = async ({ origin }, name, options, language) => {
  const context = await browser.newContext(options);
  const page = await context.newPage();
  page.setDefaultTimeout(10000);
  let at = '';
  page.on('request', (request) => request.url().startsWith(origin) || failures.add(`${at}: asks for ${request.url()}`));
  page.on('console', (message) => {
    // That a form is shown again is a 400, which Chromium tells of.
    if (message.type() === 'error' && !/status of 4\d\d/.test(message.text())) failures.add(`${at}: ${message.text()}`);
  });
  page.on('response', async (response) => {
    if (!/^text\/html/.test(response.headers()['content-type'] ?? '')) return;
    const text = await response.text().catch(() => '');
    if (text) await writeFile(join(kept, `${name.replaceAll(' ', '-')}-${met++}.html`), text);
  });
  const look = async (what) => {
    at = `${what} (${name})`;
    looked += 1;
    assert.equal(await page.locator('html').getAttribute('lang'), language, at);
    assert.equal(await page.locator('h1').count(), 1, at);
    const wide = await page.evaluate(() => document.documentElement.scrollWidth - document.documentElement.clientWidth);
    if (wide > 0) failures.add(`${at}: scrolls ${wide} pixels sideways`);
    if (options.javaScriptEnabled !== false) {
      await page.evaluate(axe);
      const { violations } = await page.evaluate(() => axe.run());
      for (const { id, nodes } of violations) failures.add(`${at}: ${id}: ${nodes[0].html}`);
    }
    if (shots) await page.screenshot({ path: join(shots, `${what}-${name.replaceAll(' ', '-')}.png`), fullPage: true });
  };
  const click = (button) => Promise.all([page.waitForNavigation(), button.click()]);
  const press = async (action) => {
    await click(page.locator(`form[action*="${action}"] button`).first());
  };
  return { page, look, click, press, close: () => context.close() };
};

/** Walks the whole way in one kind of browser. */
const walk = async (name, options, language) => {
  const { page, look, click, press, close } = await open(usual, name, options, language);
  const { origin } = usual;
  const link = (address, path) => linkOf(usual, address, path);
  const person = name.replaceAll(' ', '-');
  const address = `${person}@example.jp`;

  await page.goto(`${origin}/?lang=${language}`);
  await look('home');
  assert.equal(await page.locator('input:checked').count(), 0, 'no box is ticked beforehand');
  await page.locator('#email').fill('taro');
  await page.locator('#name').fill('太郎');
  await press('/subscribe');
  await look('wrong-address');
  assert.equal(await page.locator('#email').inputValue(), 'taro', 'what was typed is there');
  assert.equal(await page.locator('#name').inputValue(), '太郎');
  assert.ok(await page.evaluate(() => document.activeElement.matches('.problem')).catch(() => true), 'the problem has the focus');
  await page.locator('.problem a').click();
  assert.equal(new URL(page.url()).hash, '#email');
  await page.locator('#email').fill(`${person}@gmial.com`);
  // A form that comes back within two seconds is shown again.
  await page.waitForTimeout(2100);
  await press('/subscribe');
  await look('typo');
  assert.match(await page.locator('.problem').innerText(), /@gmail\.com/);
  await page.locator('#email').fill(address);
  await click(page.locator('button.quiet').first());
  await look('sent');

  await page.goto(`${origin}${await link(address, 'confirm')}?lang=${language}`);
  await look('confirm');
  await press('/confirm/');
  await look('confirmed');
  const unsubscribe = await link(address, 'u');

  await page.goto(`${origin}/lost?lang=${language}`);
  await look('lost');
  await page.locator('#links-email').fill(address);
  await press('/unsubscribe');
  await look('links-sent');
  const preferences = await link(address, 'preferences');
  await page.goto(`${origin}${preferences}?lang=${language}`);
  await look('preferences');
  await page.locator('#name').fill('花子');
  await press('/name');
  await look('renamed');
  assert.equal(await page.locator('#name').inputValue(), '花子');
  await page.locator('#email').fill('x');
  await press('/address');
  await look('wrong-new-address');
  await page.locator('#email').fill(`new-${address}`);
  await press('/address');
  await look('new-address-sent');
  await page.goto(`${origin}${await link(`new-${address}`, 'confirm')}?lang=${language}`);
  await look('confirm-address');
  await press('/confirm/');
  await look('address-changed');

  await page.goto(`${origin}${unsubscribe}?lang=${language}`);
  await look('leave');
  await press('/u/');
  await look('left');
  await page.locator('#reason').fill('忙しくなったため');
  await press('/reason');
  await look('reason-taken');
  await press('/undo');
  await look('returned');

  await page.goto(`${origin}${preferences}/erase?lang=${language}`);
  await look('erase');
  await press('/erase');
  await look('erased');
  await page.goto(`${origin}${preferences}?lang=${language}`);
  await look('no-token');
  await page.goto(`${origin}/nowhere?lang=${language}`);
  await look('not-found');
  await close();
};

/** Applies where a proof of work is asked for; the pages' own policy decides what runs. */
const prove = async (name, options, language) => {
  const { page, look, click, press, close } = await open(working, name, options, language);
  const person = name.replaceAll(' ', '-');
  const nonces = () => page.locator('input[name="nonce"]').count();
  await page.goto(`${working.origin}/?lang=${language}`);
  await look('work');
  assert.equal(await nonces(), 0);
  if (options.javaScriptEnabled === false) {
    assert.match(await page.locator('#without-script').innerText(), /news@tohaba\.example\.jp/);
    await page.locator('#email').fill(`${person}@example.jp`);
    await page.waitForTimeout(2100);
    await press('/subscribe');
    await look('no-work');
    assert.equal(await page.locator('.problem').count(), 1);
    assert.match(await page.locator('#without-script').innerText(), /news@tohaba\.example\.jp/);
    assert.equal(await page.locator('#email').inputValue(), `${person}@example.jp`);
    return close();
  }
  assert.equal(await page.locator('#without-script').isVisible(), false, 'the script has run');
  await page.locator('#email').fill(`${person}@gmial.com`);
  await page.waitForTimeout(2100);
  await press('/subscribe');
  await look('work-typo');
  assert.equal(await nonces(), 1, 'the work is not done twice');
  await click(page.locator('button[name="instead"]'));
  await look('work-sent');
  await page.goto(`${working.origin}${await linkOf(working, `${person}@gmail.com`, 'confirm')}?lang=${language}`);
  await look('work-confirm');
  assert.equal(await page.locator('script').count(), 0);
  // What is used up is not taken again, and the next work is done for the same form.
  await page.goto(`${working.origin}/?lang=${language}`);
  const spent = await page.locator('input[name="challenge"]').inputValue();
  await page.locator('#email').fill(`${person}-2@example.jp`);
  await page.waitForTimeout(2100);
  await press('/subscribe');
  await look('work-sent-again');
  await linkOf(working, `${person}-2@example.jp`, 'confirm');
  await page.goto(`${working.origin}/?lang=${language}`);
  await page.locator('input[name="challenge"]').evaluate((field, value) => { field.value = value; }, spent);
  await page.locator('#email').fill(`${person}-3@example.jp`);
  await page.waitForTimeout(2100);
  await press('/subscribe');
  await look('work-spent');
  assert.equal(await page.locator('.problem').count(), 1);
  assert.notEqual(await page.locator('input[name="challenge"]').inputValue(), spent);
  await page.waitForTimeout(2100);
  await press('/subscribe');
  await look('work-done-anew');
  await linkOf(working, `${person}-3@example.jp`, 'confirm');
  await close();
};

try {
  const walks = [];
  for (const [size, viewport] of Object.entries(sizes)) {
    for (const colorScheme of ['light', 'dark']) {
      const language = size === 'phone' ? 'ja' : 'en';
      walks.push(walk(`${size} ${colorScheme}`, { viewport, colorScheme, bypassCSP: true }, language));
    }
  }
  for (const language of ['ja', 'en']) {
    walks.push(walk(`no script ${language}`, { viewport: sizes.desk, javaScriptEnabled: false }, language));
    walks.push(prove(`work ${language}`, { viewport: sizes.desk }, language));
    walks.push(prove(`work unseen ${language}`, { viewport: sizes.phone, javaScriptEnabled: false }, language));
  }
  await Promise.all(walks);
  assert.deepEqual([...failures], []);
  console.log(`serve: ${looked} pages on ${walks.length} ways in Chromium`);
} finally {
  await browser.close();
  for (const { child, folder } of [usual, working]) {
    child.kill();
    await rm(folder, { recursive: true, force: true });
  }
}
