using Distill.Student.Training;

namespace Distill.Student.Autograd;

/// <summary>
/// Segments of like length side by side, the shorter ones padded at their end. Their tokens lie position by position: token p of
/// segment i is row Start + p · Count + i. So a head's queries of all segments are one strided view, and key-value heads are shared by an
/// expanded one.
/// </summary>
/// <param name="Start">First row.</param>
/// <param name="Length">Positions.</param>
/// <param name="Count">Segments.</param>
/// <param name="Prompt">What all segments continue; null: they begin their sequences.</param>
internal sealed record LengthBucket(int Start, int Length, int Count, SharedPrompt? Prompt = null)
{
    public int Rows => Length * Count;

    /// <summary>Tokens before the first position.</summary>
    public int Before => Prompt?.Length ?? 0;

    public int Row(int position, int column) => Start + (position * Count) + column;
}

/// <summary>A prompt that is read once and continued by several segments.</summary>
/// <param name="Bucket">Where it lies.</param>
/// <param name="Column">Its place among the bucket's segments.</param>
/// <param name="Length">Tokens, at most the bucket's.</param>
internal sealed record SharedPrompt(LengthBucket Bucket, int Column, int Length)
{
    public int LastRow => Bucket.Row(Length - 1, Column);
}

/// <summary>
/// Where the tokens of a micro-batch lie: bucket after bucket, prompts before what continues them. Under causal attention nothing that is
/// learned sees the padding behind it, so whole sequences need no mask. A sequence's last token is not read. Immutable.
/// </summary>
internal sealed class LengthBuckets
{
    private readonly TokenBatch batch;
    private readonly List<LengthBucket> buckets = [];
    private readonly List<long> ids = [];
    private readonly Dictionary<TrainingSequence, SharedPrompt> prompts = new(PromptComparer.Instance);

    public LengthBuckets(TokenBatch batch)
    {
        this.batch = batch;
        PredictedFrom = new long[batch.Targets.Length];
        var groups = PromptGroup.Of(batch.Sequences);
        var beginnings = groups.Where(group => group.IsShared).Select(group => new Segment(group.Sequences[0], 0, group.Prompt, -1))
            .Concat(groups.Where(group => !group.IsShared).SelectMany(group => group.Members)
                .Select(member => new Segment(member.Sequence, 0, PromptGroup.Read(member.Sequence), member.Index)));
        Lay(beginnings, PromptGroup.Padding, null);
        foreach (var group in groups.Where(group => group.IsShared))
        {
            var prompt = prompts[group.Sequences[0]];
            foreach (var (_, index) in group.Members) PredictedFrom[batch.SupervisedStarts[index]] = prompt.LastRow;
            Lay(
                group.Members.Select(member => new Segment(
                    member.Sequence, group.Prompt, PromptGroup.Read(member.Sequence) - group.Prompt, member.Index))
                .Where(segment => segment.Length > 0), PromptGroup.ContinuedPadding, prompt);
        }
    }

    public IReadOnlyList<LengthBucket> Buckets => buckets;

    /// <summary>[rows]: the tokens; padding repeats the last one of its segment.</summary>
    public IReadOnlyList<long> Ids => ids;

    /// <summary>
    /// [supervised]: the row whose output predicts each learned token, in the order of the batch; several may be predicted from a shared
    /// prompt's last.
    /// </summary>
    public long[] PredictedFrom { get; }

    // As many neighbours of the descending lengths as the bound on padding allows.
    private void Lay(IEnumerable<Segment> segments, int padding, SharedPrompt? prompt)
    {
        Segment[] ordered = [.. segments.OrderByDescending(segment => segment.Length)];
        for (int first = 0, end; first < ordered.Length; first = end)
        {
            long tokens = 0, length = ordered[first].Length;
            for (end = first; end < ordered.Length; end++)
            {
                tokens += ordered[end].Length;
                if (((length * (end + 1 - first)) - tokens) * padding > length * (end + 1 - first)) break;
            }

            var bucket = new LengthBucket(ids.Count, (int)length, end - first, prompt);
            buckets.Add(bucket);
            for (int position = 0; position < bucket.Length; position++)
                foreach (var segment in ordered.AsSpan(first, bucket.Count))
                    ids.Add(segment.Sequence.Tokens[segment.First + Math.Min(position, segment.Length - 1)]);
            for (int column = 0; column < bucket.Count; column++) Place(ordered[first + column], bucket, column);
        }
    }

    private void Place(Segment segment, LengthBucket bucket, int column)
    {
        if (segment.Index < 0)
        {
            prompts.Add(segment.Sequence, new SharedPrompt(bucket, column, segment.Length));
            return;
        }

        int start = batch.SupervisedStarts[segment.Index], first = segment.Sequence.FirstSupervised;
        for (int position = Math.Max(0, first - 1 - segment.First); position < segment.Length; position++)
            PredictedFrom[start + segment.First + position + 1 - first] = bucket.Row(position, column);
    }

    /// <summary>Tokens First..First + Length − 1 of a sequence.</summary>
    /// <param name="Index">Among the batch's sequences; −1: a prompt of several.</param>
    private sealed record Segment(TrainingSequence Sequence, int First, int Length, int Index);
}
