// Asks transformers.js about a model folder: node --input-type=module --eval <this> <package folder>, the request as JSON on standard
// input, the reply as one line of JSON after the mark on standard output. Nothing is fetched from a network.
import { createRequire } from 'node:module';
import { text } from 'node:stream/consumers';

const mark = '\u0001distill:';

const numbers = (tensor) => Array.from(tensor.data ?? tensor, Number);

const work = {
  async greedy({ AutoModelForCausalLM, Tensor }, request) {
    const options = request.threads ? { session_options: { intraOpNumThreads: request.threads } } : {};
    if (request.dtype) options.dtype = request.dtype;
    const model = await AutoModelForCausalLM.from_pretrained(request.folder, { device: 'cpu', ...options });
    const rows = [];
    for (const prompt of request.prompts) {
      const row = (values) => new Tensor('int64', BigInt64Array.from(values, BigInt), [1, values.length]);
      const output = await model.generate({
        inputs: row(prompt), attention_mask: row(prompt.map(() => 1)), max_new_tokens: request.maxNewTokens,
        // What a folder's generation_config.json asks for beyond the end tokens would make it something else than greedy.
        do_sample: false, repetition_penalty: 1, no_repeat_ngram_size: 0, min_length: 0,
      });
      rows.push(numbers(output).slice(prompt.length));
    }
    await model.dispose();
    return rows;
  },

  async each(library, request) {
    const replies = [];
    for (const job of request.jobs) {
      try {
        replies.push({ result: await work.greedy(library, job) });
      } catch (fault) {
        replies.push({ fault: String(fault?.message ?? fault) });
      }
    }
    return replies;
  },

  async encode({ AutoTokenizer }, request) {
    const tokenizer = await AutoTokenizer.from_pretrained(request.folder);
    return request.texts.map((value) => tokenizer.encode(value, { add_special_tokens: false }).map(Number));
  },

  async render({ AutoTokenizer }, request) {
    const tokenizer = await AutoTokenizer.from_pretrained(request.folder);
    return request.chats.map((chat) =>
      tokenizer.apply_chat_template(chat, { tokenize: false, add_generation_prompt: true, ...request.options }));
  },
};

let reply;
try {
  const request = JSON.parse(await text(process.stdin));
  const library = createRequire(`${process.argv[1]}/package.json`)(process.argv[1]);
  library.env.allowRemoteModels = false;
  library.env.allowLocalModels = true;
  library.env.useFSCache = false;
  reply = { result: await work[request.work](library, request) };
} catch (fault) {
  reply = { fault: String(fault?.message ?? fault) };
}
process.stdout.write(`\n${mark}${JSON.stringify(reply)}\n`);
