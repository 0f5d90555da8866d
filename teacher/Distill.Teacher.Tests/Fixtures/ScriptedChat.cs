using System.Collections.Concurrent;
using Distill.Tokenization;

namespace Distill.Teacher.Tests.Fixtures;

/// <summary>A model that answers chats by a script, and whose template knows tools and writes calls as Hermes and Qwen do.</summary>
internal static class ScriptedChat
{
    private const string Template = """
        {%- if tools %}{{ '<|system|>' }}{% for tool in tools %}{{ tool | tojson }}{% endfor %}{{ '<|end|>' }}{% endif %}
        {%- for message in messages %}
        {%- if message.role == 'tool' %}{{ '<|user|><tool_response>' + message.content + '</tool_response><|end|>' }}
        {%- else %}{{ '<|' + message.role + '|>' + message.content }}
        {%- if message.tool_calls %}{% for call in message.tool_calls %}
        {{- '<tool_call>\n{"name": "' + call.function.name + '", "arguments": ' }}{{ call.function.arguments | tojson }}
        {{- '}\n</tool_call>' }}
        {%- endfor %}{% endif %}{{ '<|end|>' }}
        {%- endif %}
        {%- endfor %}
        {%- if add_generation_prompt %}{{ '<|assistant|>' }}{% endif %}
        """;

    public static ChatEncoder Encoder { get; } = new(TinyTokenizer.Tokenizer, new ChatTemplate(Template));

    /// <param name="answer">The rendered prompt → the reply, which ends by itself.</param>
    public static ScriptedTokenModel Model(Func<string, string> answer)
    {
        int assistant = Encoder.Tokenizer.IdOf("<|assistant|>")!.Value;
        var replies = new ConcurrentDictionary<string, int[]>();
        return new ScriptedTokenModel(Encoder.Tokenizer.VocabularySize, 8192, (sequence, logits) =>
        {
            int start = sequence.LastIndexOf(assistant) + 1;
            string prompt = Encoder.Tokenizer.Decode(sequence[..start].ToArray(), skipSpecial: false);
            int[] reply = replies.GetOrAdd(prompt, text => TinyTokenizer.Tokens(answer(text)));
            int at = sequence.Length - start;
            logits.Clear();
            logits[at < reply.Length ? reply[at] : Encoder.EndToken] = 20;
        });
    }
}
