"""Asks a model folder one question with ONNX Runtime GenAI: python3 ask.py MODEL QUESTION

Reasoning goes to standard error, the answer to standard output. Needs: pip install onnxruntime-genai
"""

import json
import pathlib
import sys

MOST_TOKENS = 512


def main() -> int:
    if len(sys.argv) != 3:
        print("usage: python3 ask.py MODEL QUESTION", file=sys.stderr)
        return 2

    try:
        import onnxruntime_genai as genai
    except ImportError:
        print("onnxruntime-genai is not installed: pip install onnxruntime-genai", file=sys.stderr)
        return 1

    folder, question = sys.argv[1:]
    model = genai.Model(folder)
    tokenizer = genai.Tokenizer(model)
    messages = json.dumps([{"role": "user", "content": question}])
    prompt = tokenizer.encode(tokenizer.apply_chat_template(messages=messages, add_generation_prompt=True))

    # Without a limit, GenAI reserves the cache of the model's whole context.
    context = json.loads(pathlib.Path(folder, "genai_config.json").read_text())["model"]["context_length"]
    parameters = genai.GeneratorParams(model)
    parameters.set_search_options(do_sample=False, max_length=min(len(prompt) + MOST_TOKENS, context))
    generator = genai.Generator(model, parameters)
    generator.append_tokens(prompt)

    stream, text = tokenizer.create_stream(), ""
    while not generator.is_done():
        generator.generate_next_token()
        text += stream.decode(generator.get_next_tokens()[0])

    reasoning, mark, answer = text.rpartition("</think>")
    if mark:
        print(reasoning.replace("<think>", "").strip(), file=sys.stderr)
    print(answer.strip())
    return 0


if __name__ == "__main__":
    sys.exit(main())
