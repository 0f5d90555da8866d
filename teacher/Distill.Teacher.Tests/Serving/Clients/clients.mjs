// What JavaScript applications make of a server: node clients.mjs SCENARIO ADDRESS. Packages are those of the folder DISTILL_NODE.
import { createRequire } from "node:module";
import { pathToFileURL } from "node:url";
import { join } from "node:path";

const require = createRequire(join(process.env.DISTILL_NODE, "here.js"));
const load = async name => import(pathToFileURL(require.resolve(name)));
const [scenario, address] = process.argv.slice(2);
const baseURL = `${address}v1`, apiKey = "none", model = "tiny", question = "What is 2 + 3?";
const messages = [{ role: "developer", content: "Be brief." }, { role: "user", content: question }];

async function openai() {
  const { default: OpenAI } = await load("openai");
  return new OpenAI({ baseURL, apiKey, maxRetries: 0 });
}

const parameters = {
  type: "object", properties: { a: { type: "integer" }, b: { type: "integer" } }, required: ["a", "b"], additionalProperties: false,
};
const sum = { type: "object", properties: { sum: { type: "integer" } }, required: ["sum"], additionalProperties: false };
const add = { name: "add", description: "Adds two numbers.", parameters };

const scenarios = {
  async chat() {
    const client = await openai();
    const reply = await client.chat.completions.create({
      model, messages, temperature: 0, reasoning_effort: "low", verbosity: "low", store: false, user: "u", metadata: { a: "b" },
      frequency_penalty: 0, parallel_tool_calls: true,
    });
    return { message: reply.choices[0].message, usage: reply.usage, finish: reply.choices[0].finish_reason };
  },

  async stream() {
    const client = await openai();
    const stream = client.chat.completions.stream({ model, messages, temperature: 0, stream_options: { include_usage: true } });
    let content = "", reasoning = "", pieces = 0;
    for await (const chunk of stream) {
      const delta = chunk.choices[0]?.delta;
      content += delta?.content ?? "";
      reasoning += delta?.reasoning_content ?? "";
      if (delta?.content) pieces++;
    }
    return { content, reasoning, pieces, final: await stream.finalContent(), usage: await stream.totalUsage() };
  },

  async responses() {
    const client = await openai();
    const first = await client.responses.create({ model, instructions: "Be brief.", input: question, temperature: 0, store: false });
    const second = await client.responses.create({
      model, instructions: "Be brief.", temperature: 0, store: false, include: ["reasoning.encrypted_content"],
      input: [{ role: "user", content: question }, ...first.output, { role: "user", content: "And again?" }],
    });
    return { text: first.output_text, types: first.output.map(item => item.type), usage: first.usage, again: second.output_text };
  },

  async responsesStream() {
    const client = await openai();
    const stream = client.responses.stream({ model, input: question, temperature: 0 });
    let text = "", types = [];
    for await (const event of stream) {
      if (event.type === "response.output_text.delta") text += event.delta;
      if (types.at(-1) !== event.type) types.push(event.type);
    }
    const final = await stream.finalResponse();
    return { text, types, final: final.output_text, status: final.status };
  },

  async parse() {
    const client = await openai();
    const input = `${question} Answer in JSON.`, messages = [{ role: "user", content: input }];
    const reply = await client.chat.completions.parse({
      model, messages, temperature: 0, response_format: { type: "json_schema", json_schema: { name: "sum", strict: true, schema: sum } },
    });
    const response = await client.responses.parse({
      model, input, temperature: 0, text: { format: { type: "json_schema", name: "sum", strict: true, schema: sum } },
    });
    const object = await client.chat.completions.create({ model, messages, temperature: 0, response_format: { type: "json_object" } });
    return {
      chat: JSON.parse(reply.choices[0].message.content), response: response.output_parsed ?? JSON.parse(response.output_text),
      object: JSON.parse(object.choices[0].message.content),
    };
  },

  async tools() {
    const client = await openai();
    const tools = [{ type: "function", function: add }];
    const calls = [];
    const called = ({ a, b }) => { calls.push([a, b]); return `${a + b}`; };
    const runner = client.chat.completions.runTools({
      model, messages, temperature: 0,
      tools: [{ type: "function", function: { ...add, parse: JSON.parse, function: called } }],
    });
    const stream = client.chat.completions.stream({ model, messages, tools, temperature: 0 });
    const streamed = await stream.finalMessage();
    const forced = await client.chat.completions.create({
      model, messages, tools, temperature: 0, tool_choice: { type: "function", function: { name: "add" } },
    });
    return {
      content: await runner.finalContent(), calls, streamed: streamed.tool_calls, forced: forced.choices[0].message.tool_calls,
      finish: forced.choices[0].finish_reason,
    };
  },

  async responsesTools() {
    const client = await openai();
    const tools = [{ type: "function", strict: true, ...add }];
    const input = [{ role: "user", content: question }];
    const first = await client.responses.create({ model, input, tools, temperature: 0 });
    const call = first.output.find(item => item.type === "function_call");
    input.push(...first.output, { type: "function_call_output", call_id: call.call_id, output: "5" });
    const second = await client.responses.create({ model, input, tools, temperature: 0 });
    const stream = client.responses.stream({ model, input: question, tools, temperature: 0 });
    const final = await stream.finalResponse();
    return {
      name: call.name, arguments: JSON.parse(call.arguments), text: second.output_text,
      streamed: JSON.parse(final.output.find(item => item.type === "function_call").arguments),
    };
  },

  async agents() {
    const { Agent, run, tool, setDefaultOpenAIClient, setOpenAIAPI, setTracingDisabled } = await load("@openai/agents");
    const { z } = await load("zod");
    setTracingDisabled(true);
    setDefaultOpenAIClient(await openai());
    const said = {};
    for (const api of ["responses", "chat_completions"]) {
      setOpenAIAPI(api);
      const calls = [];
      const adder = tool({
        name: "add", description: "Adds two numbers.", parameters: z.object({ a: z.number().int(), b: z.number().int() }),
        execute: async ({ a, b }) => { calls.push([a, b]); return `${a + b}`; },
      });
      const agent = new Agent({ name: "adder", instructions: "Be brief.", model, modelSettings: { temperature: 0 }, tools: [adder] });
      const result = await run(agent, question);
      const streamed = await run(agent, question, { stream: true });
      let text = "";
      for await (const piece of streamed.toTextStream()) text += piece;
      await streamed.completed;
      said[api] = { text: result.finalOutput, calls, streamed: text };
    }
    return said;
  },

  async ai() {
    const { generateText, streamText, tool, stepCountIs, jsonSchema } = await load("ai");
    const { createOpenAICompatible } = await load("@ai-sdk/openai-compatible");
    const provider = createOpenAICompatible({ name: "distill", baseURL, apiKey });
    const calls = [];
    const tools = {
      add: tool({
        description: add.description, inputSchema: jsonSchema(parameters),
        execute: async ({ a, b }) => { calls.push([a, b]); return `${a + b}`; },
      }),
    };
    const options = { model: provider(model), system: "Be brief.", prompt: question, temperature: 0, maxRetries: 0 };
    const plain = await generateText(options);
    const called = await generateText({ ...options, tools, stopWhen: stepCountIs(3) });
    let streamed = "";
    for await (const piece of streamText(options).textStream) streamed += piece;
    return { text: plain.text, reasoning: plain.reasoningText, called: called.text, calls, streamed };
  },

  async errors() {
    const client = await openai();
    const said = {};
    for (const [name, ask] of Object.entries({
      surrogate: () => client.chat.completions.create({ model, messages: [{ role: "user", content: "\ud83d" }] }),
      model: () => client.chat.completions.create({ model: "other", messages }),
      stored: () => client.responses.create({ model, input: question, previous_response_id: "resp_1" }),
    })) {
      try { await ask(); said[name] = "answered"; }
      catch (error) { said[name] = { kind: error.constructor.name, status: error.status, param: error.param }; }
    }
    return said;
  },
};

console.log(JSON.stringify(await scenarios[scenario]()));
