using System.Numerics.Tensors;
using Distill.Generation;

namespace Distill.Export.Parity;

/// <summary>Greedy decoding through the cache, several ragged rows at a time, that keeps the logits of every step.</summary>
internal static class GreedyDecoding
{
    public static IReadOnlyList<GreedyRow> Run(ITokenModel model, IReadOnlyList<IReadOnlyList<int>> prompts, int maxNewTokens,
        IReadOnlyList<int> stopTokens)
    {
        int capacity = Math.Min(model.MaxLength, prompts.Max(prompt => prompt.Count) + maxNewTokens);
        using var session = model.Open(prompts.Count, capacity);
        var rows = prompts.Select(prompt => new GreedyRow(prompt, [], [])).ToList();
        float[] logits = new float[rows.Count * model.VocabularySize];
        for (int slot = 0; slot < rows.Count; slot++)
        {
            session.Prefill(slot, [.. rows[slot].Prompt], logits.AsSpan(0, model.VocabularySize));
            Choose(rows[slot], logits.AsSpan(0, model.VocabularySize));
        }

        // Rows that have ended run along until all have; their tokens are no longer taken. Every row has room: none is longer than the
        // longest prompt.
        bool Open(GreedyRow row) => row.Tokens.Count < maxNewTokens && !stopTokens.Contains(row.Tokens[^1]);
        while (rows.Any(Open) && Enumerable.Range(0, rows.Count).All(slot => session.Length(slot) < capacity))
        {
            session.Step([.. rows.Select(row => row.Tokens[^1])], logits);
            for (int slot = 0; slot < rows.Count; slot++)
                if (Open(rows[slot])) Choose(rows[slot], logits.AsSpan(slot * model.VocabularySize, model.VocabularySize));
        }

        return rows;
    }

    private static void Choose(GreedyRow row, ReadOnlySpan<float> logits)
    {
        row.Logits.Add(logits.ToArray());
        row.Tokens.Add(Math.Max(0, TensorPrimitives.IndexOfMax(logits)));
    }
}

/// <summary>A prompt, the tokens the exported model chose after it, and the logits it chose each of them from, [vocab] each.</summary>
internal sealed record GreedyRow(IReadOnlyList<int> Prompt, List<int> Tokens, List<float[]> Logits);
