// Keeps a page up to date: asks for it again and puts in place those parts that have changed. Without it the page reloads itself.
(() => {
  'use strict';
  const parts = () => document.querySelectorAll('[data-live][id]');
  const focusable = 'a[href], button, input, select, summary, [tabindex]';
  const shown = new Map([...parts()].map(part => [part.id, part.innerHTML])); // as the service wrote them
  let timer, failures = 0;

  const wait = () => {
    clearTimeout(timer);
    const seconds = Number(document.body.dataset.refresh) || 30;
    timer = setTimeout(update, 1000 * seconds * Math.min(10, 1 + failures));
  };

  // What the reader has done to a part stays as it is: what is open, how far it is scrolled, where the keyboard is.
  function remember(part) {
    return {
      open: [...part.querySelectorAll('details')].map(one => one.open),
      scrolled: [...part.querySelectorAll('.scroll, .log')].map(one =>
        [one.scrollLeft, one.scrollTop, one.scrollHeight - one.scrollTop - one.clientHeight < 4]),
      focused: [...part.querySelectorAll(focusable)].indexOf(document.activeElement),
    };
  }
  function restore(part, kept) {
    part.querySelectorAll('details').forEach((one, i) => { if (i in kept.open) one.open = kept.open[i]; });
    part.querySelectorAll('.scroll, .log').forEach((one, i) => {
      if (!(i in kept.scrolled)) return;
      const [left, top, atEnd] = kept.scrolled[i];
      one.scrollLeft = left;
      one.scrollTop = atEnd && one.classList.contains('log') ? one.scrollHeight : top;
    });
    if (kept.focused >= 0) part.querySelectorAll(focusable)[kept.focused]?.focus({ preventScroll: true });
  }
  const isSelected = part => {
    const selection = document.getSelection();
    return selection && !selection.isCollapsed && selection.containsNode(part, true);
  };

  // A table that scrolls can be reached and scrolled by the keyboard; one that does not is no stop.
  function reach() {
    document.querySelectorAll('.scroll').forEach(one => {
      const scrolls = one.scrollWidth > one.clientWidth;
      for (const name of ['tabindex', 'role', 'aria-label']) one.removeAttribute(name);
      if (!scrolls) return;
      one.tabIndex = 0;
      one.setAttribute('role', 'group');
      one.setAttribute('aria-label', one.closest('section')?.querySelector('h2')?.textContent || 'table');
    });
  }

  function replace(fresh) {
    for (const part of parts()) {
      const newer = fresh.getElementById(part.id);
      if (!newer || newer.innerHTML === shown.get(part.id) || isSelected(part)) continue;
      shown.set(part.id, newer.innerHTML);
      const before = part.querySelectorAll('details').length;
      const kept = remember(part);
      part.replaceChildren(...[...newer.childNodes].map(node => document.importNode(node, true)));
      if (before !== part.querySelectorAll('details').length) kept.open = [];
      reach();
      restore(part, kept);
    }
    document.title = fresh.title;
    document.body.dataset.refresh = fresh.body.dataset.refresh || '30';
  }

  function say(text) {
    const stale = document.getElementById('stale');
    if (!stale) return;
    stale.hidden = !text;
    if (stale.textContent !== text) stale.textContent = text;
  }

  async function update() {
    if (document.hidden || parts().length === 0) return wait();
    try {
      const answer = await fetch(location.href, { credentials: 'same-origin', cache: 'no-store' });
      if (answer.status === 401) return say('You are not signed in any more: load the page again.');
      if (!answer.ok) throw new Error(String(answer.status));
      replace(new DOMParser().parseFromString(await answer.text(), 'text/html'));
      failures = 0;
      say('');
    } catch {
      failures++;
      say('The service does not answer; this is what was seen last.');
    }
    wait();
  }

  addEventListener('resize', reach);
  document.addEventListener('visibilitychange', () => { if (!document.hidden) update(); });
  document.querySelectorAll('.log').forEach(log => { log.scrollTop = log.scrollHeight; });
  // Arrow keys go from trace to trace, as on the page that is opened from disk.
  document.addEventListener('keydown', event => {
    if (event.target.matches('input, select, textarea, pre') || event.ctrlKey || event.metaKey || event.altKey) return;
    const way = { ArrowLeft: 'prev', k: 'prev', ArrowRight: 'next', j: 'next' }[event.key];
    if (way) document.querySelector(`main a[rel="${way}"]`)?.click();
  });
  reach();
  wait();
})();
