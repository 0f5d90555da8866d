(() => {
  'use strict';
  const perPage = 50, mostCached = 24, excerptLength = 220;
  const $ = id => document.getElementById(id);
  const words = meta => [...meta];
  const waiting = new Map(), cache = new Map();
  let meta, columns, found = [], page = 0, asked = 0;

  // Compressed blocks: in the page itself, or in scripts beside it that hand over their text.
  async function inflate(text) {
    const bytes = Uint8Array.from(atob(text), c => c.charCodeAt(0));
    return new Response(new Blob([bytes]).stream().pipeThrough(new DecompressionStream('gzip'))).arrayBuffer();
  }
  window.traceChunk = (number, text) => waiting.get(number)?.resolve(text);
  function blockText(number) {
    if (!meta.folder) return Promise.resolve($('c' + number).textContent);
    return new Promise((resolve, reject) => {
      waiting.set(number, { resolve });
      const script = document.createElement('script');
      script.src = encodeURIComponent(meta.folder) + '/' + String(number).padStart(5, '0') + '.js';
      script.onerror = () => reject(new Error(meta.folder + ' is missing beside this page, or a part of it.'));
      script.onload = () => script.remove();
      document.head.append(script);
    });
  }
  function chunk(number) {
    let rows = cache.get(number);
    if (!rows) rows = blockText(number).then(inflate).then(buffer => JSON.parse(new TextDecoder().decode(buffer)));
    cache.delete(number);
    cache.set(number, rows);
    if (cache.size > mostCached) cache.delete(cache.keys().next().value);
    return rows;
  }
  function chunkOf(row) {
    let low = 0, high = meta.starts.length - 1;
    while (low < high) {
      const middle = (low + high + 1) >> 1;
      if (meta.starts[middle] <= row) low = middle; else high = middle - 1;
    }
    return low;
  }
  const trace = async row => { const number = chunkOf(row); return (await chunk(number))[row - meta.starts[number]]; };

  // Foreign text is only ever a text node. What would hide itself is spelled and marked.
  const hidden = /(?![\n\t])[\p{Cc}\p{Cf}\p{Zl}\p{Zp}\p{Cs}]/gu;
  function put(parent, text) {
    let at = 0;
    for (const match of text.matchAll(hidden)) {
      parent.append(text.slice(at, match.index));
      const mark = document.createElement('span');
      mark.className = 'hidden-char';
      mark.textContent = '\\u{' + match[0].codePointAt(0).toString(16) + '}';
      parent.append(mark);
      at = match.index + match[0].length;
    }
    parent.append(text.slice(at));
    return parent;
  }
  function element(name, className, text) {
    const made = document.createElement(name);
    if (className) made.className = className;
    if (text !== undefined && text !== null) put(made, String(text));
    return made;
  }
  const number = value => value.toLocaleString('en-US');
  const pill = word => element('span', 'pill ' + ({ correct: 'good', incorrect: 'bad' }[word] || 'open'), word);

  function matches() {
    const want = ['verdict', 'reason', 'domain', 'split', 'stop'].map(name => [columns[name], Number($(name)?.value ?? -1)]).filter(pair => pair[1] >= 0);
    const least = Number($('least').value) || 0, most = $('most').value === '' ? Infinity : Number($('most').value);
    const rows = [];
    for (let row = 0; row < meta.rows; row++) {
      const tokens = columns.tokens[row];
      if (tokens >= least && tokens <= most && want.every(pair => pair[0][row] === pair[1])) rows.push(row);
    }
    return rows;
  }
  const says = (row, needle) => [row.i, row.q, row.r, row.a, row.g].some(text => text && text.toLowerCase().includes(needle));

  async function ask() {
    const turn = ++asked, needle = $('search').value.trim().toLowerCase(), rows = matches();
    page = 0;
    if (!needle) { found = rows; return show(turn, ''); }
    found = [];
    const parts = new Map();
    for (const row of rows) { const part = chunkOf(row); if (!parts.has(part)) parts.set(part, []); parts.get(part).push(row); }
    let done = 0;
    await show(turn, 'searching …');
    for (const [part, inPart] of parts) {
      const texts = await chunk(part);
      if (turn !== asked) return;
      const before = found.length;
      for (const row of inPart) if (says(texts[row - meta.starts[part]], needle)) found.push(row);
      done++;
      if (before < perPage && found.length > before) await show(turn, searched(done, parts.size)); else state(searched(done, parts.size));
    }
    await show(turn, '');
  }
  const searched = (done, all) => 'searched ' + number(done) + ' of ' + number(all) + ' parts';
  function state(note) {
    const pages = Math.max(1, Math.ceil(found.length / perPage));
    $('count').textContent = number(found.length) + ' of ' + number(meta.rows) + (note ? ' · ' + note : '');
    $('place').textContent = 'page ' + number(page + 1) + ' of ' + number(pages);
    $('before').disabled = page === 0;
    $('after').disabled = page + 1 >= pages;
  }
  async function show(turn, note) {
    state(note);
    const rows = found.slice(page * perPage, (page + 1) * perPage);
    const traces = await Promise.all(rows.map(trace));
    if (turn !== asked) return;
    $('list').replaceChildren(...traces.map((one, i) => item(one, rows[i])));
    mark();
  }
  function item(one, row) {
    const line = element('li'), link = element('a');
    link.href = '#' + row;
    const head = element('span', 'head');
    if (one.v) head.append(pill(one.v));
    head.append(element('small', '', [one.w, number(one.n) + ' tokens', one.d].filter(Boolean).join(' · ')));
    link.append(head, element('span', 'excerpt', one.q.slice(0, excerptLength).replace(/[\ud800-\udbff]$/, '')));
    line.append(link);
    return line;
  }
  function mark() {
    for (const link of $('list').querySelectorAll('a')) link.classList.toggle('open', link.hash === location.hash);
  }

  async function open() {
    const row = /^#\d+$/.test(location.hash) ? Number(location.hash.slice(1)) : -1, isRow = row >= 0 && row < meta.rows;
    document.body.classList.toggle('reading', isRow);
    mark();
    if (!isRow) return;
    const one = await trace(row), pane = $('one');
    const head = element('header', 'one-head');
    if (one.v) head.append(pill(one.v));
    if (one.w) head.append(element('span', 'pill open', one.w));
    head.append(element('code', '', one.i), element('small', '', 'sample ' + one.k));
    const back = element('a', 'back', 'Back to the list');
    back.href = '#';
    pane.replaceChildren(back, head);
    if (one.y) part(pane, 'System', one.y);
    part(pane, 'Problem', one.q);
    for (const choice of one.c || []) pane.append(element('p', 'choice', choice));
    if (one.p) tokens(pane, one);
    if (one.r) part(pane, 'Reasoning', one.r);
    part(pane, 'Answer', one.a, one.x ? 'refused: ' + one.x : 'there is none: the completion never got there');
    part(pane, 'Reference answer', one.g);
    const facts = element('dl', 'facts');
    for (const [name, value] of [['stopped by', one.e], ['tokens', number(one.n)], ['domain', one.d], ['split', one.s], ['source', one.o],
      ['teacher', one.t], ['sampling', one.m], ['graded by', one.f], ['row', number(row + 1)]])
      if (value !== undefined && value !== '') facts.append(element('dt', '', name), element('dd', '', value));
    pane.append(facts);
    pane.scrollTop = 0;
    if (matchMedia('(max-width: 860px)').matches) scrollTo(0, 0);
  }
  function part(pane, title, text, otherwise) {
    pane.append(element('h3', '', title));
    pane.append(text === null || text === undefined || text === '' ? element('p', 'absent', otherwise || 'empty') : element('pre', '', text));
  }
  // The less probable the teacher found its own token, the stronger the colour.
  function tokens(pane, one) {
    const box = element('details'), text = element('pre', 'tokens');
    box.append(element('summary', '', 'Token by token: the stronger the colour, the less probable'), text);
    one.p.forEach((piece, i) => {
      const mark = element('span', 't' + Math.min(6, Math.floor(-2 * one.l[i])), piece);
      mark.title = 'log-probability ' + one.l[i] + ', ' + (100 * Math.exp(one.l[i])).toFixed(1) + ' %';
      text.append(mark);
    });
    pane.append(box);
  }
  function step(by) {
    const at = found.indexOf(Number(location.hash.slice(1)));
    if (at < 0 || at + by < 0 || at + by >= found.length) return;
    location.hash = found[at + by];
    const wanted = Math.floor((at + by) / perPage);
    if (wanted !== page) { page = wanted; show(asked, ''); }
  }
  function turnPage(by) { page += by; show(asked, ''); $('list').scrollTop = 0; }

  async function begin() {
    meta = JSON.parse(new TextDecoder().decode(await inflate($('meta').textContent)));
    const index = await inflate($('index').textContent), n = meta.rows;
    columns = { tokens: new Int32Array(index, 0, n), domain: new Uint16Array(index, 4 * n, n) };
    ['verdict', 'reason', 'split', 'stop'].forEach((name, i) => { columns[name] = new Uint8Array(index, 6 * n + i * n, n); });
    for (const name of ['verdict', 'reason', 'domain', 'split', 'stop']) {
      const select = $(name), known = words(meta[name]);
      if (known.length < 2) { select.closest('label').hidden = true; continue; }
      known.forEach((word, i) => {
        const option = element('option', '', word === '' ? 'none' : word);
        option.value = i;
        select.append(option);
      });
      select.addEventListener('change', ask);
    }
    let pause;
    for (const name of ['search', 'least', 'most'])
      $(name).addEventListener('input', () => { clearTimeout(pause); pause = setTimeout(ask, 250); });
    $('before').addEventListener('click', () => turnPage(-1));
    $('after').addEventListener('click', () => turnPage(1));
    addEventListener('hashchange', open);
    addEventListener('keydown', event => {
      if (event.target.matches('input, select') || event.ctrlKey || event.metaKey || event.altKey) return;
      if (event.key === 'j' || event.key === 'ArrowRight') step(1);
      if (event.key === 'k' || event.key === 'ArrowLeft') step(-1);
    });
    await ask();
    await open();
    document.body.classList.add('ready');
  }
  begin().catch(fault => { $('count').textContent = 'This page cannot be shown: ' + fault.message; });
})();
