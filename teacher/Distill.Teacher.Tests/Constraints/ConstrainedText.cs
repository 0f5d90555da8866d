using System.Text.Json;
using Distill.Generation.Constraints;
using Distill.Teacher.Tests.Fixtures;
using Distill.Tokenization;

namespace Distill.Teacher.Tests.Constraints;

/// <summary>Walks texts through constraints, and makes models that say anything.</summary>
internal static class ConstrainedText
{
    public static JsonElement Read(string text) => JsonDocument.Parse(text).RootElement.Clone();

    /// <summary>Whether the tokenizer's own tokens of a text are allowed one after another, and then the end.</summary>
    public static bool Takes(ITokenConstraint constraint, Tokenizer tokenizer, string text, int end) =>
        Takes(constraint, tokenizer.Encode(text), end);

    public static bool Takes(ITokenConstraint constraint, IReadOnlyList<int> tokens, int end)
    {
        var state = constraint.Begin([0], [end]);
        foreach (int token in tokens)
        {
            if (!Has(state.Allowed, token)) return false;
            state.Advance(token);
        }

        return Has(state.Allowed, end);
    }

    public static bool Has(ReadOnlySpan<ulong> allowed, int token) =>
        allowed.IsEmpty || (token >> 6 < allowed.Length && ((allowed[token >> 6] >> token) & 1) != 0);

    public static int[] Ids(ReadOnlySpan<ulong> allowed)
    {
        var ids = new List<int>();
        for (int id = 0; id < allowed.Length * 64; id++)
        {
            if (Has(allowed, id)) ids.Add(id);
        }

        return [.. ids];
    }

    /// <summary>An untrained model: logits by chance, the same for the same sequence. It likes to end things a little.</summary>
    public static ScriptedTokenModel Untrained(Tokenizer tokenizer, int seed, int maxLength)
    {
        float[] liking = new float[tokenizer.VocabularySize];
        for (int id = 0; id < liking.Length; id++)
        {
            string text = tokenizer.TryPieceOf(id, out _) ? tokenizer.Decode([id]) : "";
            if (text.AsSpan().IndexOfAny("\"]}") >= 0) liking[id] = 3;
            if (tokenizer.IsAdded(id)) liking[id] = 6;
        }

        return new ScriptedTokenModel(tokenizer.VocabularySize, maxLength, (sequence, logits) =>
        {
            // FNV-1a: HashCode differs from one process to the next, and so would what the model says.
            uint state = 2166136261 ^ (uint)seed;
            foreach (int token in sequence) state = unchecked((state ^ (uint)token) * 16777619);
            state |= 1;
            for (int id = 0; id < logits.Length; id++)
            {
                state ^= state << 13;
                state ^= state >> 17;
                state ^= state << 5;
                logits[id] = liking[id] + (state % 4096 / 1024f);
            }
        });
    }
}
