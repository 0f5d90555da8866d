namespace Distill.Generation;

/// <summary>
/// Short prompts read in one run: products of a few rows wait for weights, and a run over several prompts waits once. Padding a prompt to
/// the longest of them changes none of its bits.
/// </summary>
internal sealed class JointReading
{
    // A run of its own costs a prompt about as much as 13 (one thread) to 28 (two) more tokens, as measured; more padding would not pay.
    private const int MostPadding = 12;

    private readonly IPromptSession session;
    private readonly int vocabularySize;
    private float[] logits = []; // [prompts, vocab]

    private JointReading(IPromptSession session, int vocabularySize)
    {
        this.session = session;
        this.vocabularySize = vocabularySize;
    }

    /// <returns>Null for a session that reads every prompt by itself.</returns>
    public static JointReading? Of(IDecodeSession session, int vocabularySize) =>
        session is IPromptSession { MostJointPlaces: > 0, Slots: > 1 } joint ? new JointReading(joint, vocabularySize) : null;

    /// <summary>Whether a prompt may be read with others: from its start, in one part, for one completion, unscored.</summary>
    public bool Takes(PromptState prompt) =>
        prompt is { Scores: null, Shared: 0, IsOnePart: true, Request.Seeds.Count: 1 } && session.CanJoin(prompt.Prompt.Length);

    /// <summary>Prompts that one run may read at most, whatever the length of those that come.</summary>
    /// <param name="most">By the slots that are free.</param>
    /// <param name="budget">Tokens at most.</param>
    public int Room(PromptState first, int most, int budget)
    {
        int length = first.Prompt.Length, others = Math.Max(0, budget - length) / Math.Max(1, length - MostPadding);
        return Math.Min(Math.Min(most, session.MostJointPlaces / length), 1 + others);
    }

    /// <summary>Takes out of the waiting prompts those to read together with a first one, nearest in length first.</summary>
    /// <param name="waiting">In the order in which they came; those not chosen stay so.</param>
    /// <param name="most">Prompts at most, the first included.</param>
    /// <param name="budget">Tokens at most.</param>
    /// <returns>The first, and those chosen.</returns>
    public List<PromptState> Choose(PromptState first, List<PromptState> waiting, int most, int budget)
    {
        List<PromptState> chosen = [first];
        int longest = first.Prompt.Length, tokens = longest;
        foreach (PromptState next in waiting.Where(Takes).OrderBy(prompt => Math.Abs(prompt.Prompt.Length - first.Prompt.Length)))
        {
            int width = Math.Max(longest, next.Prompt.Length), places = (chosen.Count + 1) * width;
            int padding = places - (chosen.Count * longest) - next.Prompt.Length;
            if (chosen.Count == most || tokens + next.Prompt.Length > budget || padding > MostPadding || places > session.MostJointPlaces)
                break;
            chosen.Add(next);
            (longest, tokens) = (width, tokens + next.Prompt.Length);
        }

        waiting.RemoveAll(chosen.Contains);
        return chosen;
    }

    /// <summary>Reads prompts into empty slots from <paramref name="slot"/> on.</summary>
    /// <returns>Tokens read.</returns>
    public int Read(int slot, List<PromptState> prompts)
    {
        int size = prompts.Count * vocabularySize;
        if (logits.Length < size) logits = new float[size];
        Span<float> rows = logits.AsSpan(0, size);
        session.Prefill(slot, [.. prompts.Select(prompt => prompt.Prompt)], rows);
        for (int i = 0; i < prompts.Count; i++) prompts[i].TakeRead(rows.Slice(i * vocabularySize, vocabularySize));
        return prompts.Sum(prompt => prompt.Prompt.Length);
    }
}
