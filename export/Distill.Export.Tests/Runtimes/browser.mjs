// Greedy tokens by transformers.js in a browser: node browser.mjs <package folder of node_modules> <browser>, with the jobs as JSON on
// standard input ([{ folder, dtype, device, prompts, maxNewTokens }]) and a line of JSON for each on standard output: { result } or
// { fault }. A server on this machine's own address gives the browser the libraries and the folders; it asks nobody else.
import { createReadStream, statSync } from 'node:fs';
import { createServer } from 'node:http';
import { createRequire } from 'node:module';
import path from 'node:path';
import { text } from 'node:stream/consumers';

const [modules, executablePath] = process.argv.slice(2);
const { chromium } = createRequire(`${modules}/node_modules/`)('playwright-core');
const jobs = JSON.parse(await text(process.stdin));
const types = { '.mjs': 'text/javascript', '.js': 'text/javascript', '.wasm': 'application/wasm', '.json': 'application/json' };
const roots = new Map([['modules', `${modules}/node_modules`], ...jobs.map((job, i) => [`model${i}`, job.folder])]);

const server = createServer((request, response) => {
  const [, root, ...rest] = decodeURIComponent(new URL(request.url, 'http://here').pathname).split('/');
  if (root === 'page') {
    response.writeHead(200, { 'content-type': 'text/html' });
    response.end('<!doctype html><title>greedy</title>');
    return;
  }
  const folder = roots.get(root);
  const file = folder && path.join(folder, ...rest);
  if (!file || !file.startsWith(`${folder}${path.sep}`) || !statSync(file, { throwIfNoEntry: false })?.isFile()) {
    response.writeHead(404);
    response.end();
    return;
  }
  response.writeHead(200, {
    'content-type': types[path.extname(file)] ?? 'application/octet-stream', 'content-length': statSync(file).size,
  });
  createReadStream(file).pipe(response);
});
await new Promise((resolve) => server.listen(0, '127.0.0.1', resolve));
const address = `http://127.0.0.1:${server.address().port}`;

const greedy = async ({ address, model, job }) => {
  const library = await import(`${address}/modules/@huggingface/transformers/dist/transformers.min.js`);
  const { AutoModelForCausalLM, Tensor, env } = library;
  env.allowRemoteModels = false;
  env.allowLocalModels = true;
  env.localModelPath = `${address}/`;
  env.useBrowserCache = false;
  env.useWasmCache = false;
  env.backends.onnx.wasm.wasmPaths = `${address}/modules/onnxruntime-web/dist/`;
  env.backends.onnx.wasm.numThreads = 1;
  if (job.device === 'webgpu' && !(await navigator.gpu?.requestAdapter())) return { fault: 'no WebGPU adapter' };
  const options = job.dtype ? { dtype: job.dtype } : {};
  const loaded = await AutoModelForCausalLM.from_pretrained(model, { device: job.device, ...options });
  const rows = [];
  for (const prompt of job.prompts) {
    const row = (values) => new Tensor('int64', BigInt64Array.from(values, BigInt), [1, values.length]);
    const output = await loaded.generate({
      inputs: row(prompt), attention_mask: row(prompt.map(() => 1)), max_new_tokens: job.maxNewTokens,
      do_sample: false, repetition_penalty: 1, no_repeat_ngram_size: 0, min_length: 0,
    });
    rows.push(Array.from(output.data, Number).slice(prompt.length));
  }
  await loaded.dispose();
  return { result: rows };
};

const browser = await chromium.launch({
  executablePath, headless: true,
  args: ['--no-sandbox', '--enable-unsafe-webgpu', '--use-webgpu-adapter=swiftshader', '--enable-features=Vulkan'],
});
// One page serves until something goes wrong in it.
let page;
for (const [i, job] of jobs.entries()) {
  let reply;
  try {
    if (!page) {
      page = await browser.newPage();
      await page.goto(`${address}/page`);
    }
    reply = await page.evaluate(greedy, { address, model: `model${i}`, job });
  } catch (fault) {
    reply = { fault: String(fault?.message ?? fault) };
  }
  if (reply.fault) {
    await page?.close();
    page = undefined;
  }
  process.stdout.write(`${JSON.stringify(reply)}\n`);
}
await browser.close();
server.close();
