// Puts the page, its library and a model into one folder that any static server serves: node make.mjs MODEL FOLDER
import { cp, mkdir, readdir, writeFile } from 'node:fs/promises';
import { createRequire } from 'node:module';
import path from 'node:path';
import { fileURLToPath } from 'node:url';

// What the library calls the files of a model, and the precision that it takes for each.
const precisions = {
  'model.onnx': 'fp32', 'model_fp16.onnx': 'fp16', 'model_int8.onnx': 'int8', 'model_uint8.onnx': 'uint8', 'model_quantized.onnx': 'q8',
  'model_q4.onnx': 'q4', 'model_q4f16.onnx': 'q4f16',
};

const [model, folder] = process.argv.slice(2);
if (!folder) {
  console.error('usage: node make.mjs MODEL FOLDER');
  process.exit(2);
}

const here = path.dirname(fileURLToPath(import.meta.url));
const library = path.dirname(createRequire(import.meta.url).resolve('@huggingface/transformers'));
const runtime = path.join(library, '..', '..', '..', 'onnxruntime-web', 'dist');
const files = await readdir(path.join(model, 'onnx'));
const graph = Object.keys(precisions).find(name => files.includes(name));
if (!graph) throw new Error(`${model}/onnx holds no file that transformers.js knows: ${Object.keys(precisions).join(', ')}.`);

await mkdir(path.join(folder, 'lib'), { recursive: true });
for (const name of ['index.html', 'chat.js']) await cp(path.join(here, name), path.join(folder, name));
await cp(path.join(library, 'transformers.min.js'), path.join(folder, 'lib', 'transformers.min.js'));
for (const name of ['ort-wasm-simd-threaded.asyncify.mjs', 'ort-wasm-simd-threaded.asyncify.wasm'])
  await cp(path.join(runtime, name), path.join(folder, 'lib', name));
await cp(model, path.join(folder, 'model'), { recursive: true, dereference: true });
await writeFile(
  path.join(folder, 'model.json'), JSON.stringify({ name: path.basename(path.resolve(model)), dtype: precisions[graph] }) + '\n');
console.log(`${folder}: serve it, for example with: python3 -m http.server -d ${folder} 8000`);
