using Distill.Tokenization.Models;

namespace Distill.Export.Gguf;

/// <summary>
/// Scores for llama.cpp's SentencePiece model, which has no list of merges: it joins whatever two pieces make a token, the highest score
/// first, the leftmost of equal ones. That does what ranked merges do only where every pair that makes a token is listed, and
/// the pairs of one token stand together; published tokenizers that were converted from SentencePiece are so.
/// </summary>
internal static class MergeScores
{
    /// <returns>By id: minus the rank of the first merge that makes a token; for others less than all.</returns>
    /// <exception cref="InvalidDataException">Scores cannot say what the merges say; gives the first pair that shows it.</exception>
    public static float[] Of(BytePairModel model, int rows)
    {
        float[] scores = new float[rows];
        int[] first = new int[rows], last = new int[rows];
        Array.Fill(first, -1);
        var pairs = model.Merges.Pairs;
        for (int rank = 0; rank < pairs.Count; rank++)
        {
            model.Vocabulary.TryIdOf(pairs[rank].Left + pairs[rank].Right, out int id);
            if (first[id] < 0) first[id] = rank;
            last[id] = rank;
        }

        RequireTogether(model, first, last);
        RequireComplete(model);
        int order = 0;
        foreach (int id in Enumerable.Range(0, rows).Where(id => first[id] >= 0).OrderBy(id => first[id])) scores[id] = -++order;
        for (int id = 0; id < rows; id++)
            if (first[id] < 0) scores[id] = -(order + 1);
        return scores;
    }

    // Ranks of two tokens that interleave would need two scores for one of them.
    private static void RequireTogether(BytePairModel model, int[] first, int[] last)
    {
        int end = -1;
        foreach (int id in Enumerable.Range(0, first.Length).Where(id => first[id] >= 0).OrderBy(id => first[id]))
        {
            if (first[id] < end)
                throw new InvalidDataException(
                    $"the merges that make '{model.Vocabulary.PieceOf(id)}' stand between those of another token, and llama.cpp ranks "
                    + "tokens, not merges");
            end = last[id];
        }
    }

    private static void RequireComplete(BytePairModel model)
    {
        foreach (var (id, piece) in model.Vocabulary.ById().Where(token => !IsByte(token.Piece)))
        {
            for (int cut = 1; cut < piece.Length; cut++)
            {
                if (char.IsLowSurrogate(piece[cut])) continue;
                if (!model.Vocabulary.TryIdOf(piece.AsSpan(0, cut), out int left)) continue;
                if (!model.Vocabulary.TryIdOf(piece.AsSpan(cut), out int right) || model.Merges.TryGet(left, right, out _)) continue;
                throw new InvalidDataException(
                    $"'{piece[..cut]}' and '{piece[cut..]}' make token {id} in llama.cpp, and no merge of this tokenizer joins them");
            }
        }
    }

    private static bool IsByte(string piece) => piece.StartsWith("<0x", StringComparison.Ordinal);
}
