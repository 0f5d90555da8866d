using System.Text.Json;
using Distill.Tokenization;

namespace Distill.Cli.Tokens;

/// <summary>A sequence to score.</summary>
/// <param name="Line">Where it stands in the input, from 1.</param>
/// <param name="Tokens">All of it.</param>
/// <param name="First">The first token that counts; those before it are only read. At least 1: the first token of all has no
/// probability.</param>
internal sealed record ScoreItem(int Line, int[] Tokens, int First);

/// <summary>
/// Lines → sequences: a text each, or a JSON object with <c>text</c>, <c>ids</c>, or <c>prompt</c> and <c>completion</c>.
/// </summary>
/// <param name="special">Control tokens spelled in texts are those tokens.</param>
/// <param name="bare">Nothing is put around a text.</param>
internal sealed class ScoreInput(Tokenizer tokenizer, int vocabularySize, bool special, bool bare)
{
    public ScoreItem OfText(int line, string text) => Item(line, Whole(text), 1);

    /// <exception cref="InvalidDataException">Not such an object; names the line.</exception>
    public ScoreItem OfJson(int line, string json)
    {
        try
        {
            using var document = JsonDocument.Parse(json);
            return Of(line, document.RootElement);
        }
        catch (JsonException e)
        {
            throw new InvalidDataException($"Line {line} is not JSON: {e.Message}", e);
        }
    }

    private ScoreItem Of(int line, JsonElement root)
    {
        if (root.ValueKind != JsonValueKind.Object) throw Fault(line, "is not an object");
        if (root.TryGetProperty("ids", out var ids)) return Item(line, Ids(line, "ids", ids), 1);
        if (root.TryGetProperty("text", out var text)) return Item(line, Tokens(line, "text", text, Whole), 1);
        if (!root.TryGetProperty("prompt", out var prompt) || !root.TryGetProperty("completion", out var completion))
            throw Fault(line, "has neither 'text' nor 'ids' nor 'prompt' with 'completion'");
        // Apart, as a model meets them when it answers: no token spans the border.
        int[] before = Tokens(line, "prompt", prompt, Whole);
        int[] after = Tokens(line, "completion", completion, part => tokenizer.Encode(part, special));
        return Item(line, [.. before, .. after], Math.Max(before.Length, 1));
    }

    private int[] Whole(string text) => bare ? tokenizer.Encode(text, special) : tokenizer.EncodeWhole(text, special);

    private static int[] Tokens(int line, string name, JsonElement value, Func<string, int[]> encode) =>
        value.ValueKind == JsonValueKind.String ? encode(value.GetString()!) : Ids(line, name, value);

    private static int[] Ids(int line, string name, JsonElement value)
    {
        if (value.ValueKind != JsonValueKind.Array) throw Fault(line, $"has '{name}' that is neither text nor an array of ids");
        return [.. value.EnumerateArray().Select(item => item.ValueKind == JsonValueKind.Number && item.TryGetInt32(out int id) ? id
            : throw Fault(line, $"has '{name}' with {item.GetRawText()}, which is no token id"))];
    }

    private ScoreItem Item(int line, int[] tokens, int first)
    {
        if (tokens.Length == 0) throw Fault(line, "has no token");
        foreach (int token in tokens)
        {
            if ((uint)token >= (uint)vocabularySize) throw Fault(line, $"has token {token}; the model's are 0 to {vocabularySize - 1}");
        }

        return new ScoreItem(line, tokens, first);
    }

    private static InvalidDataException Fault(int line, string what) => new($"Line {line} {what}.");
}
