// The search page. Terms are cut as src/search/tokens.rs cuts them, and tests/search/cases.json holds both to one answer;
// docs/search.md describes the files that are read here.

const WORD = 10; // so many characters of a Latin word count
const BASE = 37;
const PAIRS = BASE ** WORD;
const MANY = 16; // so many shards are read for the beginning of terms
const STEP = 10; // so many results are shown at a time
const UNSEEN = /[\u00AD\u200B-\u200F\u202A-\u202E\u2060-\u2064\uFE00-\uFE0F\uFEFF\u{E0100}-\u{E01EF}]/gu;
const RUN = /[0-9a-z]+|(?:(?!\p{ASCII})[\p{Alphabetic}\p{N}])+/gu;
const LETTER = /[\p{Alphabetic}\p{N}]/u;
// What may be composed when it is folded.
const CLUSTER = /[\uFF66-\uFF9F]+|.[\u0300-\u036F\u3099\u309A\uFE00-\uFE0F]*/gsu;

const fold = (text) => Array.from(text.normalize('NFKC').replace(UNSEEN, ''), (c) => c.toLowerCase()).join('');
const isWord = (term) => term < '\x80';
const pairs = (run) => run.slice(1).map((c, at) => run[at] + c);
const cut = (text, ofWord, ofRun) => {
  const runs = fold(text).match(RUN) ?? [];
  return [...new Set(runs.flatMap((run) => (isWord(run) ? ofWord(run.slice(0, WORD)) : ofRun([...run]))))];
};

/** The terms of a text. */
export const terms = (text) => cut(text, (word) => word, (run) => [...pairs(run), run.at(-1)]);

/** What a query asks for: terms, or `kube*`, all that begin so. */
export const lookups = (text) => cut(text, (word) => word + '*', (run) => (run[1] ? pairs(run) : run[0] + '*'));

/** A term as a number. */
export const key = (term) => {
  const all = [...term];
  if (!isWord(term)) return PAIRS + all[0].codePointAt() * 2 ** 21 + (all[1]?.codePointAt() ?? 0);
  return all.reduce((sum, c) => sum * BASE + parseInt(c, 36) + 1, 0) * BASE ** (WORD - all.length);
};

const range = (lookup) => {
  const term = lookup.replace('*', '');
  const from = key(term);
  if (term === lookup) return [from, from + 1];
  return [from, from + (isWord(term) ? BASE ** (WORD - term.length) : 2 ** 21)];
};

const reader = (octets, at = 0) => ({
  octets,
  at,
  number() {
    for (let sum = 0, unit = 1; ; unit *= 128) {
      const octet = this.octets[this.at++];
      sum += (octet & 127) * unit;
      if (!(octet > 127)) return sum;
    }
  },
});

const load = async (url, as, options) => {
  const response = await fetch(url, options);
  if (!response.ok) throw new Error(`${response.status} ${url}`);
  return response[as]();
};
const octets = async (url, options) => new Uint8Array(await load(url, 'arrayBuffer', options));

const once = (get) => {
  const got = new Map();
  return (name) => {
    if (!got.has(name)) got.set(name, get(name).catch((error) => (got.delete(name), Promise.reject(error))));
    return got.get(name);
  };
};

/** Opens the index in a folder. */
export const open = async (folder) => {
  const read = reader(await octets(new URL('index.bin', folder), { cache: 'no-cache' }), 8);
  const version = Array.from(read.octets.slice(0, 8), (octet) => octet.toString(16)).join('-');
  if (read.number() !== 1) throw new Error('the index has another layout');
  const page = read.number();
  let last = 0;
  const firsts = Array.from({ length: read.number() }, () => (last += read.number()));
  const count = read.number();
  const mean = read.number() / count;
  const lengths = Array.from(read.octets.slice(read.at), (rough) => 2 ** (rough >> 3) * (1 + (rough & 7) / 8));
  const file = (name) => new URL(`${name}?v=${version}`, folder);
  const shard = once((at) => octets(file(`terms-${at}.bin`)));
  const entries = once((at) => load(file(`pages-${at}.json`), 'json'));
  const entry = async (at) => {
    const [title, url, label, date] = (await entries(Math.floor(at / page)))[at % page];
    return { title, url, label, date };
  };
  // For each page, how often it has what is looked up, and how well its title has it.
  const postings = async (lookup) => {
    const [from, to] = range(lookup);
    const found = new Map();
    const first = Math.max(firsts.findLastIndex((key) => key <= from), 0);
    const shards = firsts.slice(first, first + MANY).filter((key) => key < to);
    await Promise.all(shards.map(async (key, at) => collect(await shard(first + at), key, from, to, found)));
    return found;
  };
  return { count, mean, lengths, entry, postings };
};

const collect = (octets, key, from, to, found) => {
  const read = reader(octets);
  while (read.at < octets.length) {
    key += read.number();
    const end = read.number() + read.at;
    if (key >= to) return;
    if (key < from) read.at = end;
    // A longer word is not quite what was asked for.
    const share = key === from || key >= PAIRS ? 1 : 0.4;
    for (let page = -1; read.at < end; ) {
      const step = read.number();
      page += Math.floor(step / 2);
      const weight = step % 2 ? octets[read.at++] : 2;
      const [times, title] = found.get(page) ?? [0, 0];
      found.set(page, [times + share * (weight >> 1), Math.max(title, share * (weight & 1))]);
    }
  }
};

/** The pages that have all terms of a query, by BM25 and what their titles have of it; the newer before the older. */
export const find = async (index, query) => {
  const all = await Promise.all(lookups(query).map(index.postings));
  const scores = [];
  for (const page of all.sort((a, b) => a.size - b.size)[0]?.keys() ?? []) {
    if (!all.every((found) => found.has(page))) continue;
    const length = 0.3 + (0.9 * index.lengths[page]) / index.mean;
    const score = all.reduce((sum, found) => {
      const [times, title] = found.get(page);
      return sum + Math.log(1 + (index.count - found.size + 0.5) / (found.size + 0.5)) * ((times * 2.2) / (times + length) + 2 * title);
    }, 0);
    scores.push([page, score]);
  }
  return scores.sort((a, b) => b[1] - a[1] || b[0] - a[0]).map(([page]) => page);
};

// A text folded, one blank for all that parts words, and where each of its units stands in the text.
const flatten = (text) => {
  let flat = '';
  const places = [];
  for (const { 0: cluster, index } of text.matchAll(CLUSTER)) {
    for (let c of fold(cluster)) {
      if (!LETTER.test(c)) c = ' ';
      if (c === ' ' && flat.endsWith(' ')) continue;
      flat += c;
      places.push(...Array(c.length).fill(index));
    }
  }
  return { text, flat, places: [...places, text.length] };
};

/** The words of a query between its blanks, as they stand in flattened texts. */
const phrases = (query) => query.split(/\s+/).map((words) => flatten(words).flat.trim()).filter(Boolean);

const textOf = once(async (url) => {
  const page = new DOMParser().parseFromString(await load(url, 'text'), 'text/html');
  const main = page.querySelector('main');
  main.querySelectorAll('.anchor').forEach((anchor) => anchor.remove());
  main.querySelectorAll('img').forEach((image) => image.replaceWith(` ${image.alt} ${image.title} `));
  const readings = Array.from(main.querySelectorAll('ruby'), (ruby) => {
    const rts = [...ruby.querySelectorAll('rt')].map((rt) => rt.textContent);
    ruby.querySelectorAll('rt, rp').forEach((element) => element.remove());
    return rts.join('');
  });
  const { textContent } = main.querySelector('.text') ?? main;
  return { body: flatten(textContent.replace(/\s+/g, ' ')), all: flatten(`${main.textContent} ${readings.join(' ')}`).flat };
});

/** The text around the first place where one of the phrases stands: pieces, those at odd places found. */
const passage = ({ text, flat, places }, wanted) => {
  const spans = [];
  for (const phrase of wanted) {
    for (let at = -1; (at = flat.indexOf(phrase, at + 1)) >= 0; ) spans.push([places[at], places[at + phrase.length]]);
  }
  spans.sort((a, b) => a[0] - b[0] || b[1] - a[1]);
  const start = Math.max(0, (spans[0]?.[0] ?? 0) - 30);
  const end = Math.min(text.length, start + 120);
  const pieces = [];
  let done = start;
  for (const [from, to] of spans) {
    if (from < done || to > end) continue;
    pieces.push(text.slice(done, from), text.slice(from, to));
    done = to;
  }
  pieces.push(text.slice(done, end) + (end < text.length ? '…' : ''));
  if (start > 0) pieces[0] = '…' + pieces[0];
  return pieces;
};

const element = (name, className, ...content) => {
  const made = document.createElement(name);
  if (className) made.className = className;
  made.append(...content);
  return made;
};

const start = (form) => {
  const input = form.elements.q;
  const status = document.querySelector('.search-status');
  const list = document.querySelector('.search-results');
  const more = element('button', 'search-more', 'さらに表示');
  const opened = once(() => open(new URL(form.action)));
  let turn = 0;
  let waiting;

  const line = ({ title, url, label, date }) => {
    const link = element('a', '', title);
    link.href = url;
    const [year, month, day] = date.split('-').map(Number);
    const about = [label, date && `${year}年${month}月${day}日`].filter(Boolean).join('　');
    return element('li', '', element('h2', '', link), element('p', 'about', about), element('p', 'excerpt'));
  };

  const run = async () => {
    const mine = ++turn;
    const query = input.value.trim();
    const address = new URL(location);
    query ? address.searchParams.set('q', query) : address.searchParams.delete('q');
    history.replaceState(null, '', address);
    const wanted = phrases(query);
    let pages;
    try {
      pages = wanted.length ? await find(await opened(), query) : [];
    } catch {
      pages = null;
    }
    if (mine !== turn) return;
    more.remove();
    list.replaceChildren();
    if (!pages) return void (status.textContent = '検索の索引を読み込めませんでした。時間をおいて、もう一度お試しください。');
    if (!wanted.length) return void (status.textContent = query && '文字か数字を入れてください。');
    let count = pages.length;
    // Pairs of characters may stand apart, and ends of long words were cut: such pages go when their texts are read.
    let unread = wanted.some((phrase) => terms(phrase).length > 2 || phrase.length > WORD) ? count : 0;
    const tell = () => {
      const words = count ? `${unread > 0 ? '約' : ''}${count}件見つかりました。` : '見つかりませんでした。別の言葉か、短い言葉でお試しください。';
      if (status.textContent !== words) status.textContent = words;
    };
    const next = async () => {
      more.remove();
      const batch = pages.splice(0, STEP);
      const entries = await Promise.all(batch.map((await opened()).entry)).catch(() => []);
      if (mine !== turn) return;
      const lines = entries.map(line);
      list.append(...lines);
      if (pages.length) list.after(more);
      const kept = await Promise.all(entries.map(async ({ url }, at) => {
        const text = await textOf(url).catch(() => null);
        if (mine !== turn || !text) return true;
        if (!wanted.every((phrase) => text.all.includes(phrase))) return false;
        const marked = passage(text.body, wanted).map((words, at) => (at % 2 ? element('mark', '', words) : words));
        lines[at].lastChild.append(...marked);
        return true;
      }));
      if (mine !== turn) return;
      lines.filter((_, at) => !kept[at]).forEach((line) => line.remove());
      count -= kept.filter((keep) => !keep).length;
      unread -= batch.length;
      tell();
      if (!list.children.length && pages.length) await next();
    };
    more.onclick = async () => {
      const shown = list.children.length;
      await next();
      list.children[shown]?.querySelector('a').focus();
    };
    await next();
  };

  const soon = () => {
    clearTimeout(waiting);
    waiting = setTimeout(run, 150);
  };
  input.addEventListener('input', (event) => event.isComposing || soon());
  input.addEventListener('compositionend', soon);
  form.addEventListener('submit', (event) => {
    event.preventDefault();
    clearTimeout(waiting);
    run();
  });
  document.addEventListener('keydown', (event) => {
    if (event.isComposing || event.ctrlKey || event.metaKey || event.altKey) return;
    const focused = document.activeElement;
    const links = [input, ...list.querySelectorAll('h2 a')];
    const step = { ArrowDown: 1, ArrowUp: -1 }[event.key];
    let to;
    if (step && links.includes(focused)) to = links[links.indexOf(focused) + step];
    if (event.key === '/' && !focused.matches('input, textarea, select')) to = input;
    if (!to) return;
    event.preventDefault();
    to.focus();
    if (to === input) input.select();
  });

  const asked = new URLSearchParams(location.search).get('q');
  if (asked !== null) input.value = asked;
  if (input.value) run();
};

const form = document.querySelector('form[role=search]');
if (form) start(form);
