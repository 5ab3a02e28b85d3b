// Runs `mailmag preview` on a copy of a magazine and works with it as an editor does, in Chromium: the page follows what
// is saved, keeps its scroll positions, shows the last good state over a broken file and mends with it; it serves the
// blog as it is built, asks nothing of other hosts, and refuses to be asked by them.
//
// usage: node preview.mjs PROGRAM MAGAZINE    (playwright-core in target/tools; CHROMIUM names the browser)

import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { cp, mkdir, mkdtemp, readFile, readdir, rename, rm, writeFile } from 'node:fs/promises';
import { request } from 'node:http';
import { createRequire } from 'node:module';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';

const [program, sample] = process.argv.slice(2).map((path) => resolve(path));
const { chromium } = createRequire(join(process.cwd(), 'target/tools/'))('playwright-core');

const folder = await mkdtemp(join(tmpdir(), 'preview-'));
for (const part of ['mailmag.toml', 'content', 'templates', 'theme']) {
  await cp(join(sample, part), join(folder, part), { recursive: true });
}
const long = '\n\n本文です。'.repeat(200);
const file = join(folder, 'content/issues/900/01-first.md');
await mkdir(join(folder, 'content/issues/900'));
await writeFile(join(folder, 'content/issues/900/index.md'), '+++\ndate = 2999-01-01\n+++\n');
await writeFile(join(folder, 'content/issues/900/02-second.md'), '# もう一つの題\n\n本文です。\n');
await writeFile(file, `# 最初の題${long}\n`);

const failures = [];
const check = (right, words) => right || failures.push(words);

const preview = spawn(program, ['-C', folder, 'preview', '--port', '0'], { stdio: ['ignore', 'pipe', 'inherit'] });
const ended = once(preview, 'exit');
const [told] = await once(preview.stdout, 'data');
const origin = String(told).trim().replace(/\/$/, '');
const browser = await chromium.launch({
  executablePath: process.env.CHROMIUM ?? '/usr/bin/chromium',
  args: ['--no-sandbox', '--disable-gpu', '--disable-background-networking', '--disable-component-update', '--disable-sync'],
});

try {
  const page = await browser.newPage({ viewport: { width: 1440, height: 900 } });
  page.setDefaultTimeout(20_000);
  page.on('request', (request) => check(request.url().startsWith(origin), `asks for ${request.url()}`));
  page.on('console', (message) => check(message.type() !== 'error' || /503|404/.test(message.text()), message.text()));
  page.on('pageerror', (error) => check(false, String(error)));
  const shown = () => page.locator('#lines').innerText();
  // The page's own events: the edition it shows, and every page that was loaded into the frame.
  await page.addInitScript(() => {
    window.seen = { edition: 0, pages: 0 };
    document.addEventListener('preview:shown', (event) => (window.seen.edition = event.detail.edition));
    document.addEventListener('preview:page', (event) => Object.assign(window.seen, { page: event.detail, pages: window.seen.pages + 1 }));
  });
  const line = (words) => page.waitForFunction((words) => document.querySelector('#lines').textContent.includes(words), words);
  const inFrame = (words) => page.waitForFunction((words) => document.querySelector('#blog').contentDocument?.body?.textContent.includes(words), words);

  const loads = () => page.evaluate(() => window.seen.pages);
  const loaded = (before) => page.waitForFunction((before) => window.seen.pages > before, before);
  // A page that is loaded anew at this very moment stays: then it is asked for again.
  const go = async (path) => {
    do {
      const before = await loads();
      await page.evaluate((path) => document.querySelector('#blog').contentWindow.location.assign(path), path);
      await loaded(before);
    } while ((await page.evaluate(() => window.seen.page)) !== path);
  };

  // The newest issue stands there, a day to come included.
  await page.goto(`${origin}/`);
  await line('最初の題');
  await inFrame('最初の題');
  check((await page.locator('#held').innerText()).includes('2999-01-01'), 'an issue of a day to come is not marked');

  // A save is shown at once, and both panes stay where they were.
  await go('/issues/900/first/');
  await page.evaluate(() => {
    document.querySelector('#mail').scrollTop = 1500;
    document.querySelector('#blog').contentWindow.scrollTo(0, 2000);
  });
  let before = await loads();
  await writeFile(file, `# 二番目の題${long}\n`);
  await line('二番目の題');
  await loaded(before);
  await inFrame('二番目の題');
  const scrolled = await page.evaluate(() => [document.querySelector('#mail').scrollTop, document.querySelector('#blog').contentWindow.scrollY]);
  check(scrolled[0] === 1500 && scrolled[1] === 2000, `scrolled to ${scrolled}, not to 1500,2000`);

  // An editor may write a new file and move it over the old one.
  await writeFile(join(folder, 'content/issues/900/.01-first.md.new'), `# 三番目の題${long}\n`);
  await rename(join(folder, 'content/issues/900/.01-first.md.new'), file);
  await line('三番目の題');

  // A broken file is named over the last good state, which stays in both panes; mending it is all there is to do.
  before = await loads();
  await writeFile(file, `+++\ntitle = \n+++\n# 四番目の題\n`);
  await page.waitForSelector('#banner:not([hidden])');
  await loaded(before);
  check((await page.locator('#banner').innerText()).includes('content/issues/900/01-first.md:2:'), 'the banner names no place');
  check((await page.locator('#problems .place').allInnerTexts()).some((place) => place.startsWith('content/issues/900/01-first.md:2:')), 'the problem is not listed');
  check((await shown()).includes('三番目の題'), 'the last good mail has gone');
  check((await page.frameLocator('#blog').locator('h1').innerText()).includes('三番目の題'), 'the last good page has gone');
  await writeFile(file, `# 五番目の題${long}\n`);
  await page.waitForSelector('#banner', { state: 'hidden' });
  await line('五番目の題');
  await inFrame('五番目の題');

  // Settings and templates may break as well.
  const settings = await readFile(join(folder, 'mailmag.toml'), 'utf8');
  await writeFile(join(folder, 'mailmag.toml'), '[magazine]\nname = \n');
  await page.waitForSelector('#banner:not([hidden])');
  check((await shown()).includes('五番目の題'), 'broken settings take the mail away');
  await writeFile(join(folder, 'mailmag.toml'), settings);
  await page.waitForSelector('#banner', { state: 'hidden' });
  await writeFile(join(folder, 'templates/mail/body.txt'), '{{ issue.label');
  await page.waitForSelector('#banner:not([hidden])');
  check((await shown()).includes('五番目の題'), 'a broken template takes the mail away');
  await writeFile(join(folder, 'templates/mail/body.txt'), '型紙{{ issue.nowhere }}\n');
  await page.waitForFunction(() => document.querySelector('#banner').textContent.includes('nowhere'));
  check((await shown()).includes('五番目の題'), 'a template that cannot be rendered takes the mail away');
  await writeFile(join(folder, 'templates/mail/body.txt'), '型紙で{{ issue.label }}号\n');
  await line('型紙で900号');
  await cp(join(sample, 'templates/mail/body.txt'), join(folder, 'templates/mail/body.txt'));
  await line('五番目の題');

  // What is saved comes into view, a new folder's issue too, unless the editor has pinned one.
  await cp(join(folder, 'content/issues/900'), join(folder, 'content/issues/901'), { recursive: true });
  await writeFile(join(folder, 'content/issues/901/01-first.md'), '# 新しい号の題\n\n本文です。\n');
  await line('新しい号の題');
  await page.waitForFunction(() => document.querySelector('#address').textContent.startsWith('/issues/901/'));
  // Of two articles the one that is saved is shown.
  await writeFile(join(folder, 'content/issues/901/02-second.md'), '# 二番目の記事\n\n本文です。\n');
  await go('/issues/901/second/');
  await writeFile(join(folder, 'content/issues/901/01-first.md'), '# 新しい号の題\n\n書き足しました。\n');
  await page.waitForFunction(() => document.querySelector('#address').textContent === '/issues/901/first/');
  await page.locator('#pin').check();
  const edition = await page.evaluate(() => window.seen.edition);
  await writeFile(file, `# 六番目の題${long}\n`);
  await page.waitForFunction((edition) => window.seen.edition > edition, edition);
  check((await page.locator('#issue').inputValue()) === '901', 'a pinned issue is left');
  await page.locator('#pin').uncheck();

  // The frame holds the blog alone: what leads to other sites opens in a tab of its own.
  await writeFile(join(folder, 'content/issues/901/01-first.md'), '# 新しい号の題\n\n[よそ](https://example.jp/)と[表紙](/)\n');
  await go('/issues/901/first/');
  const link = page.frameLocator('#blog').getByRole('link', { name: 'よそ' });
  await link.waitFor();
  await page.waitForFunction(() => document.querySelector('#blog').contentDocument.querySelector('a[href^="https://example.jp/"]')?.target === '_blank');
  await page.frameLocator('#blog').getByRole('link', { name: '表紙' }).click();
  await page.waitForFunction(() => document.querySelector('#address').textContent === '/');
  await inFrame('〔2999-01-01 に公開〕');
  check((await page.frameLocator('#blog').locator('#views').count()) === 0, 'the frame holds the preview itself');

  // The readers' programs, by the keyboard.
  await page.locator('input[value=as-sent]').focus();
  for (const [view, width] of [['outlook', '76'], ['yahoo', '72'], ['phone', '40'], ['reply', '76'], ['as-sent', '76']]) {
    await page.keyboard.press('ArrowRight');
    await page.waitForFunction(([view, width]) => document.querySelector(`input[value=${view}]`).checked && document.querySelector('#ruler .end').textContent === width, [view, width]);
    if (view === 'phone') await page.waitForSelector('#lines .broken');
    if (view === 'reply') await line('> ');
  }

  // The mail's HTML, where it is asked for.
  check(!(await page.locator('#html-view').isVisible()), 'HTML is offered that the mail does not have');
  const plain = await readFile(join(folder, 'mailmag.toml'), 'utf8');
  await cp(join(sample, 'content/issues/007/route.png'), join(folder, 'content/issues/901/route.png'));
  await writeFile(join(folder, 'content/issues/901/01-first.md'), '# 新しい号の題\n\nHTMLの言葉。\n\n![道](route.png)\n');
  await line('HTMLの言葉');
  await writeFile(join(folder, 'mailmag.toml'), plain.replace('contents = true', 'contents = true\nhtml = true'));
  await page.locator('#html-view input').check();
  const html = page.frameLocator('#html');
  await html.getByText('HTMLの言葉。').waitFor();
  await page.waitForFunction(() => document.querySelector('#html').contentDocument.querySelector('img')?.naturalWidth > 0);
  check(!(await page.locator('#mail').isVisible()), 'the text stands beside its HTML');
  await writeFile(join(folder, 'content/issues/901/01-first.md'), '# 新しい号の題\n\nHTMLの新しい言葉。\n\n![道](route.png)\n');
  await html.getByText('HTMLの新しい言葉。').waitFor();
  await writeFile(join(folder, 'mailmag.toml'), plain);
  await page.locator('#html-view').waitFor({ state: 'hidden' });
  await page.locator('#lines').waitFor();

  // On a narrow screen nothing but the mail scrolls sideways.
  await page.setViewportSize({ width: 390, height: 844 });
  check(await page.evaluate(() => document.documentElement.scrollWidth <= document.documentElement.clientWidth), 'the page scrolls sideways');
  await page.close();

  // The blog is served as it is built.
  const dist = join(folder, 'dist');
  const [status] = await once(spawn(program, ['-C', folder, '-q', 'build', '--drafts'], { stdio: 'inherit' }), 'exit');
  check(status === 0, 'the magazine cannot be built');
  const built = (await readdir(join(dist, 'blog'), { recursive: true, withFileTypes: true })).filter((entry) => entry.isFile());
  for (const entry of built) {
    const path = join(entry.parentPath, entry.name);
    const answer = await fetch(origin + encodeURI(path.slice(join(dist, 'blog').length)));
    const same = Buffer.from(await answer.arrayBuffer()).equals(await readFile(path));
    check(answer.ok && same, `${path} is served otherwise than it is built (${answer.status})`);
  }
  check(built.length > 30, 'the blog has hardly a file');
  const missing = await fetch(`${origin}/nowhere/`);
  const equal = (await missing.text()) === (await readFile(join(dist, 'blog/404.html'), 'utf8'));
  check(missing.status === 404 && equal, 'what is not there is not answered with the blog’s own page');
  check(missing.headers.get('cache-control') === 'no-store', 'browsers may keep what they got');

  // Nobody else may ask.
  const status_of = async (headers) => {
    const asked = request(`${origin}/`, { headers }).end();
    const [answer] = await once(asked, 'response');
    answer.resume();
    return answer.statusCode;
  };
  for (const [headers, expected] of [
    [{}, 200],
    [{ origin }, 200],
    [{ host: 'evil.example' }, 403],
    [{ origin: 'http://evil.example' }, 403],
    [{ host: 'evil.example', origin: 'http://evil.example' }, 403],
  ]) {
    const status = await status_of(headers);
    check(status === expected, `${JSON.stringify(headers)} is answered with ${status}`);
  }
} catch (error) {
  failures.push(String(error.stack ?? error));
}

// It ends when it is told to, even while a page listens.
const listening = await fetch(`${origin}/.preview/events`);
preview.kill('SIGTERM');
const [code] = await ended;
check(code === 0, `SIGTERM ends it with ${code}`);
await listening.body.cancel().catch(() => {});
await browser.close();
await rm(folder, { recursive: true });
for (const failure of failures) console.log(failure);
console.log(`the preview in Chromium: ${failures.length} failed`);
process.exit(failures.length > 0 ? 1 : 0);
