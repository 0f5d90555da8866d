// Decodes greedily with transformers.js (onnxruntime-node) and prints one JSON line:
//   {"tokensPerSecond": {"1": …}, "tokens": [[…], …], "version": "…"}
// Usage: node transformers.mjs MODEL_FOLDER PROMPTS.json STEPS BATCH[,BATCH…]
// PROMPTS.json: arrays of token ids. A batch repeats the first prompt: rows of one length need no padding, which this library puts
// on the left, where the graph would misread it.
import fs from 'node:fs';
import path from 'node:path';
import { AutoModelForCausalLM, Tensor, env } from '@huggingface/transformers';

const [folder, promptFile, steps, batches] = process.argv.slice(2);
env.allowRemoteModels = false;
env.localModelPath = path.dirname(path.resolve(folder));
const model = await AutoModelForCausalLM.from_pretrained(path.basename(path.resolve(folder)), { dtype: 'fp32', device: 'cpu' });
const prompts = JSON.parse(fs.readFileSync(promptFile, 'utf8'));

const tensor = (rows) => new Tensor('int64', BigInt64Array.from(rows.flat().map(BigInt)), [rows.length, rows[0].length]);

async function generate(rows, count) {
  const output = await model.generate({
    input_ids: tensor(rows), attention_mask: tensor(rows.map((row) => row.map(() => 1))),
    max_new_tokens: count, min_new_tokens: count, do_sample: false,
  });
  return output.tolist().map((row) => row.slice(rows[0].length).map(Number));
}

async function seconds(rows, count) {
  const began = performance.now();
  await generate(rows, count);
  return (performance.now() - began) / 1000;
}

const tokensPerSecond = {};
for (const batch of batches.split(',').map(Number)) {
  const rows = Array.from({ length: batch }, () => prompts[0]);
  await generate(rows, 2);
  // Prompts and set-up are in both, and fall out.
  const one = await seconds(rows, 1);
  tokensPerSecond[batch] = (batch * (Number(steps) - 1)) / ((await seconds(rows, Number(steps))) - one);
}

const tokens = [];
for (const prompt of prompts) tokens.push((await generate([prompt], Number(steps)))[0]);
console.log(JSON.stringify({ tokensPerSecond, tokens, version: env.version }));
