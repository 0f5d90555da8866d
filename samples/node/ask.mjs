// Asks a model folder one question: node ask.mjs MODEL QUESTION. Reasoning goes to standard error, the answer to standard output.
import { readdir } from 'node:fs/promises';
import path from 'node:path';
import { AutoModelForCausalLM, AutoTokenizer, env } from '@huggingface/transformers';

const precisions = {
  'model.onnx': 'fp32', 'model_fp16.onnx': 'fp16', 'model_int8.onnx': 'int8', 'model_uint8.onnx': 'uint8', 'model_quantized.onnx': 'q8',
  'model_q4.onnx': 'q4', 'model_q4f16.onnx': 'q4f16',
};

const [folder, question] = process.argv.slice(2);
if (!question) {
  console.error('usage: node ask.mjs MODEL QUESTION');
  process.exit(2);
}

const place = path.resolve(folder);
env.allowRemoteModels = false;
env.localModelPath = path.dirname(place);
const files = await readdir(path.join(place, 'onnx'));
const graph = Object.keys(precisions).find(name => files.includes(name));
const tokenizer = await AutoTokenizer.from_pretrained(path.basename(place));
const model = await AutoModelForCausalLM.from_pretrained(path.basename(place), { dtype: precisions[graph] });

const inputs = tokenizer.apply_chat_template([{ role: 'user', content: question }], { add_generation_prompt: true, return_dict: true });
const output = await model.generate({ ...inputs, max_new_tokens: 512, do_sample: false });
const ids = output.tolist()[0].slice(inputs.input_ids.dims[1]);
const close = tokenizer.encode('</think>', { add_special_tokens: false });
const end = close.length === 1 ? ids.findIndex(id => Number(id) === close[0]) : -1;
const text = part => part.length > 0 ? tokenizer.decode(part, { skip_special_tokens: true }).replace('<think>', '').trim() : '';
if (end >= 0) console.error(text(ids.slice(0, end)));
console.log(text(ids.slice(end + 1)));
