using Distill.Generation;

namespace Distill.Export.Parity;

/// <summary>
/// An export against itself: what it says of a row does not depend on whether the row was read whole or through the cache, alone or
/// beside others.
/// </summary>
internal static class DecodingPaths
{
    // Held at once, beside those that were kept of decoding.
    private const long MostLogits = 256L << 20;

    /// <param name="rows">Decoded together, through the cache.</param>
    /// <param name="count">Of them to look at.</param>
    /// <returns>Largest differences of logits: from the row read whole, and from the row decoded alone.</returns>
    public static (double Cache, double Batch) Compare(
        ITokenModel model, IReadOnlyList<GreedyRow> rows, int count, IReadOnlyList<int> stopTokens)
    {
        double cache = 0, batch = 0;
        foreach (var row in rows.Take(count))
        {
            cache = Larger(cache, FromWhole(model, row));
            batch = Larger(batch, FromAlone(model, row, stopTokens));
        }

        return (cache, batch);
    }

    private static double FromWhole(ITokenModel model, GreedyRow row)
    {
        int vocabulary = model.VocabularySize;
        int[] ids = [.. row.Prompt, .. row.Tokens[..^1]];
        // Of a prompt that is too long for all of its logits, what the answer hangs on alone.
        int before = (long)ids.Length * vocabulary <= MostLogits ? 0 : row.Prompt.Count - 1;
        float[] whole = new float[(ids.Length - before) * vocabulary]; // [time − before, vocab]
        using (var session = model.Open(1, Math.Max(2, ids.Length)))
        {
            if (before > 0) session.Prefill(0, ids.AsSpan(0, before), whole.AsSpan(0, vocabulary));
            session.Prefill(0, ids.AsSpan(before), whole);
        }

        int first = row.Prompt.Count - 1 - before;
        double largest = 0;
        for (int i = 0; i < row.Tokens.Count; i++)
            largest = Larger(largest, Difference(row.Logits[i], whole.AsSpan((first + i) * vocabulary, vocabulary)));
        return largest;
    }

    // Where a rounded model chooses another token alone, what follows is another text.
    private static double FromAlone(ITokenModel model, GreedyRow row, IReadOnlyList<int> stopTokens)
    {
        var alone = GreedyDecoding.Run(model, [row.Prompt], row.Tokens.Count, stopTokens)[0];
        double largest = 0;
        for (int i = 0; i < Math.Min(row.Tokens.Count, alone.Tokens.Count); i++)
        {
            largest = Larger(largest, Difference(row.Logits[i], alone.Logits[i]));
            if (row.Tokens[i] != alone.Tokens[i]) break;
        }

        return largest;
    }

    private static double Difference(ReadOnlySpan<float> one, ReadOnlySpan<float> other)
    {
        double largest = 0;
        for (int i = 0; i < one.Length; i++) largest = Larger(largest, Math.Abs((double)one[i] - other[i]));
        return largest;
    }

    private static double Larger(double largest, double next) => double.IsFinite(next) ? Math.Max(largest, next) : double.MaxValue;
}
