using Distill.Architecture;

namespace Distill.Student.Model;

/// <summary>
/// A model that knows more tokens than it did: for a base whose tokenizer lacks what a student is to write, such as <c>&lt;think&gt;</c>.
/// Each text takes an id that the tokenizer holds in reserve; else a row that the embedding has beyond the tokenizer; else a new row.
/// Immutable.
/// </summary>
/// <param name="Weights">Of an architecture with as many rows as there are ids.</param>
/// <param name="Tokenizer">Which knows the texts as added tokens, not special: they stay in decoded text.</param>
/// <param name="Summary">What was done, in a sentence; "" where nothing was to do.</param>
internal sealed record TokenAddition(WeightSet Weights, TokenizerFiles Tokenizer, string Summary)
{
    // Of the deviation of a column: enough that two new tokens differ, too little to look like any old one.
    private const double Noise = 0.1;

    /// <param name="texts">Tokens that are to be known; those that are known already stay as they are.</param>
    /// <param name="seed">Of the rows of new tokens.</param>
    /// <exception cref="InvalidDataException">The tokenizer files cannot be read or do not fit the weights.</exception>
    public static TokenAddition Add(WeightSet weights, TokenizerFiles tokenizer, IReadOnlyList<string> texts, ulong seed)
    {
        var architecture = weights.Architecture;
        tokenizer.RequireFits(TokenizerFiles.TokenizerName, architecture.VocabularySize);
        var edit = new TokenizerEdit(tokenizer);
        int[] used = [.. architecture.EndTokenIds, architecture.BosTokenId ?? -1, architecture.PadTokenId ?? -1];
        var reserved = new Queue<(int Id, string Content)>(edit.Reserved().Where(token => !used.Contains(token.Id)));
        HashSet<int> idle = [.. reserved.Select(token => token.Id)];
        int known = edit.NextId, rows = architecture.VocabularySize;
        var (fresh, done) = (new List<int>(), new List<string>());
        foreach (string text in texts.Distinct().Where(text => edit.AddedId(text) is null)) done.Add(Place(text));
        if (done.Count == 0) return new TokenAddition(weights, tokenizer, "");
        var grown = architecture with { VocabularySize = Math.Max(rows, edit.NextId) };
        var values = ParameterMap.For(architecture).ToDictionary(parameter => parameter.Name, parameter => weights[parameter.Name]);
        foreach (string name in (string[])[
            ParameterMap.Embedding, .. architecture.TieEmbeddings ? [] : (string[])[ParameterMap.OutputProjection]])
            values[name] = Grow(values[name].Span, architecture.HiddenSize, grown.VocabularySize, fresh, IsUsed, seed);
        string size = grown.VocabularySize > rows ? $"; the embedding grew from {rows:N0} to {grown.VocabularySize:N0} rows" : "";
        return new TokenAddition(new WeightSet(grown, values), edit.ToFiles(), $"{string.Join(", ", done)}{size}");

        bool IsUsed(int row) => row < known && !idle.Contains(row);

        string Place(string text)
        {
            // A piece of the vocabulary keeps its id and its row: only text that names it as a whole changes.
            if (tokenizer.FindToken(text) is null && reserved.TryDequeue(out var free))
            {
                edit.Rename(free.Id, text);
                fresh.Add(free.Id);
                return $"{text} takes id {free.Id} of the reserved {free.Content}";
            }

            var (id, isNew) = edit.Append(text);
            if (isNew) fresh.Add(id);
            return !isNew ? $"{text} is its piece {id}, now a token of its own" : id < rows ? $"{text} takes the unused row {id}"
                : $"{text} gets the new row {id}";
        }
    }

    /// <summary>
    /// New rows are the mean of the rows in use plus a little noise: at the head a token whose logit is the mean of all others can never be
    /// the likeliest before it was learned (Hewitt 2021, "Initializing new word embeddings for pretrained language models"). What a
    /// reserved id had for a row was never trained and goes too.
    /// </summary>
    /// <param name="matrix">[rows before, width]</param>
    /// <param name="isUsed">Whether a row counts for the mean.</param>
    /// <returns>[rows, width]</returns>
    private static float[] Grow(ReadOnlySpan<float> matrix, int width, int rows, List<int> fresh, Func<int, bool> isUsed, ulong seed)
    {
        float[] result = new float[rows * width];
        matrix.CopyTo(result);
        double[] sums = new double[width], squares = new double[width];
        int count = 0;
        for (int row = 0; row < matrix.Length / width; row++)
        {
            if (!isUsed(row)) continue;
            count++;
            for (int column = 0; column < width; column++)
            {
                double value = matrix[(row * width) + column];
                sums[column] += value;
                squares[column] += value * value;
            }
        }

        foreach (int row in fresh)
        {
            var normal = new NormalStream(seed + (ulong)row); // by id: what else was added does not matter
            for (int column = 0; column < width; column++)
            {
                double mean = sums[column] / count, deviation = Math.Sqrt(Math.Max(0, (squares[column] / count) - (mean * mean)));
                result[(row * width) + column] = (float)(mean + (Noise * deviation * normal.Next()));
            }
        }

        return result;
    }
}
