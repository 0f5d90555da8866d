using System.Text.Json.Nodes;
using Distill.Generation;
using Distill.Generation.Torch;

namespace Distill.GpuCheck.Parts;

/// <summary>
/// What a model says of sequences by each call that generation makes of it — reading, scoring, stepping several rows, choosing tokens —
/// held against the logits of every position.
/// </summary>
/// <param name="expected">Of each sequence, [tokens, vocab].</param>
/// <param name="allowed">Largest difference of logits, as a share of the largest logit.</param>
internal sealed class SequenceParity(IReadOnlyList<int[]> sequences, IReadOnlyList<float[]> expected, double allowed)
{
    private const int Rows = 4, MostSteps = 32;

    private static readonly TokenQuery s_greedy = new(SamplingOptions.Greedy, 0, default, 0);

    private readonly double largest = expected.Max(logits => logits.Max(Math.Abs));
    private readonly TokenAnswers answers = new();
    private double whole, stepped, scored;
    private int chosen, misread, worse;

    public JsonObject Compare(TorchTokenModel model)
    {
        for (int i = 0; i < sequences.Count; i++) Read(model, i);
        foreach (int[] beside in Enumerable.Range(0, sequences.Count).Chunk(Rows)) Step(model, beside);
        double most = allowed * largest;
        return new JsonObject
        {
            // A logarithm of a softmax moves by no more than twice what the logits do.
            ["passed"] = whole <= most && stepped <= most && scored <= 2 * most && misread == 0 && worse == 0,
            ["largest_logit"] = largest,
            ["largest_difference"] = whole,
            ["largest_difference_stepped"] = stepped,
            ["largest_difference_scored"] = scored,
            ["allowed_share"] = allowed,
            ["tokens_chosen"] = chosen,
            ["tokens_not_the_likeliest"] = misread,
            ["tokens_too_unlikely"] = worse,
        };
    }

    // The whole sequence: logits of every position, and scores of every token but the first.
    private void Read(TorchTokenModel model, int index)
    {
        int[] tokens = sequences[index];
        using var session = Open(model, 1, tokens.Length + 1);
        float[] logits = new float[tokens.Length * model.VocabularySize];
        session.Prefill(0, tokens, logits);
        whole = Larger(whole, logits, expected[index]);

        session.Clear(0);
        double[] scores = new double[tokens.Length - 1];
        session.Score(0, tokens, tokens.AsSpan(1), new FollowingScores(scores, 0, default, default));
        for (int i = 0; i < scores.Length; i++)
        {
            var row = Row(index, i, model.VocabularySize);
            scored = Larger(scored, scores[i] - (row[tokens[i + 1]] - LogSoftmax.Normalizer(row)));
        }
    }

    // Each row reads half of its sequence and goes on token by token beside the others, wherever it is.
    private void Step(TorchTokenModel model, int[] indices)
    {
        int[] at = [.. indices.Select(index => sequences[index].Length / 2)];
        using var session = Open(model, indices.Length, indices.Max(index => sequences[index].Length) + 1);
        float[] logits = new float[indices.Length * model.VocabularySize];
        for (int slot = 0; slot < indices.Length; slot++)
        {
            var first = logits.AsSpan(0, model.VocabularySize);
            session.Prefill(slot, sequences[indices[slot]].AsSpan(0, at[slot]), first);
            session.ChooseFirst(slot, [s_greedy], answers);
            Take(first, Row(indices[slot], at[slot] - 1, model.VocabularySize), answers.Choice(0).Token);
        }

        int steps = Math.Min(MostSteps, indices.Zip(at, (index, read) => sequences[index].Length - read).Min());
        for (int step = 0; step < steps; step++)
        {
            session.Step([.. indices.Zip(at, (index, read) => sequences[index][read + step])], logits);
            session.ChooseNext([.. Enumerable.Repeat(s_greedy, indices.Length)], answers);
            for (int slot = 0; slot < indices.Length; slot++)
            {
                Take(logits.AsSpan(slot * model.VocabularySize, model.VocabularySize),
                    Row(indices[slot], at[slot] + step, model.VocabularySize), answers.Choice(slot).Token);
            }
        }
    }

    private void Take(ReadOnlySpan<float> given, ReadOnlySpan<float> wanted, int token)
    {
        stepped = Larger(stepped, given, wanted);
        chosen++;
        if (given[token] != Greatest(given)) misread++;
        if (!(wanted[token] >= Greatest(wanted) - (2 * allowed * largest))) worse++;
    }

    private ReadOnlySpan<float> Row(int index, int position, int vocabulary) =>
        expected[index].AsSpan(position * vocabulary, vocabulary);

    private static ISamplingSession Open(TorchTokenModel model, int slots, int maxLength) =>
        (ISamplingSession)model.Open(slots, Math.Min(maxLength, model.MaxLength));

    private static float Greatest(ReadOnlySpan<float> row)
    {
        float greatest = row[0];
        foreach (float value in row) greatest = Math.Max(greatest, value);
        return greatest;
    }

    private static double Larger(double difference, ReadOnlySpan<float> one, ReadOnlySpan<float> other)
    {
        for (int i = 0; i < one.Length; i++) difference = Larger(difference, (double)one[i] - other[i]);
        return difference;
    }

    // What is no number is as wrong as can be.
    private static double Larger(double difference, double apart) =>
        double.IsNaN(apart) ? double.MaxValue : Math.Max(difference, Math.Abs(apart));
}
