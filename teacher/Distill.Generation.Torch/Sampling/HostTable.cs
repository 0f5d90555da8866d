using System.Runtime.InteropServices;
using static TorchSharp.torch;

namespace Distill.Generation.Torch.Sampling;

/// <summary>
/// The one way back from a device: a small table, copied to the host, which waits for everything that was asked of the device. Logits come
/// this way only for callers that ask for them.
/// </summary>
internal sealed class HostTable
{
    private readonly double[] values;
    private readonly int columns;

    /// <param name="table">[rows, columns] float64, on any device.</param>
    public HostTable(Tensor table)
    {
        columns = (int)table.shape[1];
        using var scope = NewDisposeScope();
        values = MemoryMarshal.Cast<byte, double>(table.cpu().contiguous().bytes).ToArray();
    }

    /// <summary>Values of any floating-point type and number, as fp32. NaN and infinity stay what they are.</summary>
    public static void Copy(Tensor values, Span<float> target)
    {
        using var scope = NewDisposeScope();
        MemoryMarshal.Cast<byte, float>(values.to(ScalarType.Float32).cpu().contiguous().bytes).CopyTo(target);
    }

    public ReadOnlySpan<double> Row(int row) => values.AsSpan(row * columns, columns);

    /// <summary>Has tokens chosen where the logits are, by all of the vocabulary if fewer tokens turn out not to be enough.</summary>
    /// <param name="logits">[queries, vocab]</param>
    public static void Choose(Tensor logits, ReadOnlySpan<TokenQuery> queries, TokenAnswers answers)
    {
        using var scope = NewDisposeScope();
        var table = new HostTable(TokenKernels.Choose(logits, queries));
        if (!table.IsSure(queries.Length)) table = new HostTable(TokenKernels.Choose(logits, queries, exhaustive: true));
        table.CopyTo(answers, queries.Length);
    }

    private bool IsSure(int rows)
    {
        for (int row = 0; row < rows; row++)
        {
            if (Row(row)[0] != 0) return false;
        }

        return true;
    }

    private void CopyTo(TokenAnswers answers, int rows)
    {
        int top = (columns - TokenKernels.ChoiceColumns) / 3;
        answers.Resize(rows, top);
        for (int row = 0; row < rows; row++)
        {
            ReadOnlySpan<double> from = Row(row);
            answers.Set(row, (float)from[1], new TokenChoice((int)from[2], (float)from[3], (float)from[4], (float)from[5]));
            ReadOnlySpan<double> alternatives = from[TokenKernels.ChoiceColumns..];
            for (int rank = 0; rank < top; rank++)
            {
                answers.SetTop(
                    row, rank, (int)alternatives[rank], (float)alternatives[top + rank], (float)alternatives[(2 * top) + rank]);
            }
        }
    }

    /// <summary>Takes the table that <see cref="TokenKernels.Score"/> gave, one row for each of <paramref name="count"/> tokens.</summary>
    /// <param name="first">Token of the first row among those that the scores are for.</param>
    /// <exception cref="InvalidDataException">The logits are not finite.</exception>
    public void CopyTo(in FollowingScores scores, int first, int count)
    {
        int top = scores.Top;
        for (int row = 0; row < count; row++)
        {
            ReadOnlySpan<double> from = Row(row);
            if (!double.IsFinite(from[0])) throw LogSoftmax.NotFinite((float)from[0]);
            scores.LogProbabilities.Span[first + row] = from[1];
            int place = (first + row) * top;
            for (int rank = 0; rank < top; rank++)
            {
                scores.TopIds.Span[place + rank] = (int)from[TokenKernels.ScoreColumns + rank];
                scores.TopValues.Span[place + rank] = (float)from[TokenKernels.ScoreColumns + top + rank];
            }
        }
    }
}
