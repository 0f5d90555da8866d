using Distill.Data.Problems;
using Distill.Storage;

namespace Distill.Data.Sources.Selection;

/// <summary>
/// Leaves out what is asked twice, and of what is left keeps the splits apart. Held-out problems come first, in the order test,
/// validation, so that it is always the training problem that goes.
/// </summary>
internal sealed class PoolSeparation(
    IReadOnlyList<PooledProblem> read, PoolOptions options, Action<PooledProblem, string, string> drop)
{
    private const int Training = 3;

    public List<PooledProblem> Separate(CancellationToken cancellation)
    {
        // Kept-away sources hold against every split; a stable order keeps the sources' own.
        int[] order = [.. Enumerable.Range(0, read.Count).OrderBy(i => Rank(read[i]))];
        var left = new bool[read.Count];
        foreach (int i in Distinct(order)) left[i] = true;
        if (options.NearDuplicates < 1) LeaveOutNear(order, left, cancellation);
        if (options.SharedWords > 0) LeaveOutShared(order, left, cancellation);
        return [.. Enumerable.Range(0, read.Count).Where(i => left[i] && !read[i].IsKeptAway).Select(i => read[i])];
    }

    private static int Rank(PooledProblem item) => item.IsKeptAway ? 0 : item.Split switch
    {
        Split.Test => 1,
        Split.Validation => 2,
        _ => Training,
    };

    private List<int> Distinct(int[] order)
    {
        var first = new Dictionary<string, int>(StringComparer.Ordinal);
        var distinct = new List<int>(order.Length);
        foreach (int i in order)
        {
            if (first.TryAdd(read[i].Problem.Signature, i)) distinct.Add(i);
            else if (!read[i].IsKeptAway) DropEqual(read[i], read[first[read[i].Problem.Signature]]);
        }

        return distinct;
    }

    private void DropEqual(PooledProblem item, PooledProblem other)
    {
        if (Rank(other) < Rank(item))
        {
            drop(item, DropReason.HeldOut, $"the question is that of {other.Place} ({Where(other)})");
            return;
        }

        bool agrees = SameAnswer(item, other);
        drop(item, DropReason.Duplicate, $"the question is that of {other.Place}"
            + (agrees ? "" : $", with another answer ({Printable.Quote(other.Problem.ReferenceAnswer)})"));
    }

    // Within a split, what says nearly the same and has another answer asks something else: numbers change little in a long text.
    private void LeaveOutNear(int[] order, bool[] left, CancellationToken cancellation)
    {
        var near = new NearDuplicates(options.NearDuplicates, read.Count, i => read[i].Problem.Text);
        for (int k = 0; k < order.Length; k++)
        {
            int i = order[k];
            if (k % 1024 == 0) cancellation.ThrowIfCancellationRequested();
            if (!left[i]) continue;
            var item = read[i];
            var found = near.Find(item.Problem.Text, other => Rank(read[other]) < Rank(item) || SameAnswer(item, read[other]));
            if (item.IsKeptAway || found is not { } twin)
            {
                near.AddLast(i, isHeldOut: Rank(item) < Training);
                continue;
            }

            var like = read[twin.Number];
            bool isHeldOut = Rank(like) < Rank(item);
            left[i] = false;
            drop(item, isHeldOut ? DropReason.HeldOut : DropReason.NearDuplicate,
                $"{twin.Similarity:P0} like {like.Place}" + (isHeldOut ? $" ({Where(like)})" : ""));
        }
    }

    private void LeaveOutShared(int[] order, bool[] left, CancellationToken cancellation)
    {
        // Each rank is held against those before it: test against what is kept away, validation against test too, training against all.
        for (int rank = 1; rank <= Training; rank++)
        {
            int[] present = [.. order.Where(i => left[i])];
            int first = Array.FindIndex(present, i => Rank(read[i]) >= rank);
            if (first <= 0) continue;
            var held = new SharedPhrases(options.SharedWords);
            foreach (int i in present[..first]) held.Hold(read[i].Problem.Text, i);
            // Later ranks say too what is phrasing: a few held-out questions alone would not tell.
            foreach (int i in present[first..]) held.Count(read[i].Problem.Text);
            foreach (int i in present[first..].TakeWhile(i => Rank(read[i]) == rank))
            {
                cancellation.ThrowIfCancellationRequested();
                if (held.Find(read[i].Problem.Text) is not { } other) continue;
                left[i] = false;
                drop(read[i], DropReason.SharedPhrase,
                    $"{options.SharedWords} words in a row are those of {read[other].Place} ({Where(read[other])})");
            }
        }
    }

    private static bool SameAnswer(PooledProblem one, PooledProblem other) =>
        ProblemText.Normalized(one.Problem.ReferenceAnswer) == ProblemText.Normalized(other.Problem.ReferenceAnswer);

    private static string Where(PooledProblem item) =>
        item.IsKeptAway ? "kept away" : $"{SplitRule.Word(item.Split)}";
}
