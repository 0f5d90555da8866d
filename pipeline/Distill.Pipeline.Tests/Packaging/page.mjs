// Asks the page of samples/browser, through playwright-core: node page.mjs BROWSER ADDRESS QUESTION...
// Writes the replies as JSON; ends with 1 when the page complains or asks for anything that does not lie beside it.
import { createRequire } from 'node:module';
import path from 'node:path';

const { chromium } = createRequire(path.join(process.env.DISTILL_PLAYWRIGHT, 'x.js'))('playwright-core');
const [browserPath, address, ...questions] = process.argv.slice(2);
const wrong = [];

const browser = await chromium.launch({ executablePath: browserPath, args: ['--no-sandbox'] });
const page = await browser.newPage();
page.on('console', message => {
  if (message.type() === 'error') wrong.push(message.text());
});
page.on('pageerror', fault => wrong.push(fault.message));
await page.route(url => !url.href.startsWith(address) && !/^(data|blob):/.test(url.href), route => {
  wrong.push(`asks for ${route.request().url()}`);
  return route.abort();
});
await page.goto(address);
const ready = () => page.waitForSelector('#ask:not([disabled])', { timeout: 120_000 });
await ready();

// Once it is loaded, the network may go.
await page.context().setOffline(true);
for (const question of questions) {
  await page.evaluate(() => {
    window.seen = new Set();
    new MutationObserver(() => window.seen.add([...document.querySelectorAll('.reasoning')].at(-1)?.textContent))
      .observe(document.getElementById('chat'), { childList: true, characterData: true, subtree: true });
  });
  await page.fill('#text', question);
  await page.click('#ask');
  await ready();
  await page.evaluate(() => { window.replies.at(-1).steps = window.seen.size; });
}

const replies = await page.evaluate(() => window.replies);
await browser.close();
if (wrong.length > 0) {
  console.error(wrong.join('\n'));
  process.exit(1);
}

console.log(JSON.stringify(replies));
