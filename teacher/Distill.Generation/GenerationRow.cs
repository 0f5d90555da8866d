namespace Distill.Generation;

/// <summary>One completion in the making.</summary>
internal sealed class GenerationRow
{
    private readonly int seedIndex;
    private readonly SamplingOptions sampling;
    private readonly float[] logProbabilities;
    private readonly int[] tokens; // [prompt + limit]: the sampler's history in one span
    private RandomStream random;
    private int count;

    public GenerationRow(PromptState prompt, int seedIndex)
    {
        Prompt = prompt;
        this.seedIndex = seedIndex;
        sampling = prompt.Request.SamplingOf(seedIndex);
        random = new RandomStream(prompt.Request.Seeds[seedIndex]);
        tokens = new int[prompt.Prompt.Length + prompt.Limit];
        prompt.Prompt.CopyTo(tokens, 0);
        logProbabilities = new float[prompt.Limit];
    }

    public PromptState Prompt { get; }

    public int LastToken => tokens[Prompt.Prompt.Length + count - 1];

    /// <summary>Samples the next token; the completion when that ended it.</summary>
    public Completion? Advance(ReadOnlySpan<float> logits, Sampler sampler)
    {
        int length = Prompt.Prompt.Length + count;
        TokenChoice choice = sampler.Choose(logits, sampling, tokens.AsSpan(0, length), ref random);
        tokens[length] = choice.Token;
        logProbabilities[count++] = choice.LogProbability;
        foreach (int stop in Prompt.Request.StopTokens)
        {
            if (choice.Token == stop) return Finish(StopReason.StopToken);
        }

        return count == Prompt.Limit ? Finish(StopReason.Length) : null;
    }

    public void HandOver(RequestQueue queue, Completion completion) => queue.Complete(Prompt.Index, seedIndex, completion);

    private Completion Finish(StopReason reason) => new(
        tokens[Prompt.Prompt.Length..(Prompt.Prompt.Length + count)],
        logProbabilities.AsSpan(0, count).ToArray(),
        reason,
        Prompt.Request.Seeds[seedIndex]);
}
