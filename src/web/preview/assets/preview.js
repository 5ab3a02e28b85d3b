// The preview's page. The server tells when an edition is out; what it shows is asked for then, and both panes stay
// where they were scrolled to.

const element = (id) => document.getElementById(id);
const frame = element('blog');

/** The last state the server told, and what the editor chose. */
let state;
let issue = '-';
let pinned = false;
let view = 'as-sent';
/** Only the newest question's answer is shown. */
let question = 0;
/** What is to be done when the answer is there: show the issue's page, another page, or the same page anew. */
let wishes = {};

if (window.top !== window) {
  // A browser that does not tell what a page is for has put the preview into its own frame.
  location.replace('/index.html');
} else {
  begin();
}

function begin() {
  element('issue').addEventListener('change', (event) => {
    issue = event.target.value;
    ask({ issue: true });
  });
  element('pin').addEventListener('change', (event) => {
    pinned = event.target.checked;
    ask({});
  });
  element('views').addEventListener('change', (event) => {
    view = event.target.value;
    element('mail').scrollTo(0, 0);
    if (state) showForm();
    ask({});
  });
  element('to-issue').addEventListener('click', () => state?.shown && open(state.shown.url));
  element('to-home').addEventListener('click', () => state && open(state.home));
  frame.addEventListener('load', loaded);
  element('html').addEventListener('load', loadedHtml);

  const events = new EventSource('/.preview/events');
  events.addEventListener('edition', (event) => {
    if (!state || state.edition !== Number(event.data)) ask({ reload: Boolean(state) });
  });
  events.addEventListener('open', () => {
    if (element('status').classList.contains('off')) ask({ reload: true });
  });
  events.addEventListener('error', () => say('つながっていません', true));
}

/** Asks for the state, shows it, and then goes where it leads or loads the blog's page anew. */
async function ask(wish) {
  const number = ++question;
  Object.assign(wishes, wish);
  let told;
  try {
    const answer = await fetch(`/.preview/state/${view === 'html' ? 'as-sent' : view}/${encodeURIComponent(issue)}/page${path()}`);
    if (!answer.ok) throw new Error(answer.statusText);
    told = await answer.json();
  } catch {
    if (number === question) say('つながっていません', true);
    return;
  }
  // A later question will do what this one was to do.
  if (number !== question) return;
  const before = state;
  const saved = before && told.saved.count > before.saved.count ? told.saved : undefined;
  if (saved?.issue && !pinned && saved.issue !== told.shown?.label && saved.issue !== issue) {
    issue = saved.issue;
    await ask({ page: saved.page });
    return;
  }
  if (saved && !pinned) wishes.page ??= saved.page;
  const { issue: toIssue, page, reload } = wishes;
  wishes = {};
  state = told;
  // The server has chosen where nobody else had.
  issue = state.shown?.label ?? issue;
  show(before);
  if (toIssue || !before || (state.shown && !before.shown)) open(state.shown?.url ?? state.home);
  else if (page && !stands(page)) open(page);
  else if (reload) keepScroll();
  if (reload) say(`${new Date().toLocaleTimeString('ja-JP')} に更新`);
}

/** Whether the frame shows a page, or the issue that it is part of as a whole; for an issue, anything of it. */
function stands(page) {
  const [current, wanted] = [decoded(path()), decoded(page)];
  const whole = wanted.match(/^.*\/issues\/[^/]+\//)?.[0];
  if (current === wanted || !whole) return current === wanted;
  return current === whole || current === `${whole}mail/` || (wanted === whole && current.startsWith(whole));
}

// The blog

let scrolled;

function open(url) {
  scrolled = undefined;
  frame.dataset.loads = Number(frame.dataset.loads ?? 0) + 1;
  if (frame.hasAttribute('src')) frame.contentWindow.location.assign(url);
  else frame.src = url;
}

function keepScroll() {
  if (!frame.contentDocument) return;
  const shown = frame.contentWindow;
  scrolled = { path: path(), x: shown.scrollX, y: shown.scrollY };
  shown.location.reload();
}

/** The path of the page in the frame, encoded; an empty frame, and one that was led astray, stand at the root. */
function path() {
  try {
    const { origin, pathname } = frame.contentWindow.location;
    return origin === location.origin ? pathname : '/';
  } catch {
    return '/';
  }
}

function decoded(path) {
  try {
    return decodeURI(path);
  } catch {
    return path;
  }
}

function loaded() {
  if (!frame.hasAttribute('src')) return;
  const shown = frame.contentWindow;
  if (!frame.contentDocument) return;
  if (scrolled?.path === path()) shown.scrollTo({ left: scrolled.x, top: scrolled.y, behavior: 'instant' });
  scrolled = undefined;
  name();
  mark(shown.document);
  document.dispatchEvent(new CustomEvent('preview:page', { detail: path() }));
  // What is wrong with this page, too.
  ask({});
}

function name() {
  element('address').textContent = decoded(path());
  element('address').href = path() === '/' ? '/index.html' : path();
  const held = state?.held.find(({ url }) => path().startsWith(url));
  element('held').hidden = !held;
  element('held').textContent = held ? why(held) : '';
}

/** Links to what is not published yet say so, and those to other sites do not lead the frame away. */
function mark(page) {
  for (const link of page.querySelectorAll('a[href]')) {
    if (/^https?:$/.test(link.protocol) && link.origin !== location.origin) {
      link.target = '_blank';
      link.relList.add('noreferrer');
      continue;
    }
    const held = link.origin === location.origin && state?.held.find(({ url }) => link.pathname.startsWith(url));
    // What is itself not published is marked above the frame.
    if (held && !path().startsWith(held.url) && link.textContent.trim()) link.append(`〔${why(held)}〕`);
  }
}

function why({ until }) {
  return until ? `${until} に公開` : '下書き';
}

// The mail

/** The issues that the list has, in JSON: it may have thousands. */
let issuesShown;

function show(before) {
  document.title = `${state.magazine || 'mailmag'} プレビュー`;
  element('magazine').textContent = state.magazine || 'プレビュー';
  showIssues();
  const { shown } = state;
  element('envelope').hidden = !shown;
  if (shown) {
    element('subject').textContent = shown.subject ?? '';
    element('from').textContent = shown.from;
    element('letter').textContent = shown.charset
      ? `${shown.charset}、${(shown.octets / 1000).toFixed(1)} kB`
      : 'このままでは送れません';
    const same = before?.shown?.lines && before.shown.label === shown.label && before.shown.view === shown.view;
    showLines(shown, same ? before.shown.lines : undefined);
  }
  showForm();
  element('sheet').hidden = !shown?.lines;
  element('nothing').hidden = Boolean(shown?.lines);
  showProblems();
  name();
  document.dispatchEvent(new CustomEvent('preview:shown', { detail: state }));
}

/** Where the HTML was scrolled to, while it is loaded anew. */
let scrolledHtml = 0;

/** The text of the mail or its HTML, if it has one. */
function showForm() {
  const { shown, edition } = state;
  const html = element('html');
  element('html-view').hidden = !shown?.html;
  if (view === 'html' && !shown?.html) {
    view = 'as-sent';
    document.querySelector('input[value=as-sent]').checked = true;
  }
  element('mail').hidden = view === 'html';
  html.hidden = view !== 'html';
  if (html.hidden) return;
  const address = `/.preview/mail/${encodeURIComponent(shown.label)}`;
  if (html.getAttribute('src') === `${address}?${edition}`) return;
  scrolledHtml = html.getAttribute('src')?.startsWith(`${address}?`) ? (html.contentWindow?.scrollY ?? 0) : 0;
  html.src = `${address}?${edition}`;
}

function loadedHtml() {
  const shown = element('html');
  shown.contentWindow.scrollTo(0, scrolledHtml);
  for (const link of shown.contentDocument?.querySelectorAll('a[href]') ?? []) {
    link.target = '_blank';
    link.relList.add('noreferrer');
  }
  document.dispatchEvent(new CustomEvent('preview:html', { detail: shown.getAttribute('src') }));
}

function showIssues() {
  const select = element('issue');
  const told = JSON.stringify([state.issues, state.held]);
  if (told !== issuesShown) {
    issuesShown = told;
    select.replaceChildren(...options());
  }
  if (state.shown) select.value = state.shown.label;
}

function options() {
  return state.issues.map(({ label, date, title }) => {
    const held = state.held.find(({ url }) => url.endsWith(`/issues/${label}/`));
    return new Option(`Vol.${label}　${date}　${title}${held ? `〔${why(held)}〕` : ''}`, label);
  });
}

function showLines({ lines, width }, before) {
  const now = lines ?? [];
  const scrollBox = element('mail');
  const { scrollTop, scrollLeft } = scrollBox;
  const [from, to] = before ? difference(before, now) : [0, 0];
  element('sheet').style.setProperty('--width', width);
  showRuler(width);
  element('lines').replaceChildren(
    ...now.map(({ text, broken }, at) => {
      const line = document.createElement('span');
      line.className = 'line';
      line.classList.toggle('broken', broken);
      line.classList.toggle('fresh', at >= from && at < to);
      line.append(...cells(text), '\n');
      return line;
    }),
  );
  scrollBox.scrollTo(scrollLeft, scrollTop);
}

/** Characters that some fonts set narrower than the two columns they take in Japanese mail, each in a cell. */
const narrow = /[\u00a7\u00a8\u00b0\u00b1\u00b4\u00b6\u00d7\u00f7\u0370-\u04ff\u2010-\u2027\u2030-\u205e\u2100-\u27bf\u2460-\u26ff]/u;

function cells(text) {
  return text.split(new RegExp(`(${narrow.source})`, 'u')).map((part) => {
    if (!narrow.test(part)) return part;
    const cell = document.createElement('span');
    cell.className = 'wide';
    cell.textContent = part;
    return cell;
  });
}

/** The lines that differ: from the first one to behind the last one. */
function difference(before, now) {
  const equal = (a, b) => a.text === b.text && a.broken === b.broken;
  let from = 0;
  while (from < now.length && from < before.length && equal(now[from], before[from])) from += 1;
  let rest = 0;
  while (rest < now.length - from && rest < before.length - from && equal(now.at(-1 - rest), before.at(-1 - rest))) rest += 1;
  return [from, now.length - rest];
}

function showRuler(width) {
  const ruler = element('ruler');
  if (ruler.dataset.width === String(width)) return;
  ruler.dataset.width = width;
  const columns = [...Array(Math.ceil(width / 10)).keys()].map((ten) => ten * 10).filter((column) => column > 0 && width - column > 3);
  ruler.replaceChildren(
    ...[...columns, width].map((column) => {
      const tick = document.createElement('span');
      tick.textContent = column;
      tick.style.setProperty('--at', column);
      tick.classList.toggle('end', column === width);
      return tick;
    }),
  );
}

// What is wrong

function showProblems() {
  const { problems, covered } = state;
  const errors = problems.filter(({ level }) => level === 'error').length;
  element('count').textContent = problems.length === 0 ? '問題はありません' : `誤り ${errors}、注意 ${problems.length - errors}`;
  element('problems').replaceChildren(
    ...problems.map((problem) => {
      const item = document.createElement('li');
      const words = make('p', '');
      words.append(english('span', problem.message));
      if (problem.label) words.append(' ', english('span', `(${problem.label})`, 'label'));
      words.append(' ', english('code', problem.rule, 'rule'));
      if (problem.help) words.append(document.createElement('br'), english('span', problem.help, 'help'));
      item.append(
        make('span', problem.level === 'error' ? '誤り' : '注意', `level ${problem.level}`),
        make('code', place(problem), 'place'),
        words,
      );
      return item;
    }),
  );
  const banner = element('banner');
  banner.hidden = covered.length === 0;
  if (covered.length === 0) {
    banner.replaceChildren();
    return;
  }
  const more = covered.length > 1 ? `（ほか ${covered.length - 1} 件）` : '';
  banner.replaceChildren(
    make('code', place(covered[0])),
    '　',
    english('strong', covered[0].message),
    `${more}　直るまで、最後に読めたときの姿を見せています。`,
  );
}

function place({ path, line, column }) {
  return `${path}:${line}:${column}`;
}

function make(tag, text, classes = '') {
  const made = document.createElement(tag);
  made.textContent = text;
  if (classes) made.className = classes;
  return made;
}

/** Problems are told in English, wherever they are told. */
function english(tag, text, classes) {
  const made = make(tag, text, classes);
  made.lang = 'en';
  return made;
}

function say(words, off = false) {
  element('status').textContent = words;
  element('status').classList.toggle('off', off);
}
