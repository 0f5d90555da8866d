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

        // Rows that have ended run along until all have; their tokens are no longer taken, and a full one starts over. A row goes on as
        // far as it would alone, so that the longest prompt does not end the others.
        bool Open(GreedyRow row) => row.Tokens.Count < Most(row.Prompt, model.MaxLength, maxNewTokens)
            && !stopTokens.Contains(row.Tokens[^1]);
        while (rows.Any(Open))
        {
            for (int slot = 0; slot < rows.Count; slot++)
                if (session.Length(slot) == capacity) session.Truncate(slot, 1);
            session.Step([.. rows.Select(row => row.Tokens[^1])], logits);
            for (int slot = 0; slot < rows.Count; slot++)
                if (Open(rows[slot])) Choose(rows[slot], logits.AsSpan(slot * model.VocabularySize, model.VocabularySize));
        }

        return rows;
    }

    /// <summary>Tokens that may follow a prompt: prompt and answer together are no longer than the context.</summary>
    public static int Most(IReadOnlyList<int> prompt, int context, int maxNewTokens) => Math.Min(maxNewTokens, context - prompt.Count);

    private static void Choose(GreedyRow row, ReadOnlySpan<float> logits)
    {
        row.Logits.Add(logits.ToArray());
        row.Tokens.Add(Math.Max(0, TensorPrimitives.IndexOfMax(logits)));
    }
}

/// <summary>A prompt, the tokens the exported model chose after it, and the logits it chose each of them from, [vocab] each.</summary>
internal sealed record GreedyRow(IReadOnlyList<int> Prompt, List<int> Tokens, List<float[]> Logits)
{
    /// <summary>What other runtimes are held against: the tokens, and how near the next best of each were.</summary>
    public DecodedRow ToDecoded() => new(Prompt, Tokens) { Near = [.. Logits.Select((logits, i) => NearTo(logits, Tokens[i]))] };

    private static NearToken[] NearTo(float[] logits, int chosen)
    {
        float[] left = [.. logits];
        var near = new NearToken[Math.Min(NearToken.Kept, logits.Length - 1)];
        float best = left[chosen];
        left[chosen] = float.NegativeInfinity;
        for (int i = 0; i < near.Length; i++)
        {
            int next = Math.Max(0, TensorPrimitives.IndexOfMax<float>(left));
            near[i] = new(next, best - left[next]);
            left[next] = float.NegativeInfinity;
        }

        return near;
    }
}

/// <summary>A token that was nearly chosen.</summary>
/// <param name="Margin">By which its logit is below the chosen token's.</param>
internal readonly record struct NearToken(int Token, float Margin)
{
    /// <summary>Of each step.</summary>
    public const int Kept = 3;
}
