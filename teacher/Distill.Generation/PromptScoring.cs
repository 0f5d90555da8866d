namespace Distill.Generation;

/// <summary>Log-probabilities of a prompt's own tokens, gathered part by part while it is read.</summary>
internal sealed class PromptScoring
{
    private readonly int[] prompt;
    private readonly int vocabularySize;
    private readonly float[] logProbabilities; // [prompt − 1]
    private readonly int top;
    private readonly int[] topIds;     // [(prompt − 1) × top]
    private readonly float[] topValues; // [(prompt − 1) × top]
    private float[] logits = [];

    public PromptScoring(int[] prompt, int top, int vocabularySize)
    {
        this.prompt = prompt;
        this.vocabularySize = vocabularySize;
        this.top = Math.Min(top, vocabularySize);
        logProbabilities = new float[prompt.Length - 1];
        topIds = new int[logProbabilities.Length * this.top];
        topValues = new float[topIds.Length];
    }

    /// <summary>Scratch space for one part's logits.</summary>
    public Span<float> Logits(int length)
    {
        if (logits.Length < length) logits = new float[length];
        return logits.AsSpan(0, length);
    }

    /// <param name="start">Position of the first row.</param>
    /// <param name="rows">[tokens, vocab]: row i speaks of token start + i + 1.</param>
    public void Add(int start, ReadOnlySpan<float> rows, Sampler sampler)
    {
        for (int position = start; (position - start) * vocabularySize < rows.Length && position < logProbabilities.Length; position++)
        {
            ReadOnlySpan<float> row = rows.Slice((position - start) * vocabularySize, vocabularySize);
            logProbabilities[position] = sampler.Score(row, prompt[position + 1]);
            int at = position * top;
            sampler.CopyTop(row, null, topIds.AsSpan(at, top), topValues.AsSpan(at, top), []);
        }
    }

    public PromptScores ToScores() => new(logProbabilities, top == 0 ? null : new TopLogProbabilities(top, topIds, topValues, []));
}
