using Distill.Tokenization;
using Distill.Tokenization.Training;

namespace Distill.Teacher.Tests.Fixtures;

/// <summary>Chat models that know tools, with the replies that a test dictates.</summary>
internal static class ToolModels
{
    private const string Listing = "{% if tools %}<|system|>{% for tool in tools %}{{ tool | tojson }}\n{% endfor %}<|end|>{% endif %}";
    private const string Generation = "{% if add_generation_prompt %}<|assistant|>{% endif %}";

    /// <summary>Calls between marks, as Hermes and Qwen write them.</summary>
    public const string Marked = Listing
        + "{% for m in messages %}<|{{ m.role }}|>{{ m.content }}{% for call in m.tool_calls or [] %}\n<tool_call>\n"
        + "{\"name\": \"{{ call.function.name }}\", \"arguments\": {{ call.function.arguments | tojson }}}\n</tool_call>{% endfor %}"
        + "<|end|>{% endfor %}" + Generation;

    /// <summary>A call is the whole answer, as Llama 3.1 writes it.</summary>
    public const string Bare = Listing
        + "{% for m in messages %}<|{{ m.role }}|>{% if m.tool_calls %}{% set f = m.tool_calls[0].function %}"
        + "{\"name\": \"{{ f.name }}\", \"parameters\": {{ f.arguments | tojson }}}{% else %}{{ m.content }}{% endif %}<|end|>{% endfor %}"
        + Generation;

    /// <param name="hasMarks">Whether the marks of calls are tokens.</param>
    public static ChatEncoder Encoder(string template, bool hasMarks = false)
    {
        var options = new BytePairTrainerOptions { VocabularySize = 263, ChatTemplate = template };
        if (hasMarks)
            options = options with
            {
                VocabularySize = 265, SpecialTokens = [.. options.SpecialTokens, "<tool_call>", "</tool_call>"],
            };
        using var folder = new TemporaryFolder();
        BytePairTrainer.Train([], options).Save(folder.Path);
        return ChatEncoder.Load(folder.Path);
    }

    /// <summary>A model whose reply follows from its prompt; whatever a constraint forbids of it is replaced by what comes first.</summary>
    /// <param name="reply">From the prompt's text; marks in it are tokens.</param>
    public static ScriptedTokenModel Scripted(ChatEncoder encoder, Func<string, string> reply)
    {
        var tokenizer = encoder.Tokenizer;
        int assistant = tokenizer.IdOf("<|assistant|>")!.Value;
        return new ScriptedTokenModel(tokenizer.VocabularySize, 4000, (sequence, logits) =>
        {
            int start = sequence.LastIndexOf(assistant) + 1;
            int[] wanted = [.. tokenizer.Encode(reply(tokenizer.Decode(sequence[..start])), allowSpecial: true), encoder.EndToken];
            int said = sequence.Length - start;
            for (int id = 0; id < logits.Length; id++) logits[id] = -id;
            if (tokenizer.IdOf(ThinkMarks.Open) is { } think) logits[think] = -1000;
            if (said < wanted.Length) logits[wanted[said]] = 50;
        });
    }
}
