// A chat with a model that runs in this page: nothing is asked of any server but the files beside it.
import {
  AutoModelForCausalLM, AutoTokenizer, BaseStreamer, InterruptableStoppingCriteria, env,
} from './lib/transformers.min.js';

const at = id => document.getElementById(id);
const mostTokens = 512;

[env.allowRemoteModels, env.allowLocalModels] = [false, true];
env.localModelPath = new URL('./', location.href).pathname;
env.useBrowserCache = false;
env.backends.onnx.wasm.wasmPaths = new URL('./lib/', location.href).href;

// Tokens as they come: those between the marks of thinking are reasoning. The first that is put is the prompt.
class Reply extends BaseStreamer {
  constructor(tokenizer, ends, shown) {
    super();
    const mark = text => tokenizer.encode(text, { add_special_tokens: false });
    Object.assign(this, { tokenizer, ends, shown, ids: [], reasoning: [], answer: [], thinking: false, begun: false });
    [this.open, this.close] = ['<think>', '</think>'].map(text => mark(text).length === 1 ? mark(text)[0] : -1);
  }

  put([ids]) {
    const tokens = [...ids].map(Number);
    if (!this.begun) {
      this.begun = true;
      this.thinking = this.open >= 0 && tokens.lastIndexOf(this.open) > tokens.lastIndexOf(this.close);
      return;
    }

    for (const token of tokens) {
      this.ids.push(token);
      if (token === this.open || token === this.close) this.thinking = token === this.open;
      else if (!this.ends.includes(token)) (this.thinking ? this.reasoning : this.answer).push(token);
    }

    this.shown(this);
  }

  end() {
    this.shown(this);
  }

  text(tokens) {
    return tokens.length > 0 ? this.tokenizer.decode(tokens, { skip_special_tokens: true }).trim() : '';
  }
}

function paragraph(kind) {
  const made = document.createElement('div');
  made.className = kind;
  at('chat').append(made);
  return made;
}

const { name, dtype } = await (await fetch('model.json')).json();
document.title = at('title').textContent = name;
const tokenizer = await AutoTokenizer.from_pretrained('model');
const model = await AutoModelForCausalLM.from_pretrained('model', { dtype });
const ends = [model.generation_config?.eos_token_id ?? model.config.eos_token_id].flat();
const stopping = new InterruptableStoppingCriteria();
const history = [];
window.replies = []; // for whoever looks from outside

async function ask(text) {
  history.push({ role: 'user', content: text });
  paragraph('question').textContent = text;
  const [reasoning, answer] = [paragraph('reasoning'), paragraph('answer')];
  const reply = new Reply(tokenizer, ends, so => {
    reasoning.textContent = so.text(so.reasoning);
    answer.textContent = so.text(so.answer);
  });
  stopping.reset();
  const start = performance.now();
  const inputs = tokenizer.apply_chat_template(history, { add_generation_prompt: true, return_dict: true });
  await model.generate({
    ...inputs, max_new_tokens: mostTokens, do_sample: false, streamer: reply, stopping_criteria: stopping,
  });
  const seconds = (performance.now() - start) / 1000;
  history.push({ role: 'assistant', content: answer.textContent });
  window.replies.push({ ids: reply.ids, reasoning: reasoning.textContent, answer: answer.textContent });
  at('status').textContent = `${reply.ids.length} tokens, ${(reply.ids.length / seconds).toFixed(0)} tokens/s`;
}

function ready(isReady) {
  at('text').disabled = at('ask').disabled = !isReady;
  at('stop').disabled = isReady;
  if (isReady) at('text').focus();
}

at('stop').addEventListener('click', () => stopping.interrupt());
at('form').addEventListener('submit', async event => {
  event.preventDefault();
  const text = at('text').value;
  at('text').value = '';
  ready(false);
  try {
    await ask(text);
  } catch (fault) {
    at('status').textContent = `It failed: ${fault.message}`;
  }

  ready(true);
});
at('status').textContent = 'The model runs in this page.';
ready(true);
