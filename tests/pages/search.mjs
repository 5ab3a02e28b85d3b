// Searches a built blog in Chromium as readers do, and holds the script to the table of cases that Rust is held to.
//
// usage: node search.mjs FOLDER-OF-THE-BLOG    (playwright-core in NODE_PATH's place; CHROMIUM names the browser)

import assert from 'node:assert/strict';
import { createServer } from 'node:http';
import { readFile, readdir } from 'node:fs/promises';
import { join } from 'node:path';
import { createRequire } from 'node:module';

const [folder] = process.argv.slice(2);
const { chromium } = createRequire(join(process.cwd(), 'target/tools/'))('playwright-core');
const types = { html: 'text/html', css: 'text/css', js: 'text/javascript', json: 'application/json', svg: 'image/svg+xml', png: 'image/png' };
const policy = "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self'; connect-src 'self'; form-action 'self'; base-uri 'none'";

const server = createServer(async (request, response) => {
  let path = decodeURIComponent(new URL(request.url, 'http://localhost').pathname);
  if (path.endsWith('/')) path += 'index.html';
  try {
    const octets = await readFile(join(folder, path));
    const type = types[path.split('.').pop()] ?? 'application/octet-stream';
    response.writeHead(200, { 'content-type': `${type}; charset=utf-8`, 'content-security-policy': policy });
    response.end(octets);
  } catch {
    response.writeHead(404);
    response.end();
  }
});
await new Promise((ready) => server.listen(0, '127.0.0.1', ready));
const origin = `http://127.0.0.1:${server.address().port}`;
const browser = await chromium.launch({
  executablePath: process.env.CHROMIUM ?? '/usr/bin/chromium',
  args: ['--no-sandbox', '--disable-gpu', '--disable-background-networking', '--disable-component-update', '--disable-sync'],
});
const errors = [];
const open = async (path, options) => {
  const page = await (await browser.newContext(options)).newPage();
  page.on('console', (message) => message.type() === 'error' && errors.push(message.text()));
  page.on('pageerror', (error) => errors.push(String(error)));
  page.setDefaultTimeout(10000);
  await page.goto(origin + path);
  return page;
};

// The script is published under its digest.
const script = '/' + (await readdir(folder)).find((name) => /^search\.[0-9a-f]{8}\.js$/.test(name));

try {
  let page = await open('/search/');

  // One table, both sides.
  const table = JSON.parse(await readFile('tests/search/cases.json', 'utf8'));
  const cut = await page.evaluate(async ({ script, terms, keys }) => {
    const search = await import(script);
    return {
      terms: terms.map(({ text }) => ({ text, terms: search.terms(text), lookups: search.lookups(text) })),
      keys: Object.fromEntries(Object.keys(keys).map((term) => [term, search.key(term)])),
    };
  }, { script, ...table });
  assert.deepEqual(cut, table);

  // Every two characters of every page that stand together find it: the index and the query cut alike.
  const lost = await page.evaluate(async (script) => {
    const { open, find, terms } = await import(script);
    const index = await open(new URL('/search/', location));
    const lost = [];
    let asked = 0;
    for (let at = 0; at < index.count; at++) {
      const { url, title } = await index.entry(at);
      const main = new DOMParser().parseFromString(await (await fetch(url)).text(), 'text/html').querySelector('main');
      const text = main.querySelector('article .text:not(.opening)');
      if (!text) continue;
      text.querySelectorAll('rt, rp, sup, .backlink').forEach((element) => element.remove());
      for (const block of text.querySelectorAll('p, h2, h3, h4')) {
        for (const term of new Set([...terms(block.textContent), ...terms(title)])) {
          asked += 1;
          if (!(await find(index, term)).includes(at)) lost.push(`${term} does not find ${url}`);
        }
      }
    }
    return { asked, lost: lost.slice(0, 9) };
  }, script);
  assert.deepEqual(lost.lost, []);
  assert.ok(lost.asked > 1000, `${lost.asked} terms`);

  // Ranked: the title counts most, then how often and how densely.
  const ranked = await page.evaluate(async (script) => {
    const { find } = await import(script);
    const found = { '検索': [[0, [9, 0]], [1, [1, 1]], [2, [1, 0]], [3, [1, 0]]], 'rust*': [[0, [1, 0]], [2, [1, 0]], [3, [1, 0]]] };
    const index = { count: 100, mean: 100, lengths: [100, 100, 50, 50], postings: async (lookup) => new Map(found[lookup] ?? []) };
    return Promise.all(['検索', '検索 rust', '検索 何か', ''].map((query) => find(index, query)));
  }, script);
  assert.deepEqual(ranked, [[1, 0, 3, 2], [0, 3, 2], [], []]);

  // From the keyboard, as one types.
  const seen = async (page, words) => {
    await page.waitForFunction((words) => document.querySelector('.search-results mark')?.textContent === words, words);
    const first = await page.locator('.search-results a').first();
    return { url: await first.getAttribute('href'), status: await page.locator('[role=status]').textContent() };
  };
  await page.keyboard.press('/');
  assert.equal(await page.evaluate(() => document.activeElement.id), 'q');
  for (const [words, marked, url] of CASES()) {
    await page.locator('#q').fill('');
    await page.keyboard.type(words);
    const { url: found, status } = await seen(page, marked);
    assert.equal(found, url, words);
    assert.match(status, /\d件見つかりました。$/);
    assert.equal(new URL(page.url()).searchParams.get('q'), words);
  }
  await page.keyboard.press('ArrowDown');
  assert.ok(await page.evaluate(() => document.activeElement.matches('.search-results li:first-child a')));
  await page.keyboard.press('ArrowUp');
  assert.equal(await page.evaluate(() => document.activeElement.id), 'q');
  await page.keyboard.press('ArrowDown');
  await page.keyboard.press('Enter');
  await page.waitForURL(`${origin}${CASES().at(-1)[2]}`);

  // A page opened with a question, and one that nothing answers.
  const [words, marked, url] = CASES()[0];
  page = await open(`/search/?q=${encodeURIComponent(words)}`);
  assert.equal((await seen(page, marked)).url, url);
  page = await open('/search/?q=%E5%AD%98%E5%9C%A8%E3%81%97%E3%81%AA%E3%81%84%E8%A8%80%E8%91%89');
  await page.getByText('見つかりませんでした。').waitFor();

  // A heading's link to itself is none of its words.
  const heading = await page.evaluate(async () => {
    const page = new DOMParser().parseFromString(await (await fetch('/posts/writing-ruby/')).text(), 'text/html');
    return page.querySelector('article .text .heading h2').textContent;
  });
  page = await open(`/search/?q=${encodeURIComponent(heading)}`);
  await page.locator('.excerpt mark').first().waitFor();
  const excerpts = await page.locator('.excerpt').allTextContents();
  assert.ok(excerpts.some((excerpt) => excerpt.includes(`${heading} `)), heading);
  assert.ok(!excerpts.some((excerpt) => excerpt.includes(`${heading} #`)), heading);

  // All pairs of this stand in an article, but never together.
  const apart = '同時間';
  page = await open(`/search/?q=${encodeURIComponent(apart)}`);
  const candidates = await page.evaluate(async ({ script, apart }) => {
    const { open, find } = await import(script);
    return (await find(await open(new URL('/search/', location)), apart)).length;
  }, { script, apart });
  assert.ok(candidates > 0);
  await page.getByText('見つかりませんでした。').waitFor();

  // Ten at a time; the rest on demand, and the first of it has the focus.
  page = await open(`/search/?q=${encodeURIComponent('の')}`);
  await page.getByText('さらに表示').click();
  await page.waitForFunction(() => document.activeElement.matches('.search-results li:nth-child(11) a'));

  // Without JavaScript a reader is told where else to look.
  page = await open('/search/?q=x', { javaScriptEnabled: false });
  assert.match(await page.locator('noscript').textContent(), /JavaScript/);
  assert.deepEqual(errors, []);
  console.log(`search: ${table.terms.length} cases and ${lost.asked} terms in Chromium`);
} finally {
  await browser.close();
  server.close();
}

/** What one types, what is marked first, and the article that is found first. */
function CASES() {
  return [
    ['機種依存文字', '機種依存文字', '/issues/005/platform-dependent/'],
    ['種依', '種依', '/issues/005/platform-dependent/'],
    ['ＳＱＬｉｔ', 'SQLit', '/issues/005/sqlite-ledger/'],
    ['水野 切り取り線', '切り取り線', '/issues/007/encoded-words/'],
  ];
}
