// Asks the API at argv[2] with OpenAI's own client for Node, and writes what came back as one JSON object.
const { OpenAI } = require("openai");

const [, , baseURL, model] = process.argv;
const client = new OpenAI({ baseURL, apiKey: "none", maxRetries: 0 });
const messages = [{ role: "user", content: "What is the capital of France? Tell me about it." }];
const chat = { model, messages, temperature: 0, max_tokens: 8 };

async function streamed() {
  const stream = await client.chat.completions.create({ ...chat, stream: true, stream_options: { include_usage: true } });
  const said = { text: "", reasons: [], usage: null };
  for await (const chunk of stream) {
    const choice = chunk.choices[0];
    said.text += choice?.delta.content ?? "";
    if (choice?.finish_reason) said.reasons.push(choice.finish_reason);
    said.usage = chunk.usage ?? said.usage;
  }
  return said;
}

async function schema() {
  const properties = { large: { type: "boolean" } };
  const wanted = { type: "object", properties, required: ["large"], additionalProperties: false };
  const response_format = { type: "json_schema", json_schema: { name: "city", schema: wanted, strict: true } };
  const answer = await client.chat.completions.create({ ...chat, max_tokens: 100, response_format });
  return JSON.parse(answer.choices[0].message.content);
}

async function tool() {
  const parameters = { type: "object", properties: { large: { type: "boolean" } }, required: ["large"] };
  const tools = [{ type: "function", function: { name: "note", parameters } }];
  const answer = await client.chat.completions.create({ ...chat, max_tokens: 100, tools, tool_choice: "required" });
  return { name: answer.choices[0].message.tool_calls[0].function.name, reason: answer.choices[0].finish_reason };
}

async function refused(parameters) {
  try {
    await client.chat.completions.create({ ...chat, ...parameters });
  } catch (error) {
    return { kind: error.constructor.name, status: error.status, code: error.code, param: error.param };
  }
}

async function left() {
  const stream = await client.chat.completions.create({ ...chat, max_tokens: 4000, stream: true });
  for await (const chunk of stream) if (chunk.choices[0].delta.content) break;
  return true;
}

async function main() {
  const whole = await client.chat.completions.create({ ...chat, logprobs: true, top_logprobs: 2, n: 2, seed: 1 });
  const vectors = await client.embeddings.create({ model, input: ["one", "two"] });
  return {
    models: (await client.models.list()).data.map((one) => one.id),
    whole: whole.choices.map((one) => one.message.content),
    tops: whole.choices[0].logprobs.content[0].top_logprobs.length,
    streamed: await streamed(),
    completed: (await client.completions.create({ model, prompt: "Paris is", max_tokens: 3 })).usage.completion_tokens,
    vectors: vectors.data.map((one) => one.embedding.length),
    schema: await schema(),
    tool: await tool(),
    unknown: await refused({ model: "no such model" }),
    wrong: await refused({ max_tokens: -1 }),
    left: await left(),
  };
}

main().then((all) => console.log(JSON.stringify(all)));
