namespace Distill.Generation;

/// <summary>A request being served: its prompt is in the cache of at least one slot as long as any of its rows lives.</summary>
internal sealed class PromptState
{
    // A prompt is read in parts of fixed ends, so that what a model computes for it does not depend on how busy the batch is.
    private const int LongestPart = 512;

    private readonly int[] ends; // of the parts, ascending; the last is the prompt's length
    private int nextSeed;
    private int nextPart;
    private float[]? logits;

    public PromptState(RequestTicket ticket, int vocabularySize, int maxLength)
    {
        Ticket = ticket;
        Prompt = [.. ticket.Request.Prompt];
        VocabularySize = vocabularySize;
        Limit = Math.Min(Request.MaxNewTokens, maxLength - Prompt.Length);
        // The last token is always read: its logits are where the completions start.
        Shared = Request.ScorePrompt ? 0 : Math.Min(Request.SharedPrefix, Prompt.Length - 1);
        Scores = Request.ScorePrompt ? new SequenceScoring(Prompt, Request.TopLogProbabilities, vocabularySize) : null;
        ends = Ends(Request.ScorePrompt ? SequenceScoring.PartLength(vocabularySize) : LongestPart);
    }

    public RequestTicket Ticket { get; }

    public GenerationRequest Request => Ticket.Request;

    public int VocabularySize { get; }

    /// <summary>Logits after the prompt, [vocab]: where every seed starts, unless the session keeps them.</summary>
    public float[] Logits => logits ??= new float[VocabularySize];

    public int[] Prompt { get; }

    /// <summary>Tokens at the prompt's start that another request's cache may provide.</summary>
    public int Shared { get; }

    public SequenceScoring? Scores { get; }

    /// <summary>New tokens that the request and the model's length allow. Not the session's: results must not depend on that.</summary>
    public int Limit { get; }

    public bool HasSeeds => nextSeed < Request.Seeds.Count;

    public bool IsRead => nextPart == ends.Length;

    /// <summary>Read in one run, whatever else there is to do.</summary>
    public bool IsOnePart => ends.Length == 1;

    public GenerationRow NextRow() => new(this, nextSeed++);

    /// <summary>Whether this prompt's cache begins with the other's shared tokens, read in the same parts.</summary>
    public bool HasPrefixOf(PromptState other) =>
        Shared == other.Shared && Prompt.AsSpan(0, other.Shared).SequenceEqual(other.Prompt.AsSpan(0, other.Shared));

    /// <summary>The slot's cache holds the shared tokens already.</summary>
    public void SkipShared() => nextPart = Array.IndexOf(ends, Shared) + 1;

    /// <summary>Reads the next part into a slot that holds those before it; gives its number of tokens.</summary>
    public int ReadPart(IDecodeSession session, int slot)
    {
        int start = nextPart == 0 ? 0 : ends[nextPart - 1];
        int length = ends[nextPart] - start;
        if (session is ISamplingSession beside) ReadBeside(beside, slot, start, length);
        else if (Scores is null) session.Prefill(slot, Prompt.AsSpan(start, length), Logits);
        else Scores.Read(session, slot, start, length).CopyTo(Logits);
        nextPart++;
        return length;
    }

    private void ReadBeside(ISamplingSession session, int slot, int start, int length)
    {
        if (Scores is null) session.Prefill(slot, Prompt.AsSpan(start, length));
        else Scores.Read(session, slot, start, length);
    }

    /// <summary>A prompt of one part has been read with others.</summary>
    /// <param name="logits">After the prompt, [vocab].</param>
    public void TakeRead(ReadOnlySpan<float> logits)
    {
        logits.CopyTo(Logits);
        nextPart++;
    }

    private int[] Ends(int longest)
    {
        var list = new List<int>();
        if (Shared > 0) Cut(0, Shared);
        Cut(Shared, Prompt.Length);
        return [.. list];

        void Cut(int start, int end)
        {
            for (int at = start; at < end; at = list[^1]) list.Add(Math.Min(at + longest, end));
        }
    }
}
