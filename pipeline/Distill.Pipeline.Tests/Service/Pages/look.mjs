// Looks at the service's pages in a browser, through playwright-core: node look.mjs BROWSER ADDRESS FOLDER PAGE...
// Writes a picture of every page in three widths and two themes into FOLDER, and says what is wrong, a line each. Asks over standard
// output for the run 'live' to go on, and goes on itself when it reads a line.
import { createRequire } from 'node:module';
import { createInterface } from 'node:readline';
import path from 'node:path';

const { chromium } = createRequire(path.join(process.env.DISTILL_PLAYWRIGHT, 'x.js'))('playwright-core');
const [browserPath, address, folder, ...pages] = process.argv.slice(2);
const input = createInterface({ input: process.stdin })[Symbol.asyncIterator]();
const say = text => console.log(text);
const wrong = text => say('wrong: ' + text);

const browser = await chromium.launch({ executablePath: browserPath, args: ['--no-sandbox'] });

async function open(options) {
  const context = await browser.newContext(options);
  const page = await context.newPage();
  page.on('console', message => {
    if (message.type() === 'error' || message.type() === 'warning') wrong(`${page.url()} says ${message.text()}`);
  });
  page.on('pageerror', fault => wrong(`${page.url()} throws ${fault.message}`));
  return page;
}

async function pictures() {
  for (const colorScheme of ['light', 'dark']) for (const width of [380, 800, 1280]) {
    const page = await open({ viewport: { width, height: 900 }, colorScheme });
    for (const place of pages) {
      await page.goto(address + place);
      const over = await page.evaluate(() => document.documentElement.scrollWidth - document.documentElement.clientWidth);
      if (over > 0) wrong(`${place} is ${over} pixels wider than a window of ${width}`);
      const name = place.replace(/[^a-z0-9]+/gi, '-').replace(/^-|-$/g, '') || 'overview';
      await page.screenshot({ path: path.join(folder, `${name}-${width}-${colorScheme}.png`), fullPage: true });
    }
    await page.context().close();
  }
}

// A part that changes is put in place; the page is not loaded again, and what the reader opened stays open.
async function live() {
  const page = await open({ viewport: { width: 1000, height: 900 } });
  await page.goto(address + '/runs/live');
  await page.evaluate(() => { window.sameDocument = true; });
  await page.locator('#curves summary').click();
  await page.locator('#doors a').first().focus();
  const focused = await page.evaluate(() => document.activeElement.textContent);
  say('go on');
  await input.next();
  try {
    await page.locator('text=90/120 steps').first().waitFor({ timeout: 30_000 });
  } catch {
    wrong('the page did not show what changed');
  }
  const kept = await page.evaluate(() => ({
    same: window.sameDocument === true, open: document.querySelector('#curves details').open, focused: document.activeElement.textContent,
  }));
  if (!kept.same) wrong('the page was loaded again');
  if (!kept.open) wrong('what was open was closed');
  if (kept.focused !== focused) wrong(`the keyboard was at '${focused}' and is at '${kept.focused}'`);
  await page.context().close();
}

async function keyboard() {
  const page = await open({ viewport: { width: 1000, height: 900 } });
  await page.goto(address + '/');
  await page.keyboard.press('Tab');
  if (!await page.evaluate(() => document.activeElement.classList.contains('skip'))) wrong('the first stop is not the skip link');
  await page.keyboard.press('Enter');
  if (!await page.evaluate(() => document.activeElement.id === 'content')) wrong('the skip link does not lead to the content');
  const stops = [];
  for (let i = 0; i < 40; i++) {
    await page.keyboard.press('Tab');
    const stop = await page.evaluate(() => ({
      name: document.activeElement.textContent || document.activeElement.tagName, tag: document.activeElement.tagName,
      outline: getComputedStyle(document.activeElement).outlineStyle,
    }));
    if (stop.tag === 'BODY') break;
    stops.push(stop.name);
    if (stop.outline === 'none') wrong(`nothing shows that the keyboard is at '${stop.name}'`);
  }
  if (!stops.includes('live')) wrong('the keyboard does not come to the run: ' + stops.join(', '));
  await page.context().close();
}

async function withoutScripts() {
  const page = await open({ viewport: { width: 1000, height: 900 }, javaScriptEnabled: false });
  await page.goto(address + '/runs/live');
  if (!(await page.textContent('main')).includes('At work')) wrong('without scripts the page is not whole');
  await page.context().close();
}

try {
  await pictures();
  await keyboard();
  await withoutScripts();
  await live();
} catch (fault) {
  wrong(fault.stack);
}
await browser.close();
say('done');
process.exit(0);
