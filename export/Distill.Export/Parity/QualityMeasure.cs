using System.Numerics.Tensors;
using Distill.Evaluation.Statistics;
using Distill.Generation;

namespace Distill.Export.Parity;

/// <summary>
/// Measures what rounding a model's weights costs: perplexity, divergence and agreement of the most probable token, at every measured
/// position given the same tokens before it. Collects text by text; one thread at a time.
/// </summary>
internal sealed class QualityMeasure
{
    private const int Resamples = 1000, Block = 1024;
    private const ulong ResamplingSeed = 16;

    private readonly List<double> divergences = [];
    private readonly List<(int? Group, TextLoss Loss)> texts = [];
    private long agreements;
    private bool broken; // some logit of the form was no number

    /// <param name="reference">The model that the form was made from.</param>
    /// <param name="form">What is measured.</param>
    /// <param name="texts">None longer than either reads.</param>
    /// <param name="progress">Told the share done, from 0 to 1.</param>
    /// <exception cref="InvalidDataException">The vocabularies differ, or the reference's logits are not finite.</exception>
    /// <exception cref="OperationCanceledException">Between two texts.</exception>
    public static QualityReport Run(
        IReferenceModel reference, ITokenModel form, IReadOnlyList<MeasuredText> texts, Action<double>? progress = null,
        CancellationToken cancellation = default)
    {
        var measure = new QualityMeasure();
        for (int i = 0; i < texts.Count; i++)
        {
            cancellation.ThrowIfCancellationRequested();
            measure.Read(reference, form, texts[i]);
            progress?.Invoke((i + 1.0) / texts.Count);
        }

        return measure.Report();
    }

    /// <summary>Runs both models over a text.</summary>
    public void Read(IReferenceModel reference, ITokenModel form, MeasuredText text)
    {
        int vocabulary = form.VocabularySize;
        if (reference.VocabularySize != vocabulary)
            throw new InvalidDataException($"The model has {reference.VocabularySize} tokens and the form of it {vocabulary}.");
        int[] ids = [.. text.Tokens];
        int first = text.First - 1; // nothing is measured before it
        float[] expected = new float[checked((ids.Length - first) * vocabulary)]; // [time − first, vocab]
        reference.Logits(ids, expected);
        int part = SequenceScoring.PartLength(vocabulary);
        float[] given = new float[Math.Min(part, ids.Length) * vocabulary];
        using var session = form.Open(1, Math.Max(2, ids.Length));
        var loss = default(TextLoss);
        for (int start = 0; start < ids.Length - 1; start += part)
        {
            int length = Math.Min(part, ids.Length - start);
            session.Prefill(0, ids.AsSpan(start, length), given.AsSpan(0, length * vocabulary));
            for (int position = Math.Max(start, first); position < Math.Min(start + length, ids.Length - 1); position++)
            {
                loss += Compare(
                    given.AsSpan((position - start) * vocabulary, vocabulary), expected.AsSpan((position - first) * vocabulary, vocabulary),
                    ids[position + 1]);
            }
        }

        texts.Add((text.Group, loss));
    }

    /// <summary>Adds a text whose logits are at hand.</summary>
    /// <param name="given">Of the form, [tokens, vocab]: row i is what it expects at the place of token i.</param>
    /// <param name="expected">The same of the model.</param>
    public void Add(ReadOnlySpan<int> tokens, ReadOnlySpan<float> given, ReadOnlySpan<float> expected)
    {
        int vocabulary = given.Length / tokens.Length;
        var loss = default(TextLoss);
        for (int i = 0; i < tokens.Length; i++)
            loss += Compare(given.Slice(i * vocabulary, vocabulary), expected.Slice(i * vocabulary, vocabulary), tokens[i]);
        texts.Add((null, loss));
    }

    /// <exception cref="InvalidOperationException">Nothing was measured.</exception>
    public QualityReport Report()
    {
        long tokens = divergences.Count;
        if (tokens == 0) throw new InvalidOperationException("No token was measured.");
        double reference = texts.Sum(text => text.Loss.Expected) / tokens, form = texts.Sum(text => text.Loss.Given) / tokens;
        TextLoss[] groups = [.. texts.Select((text, i) => (Key: text.Group ?? -1 - i, text.Loss)).GroupBy(text => text.Key)
            .Select(group => group.Aggregate(default(TextLoss), (sum, text) => sum + text.Loss))];
        double[] sorted = [.. divergences.Order()];
        double ratio = Finite(Math.Exp(form - reference));
        return new QualityReport(
            texts.Count, tokens, Finite(Math.Exp(form)), Finite(Math.Exp(reference)), ratio,
            groups.Length == 1 || broken ? new Interval(ratio, ratio) : Interval(groups),
            Finite(sorted.Average()), Finite(sorted[(int)Math.Min(sorted.Length - 1, Math.Ceiling(0.99 * sorted.Length) - 1)]),
            (double)agreements / tokens);
    }

    // JSON has no infinity, and whoever asks why a model was refused reads the figures.
    private double Finite(double value) => broken || !double.IsFinite(value) ? double.MaxValue : value;

    private TextLoss Compare(ReadOnlySpan<float> given, ReadOnlySpan<float> expected, int token)
    {
        double model = LogSoftmax.Normalizer(expected);
        if (!float.IsFinite(TensorPrimitives.SumOfMagnitudes(given)))
        {
            broken = true;
            divergences.Add(double.MaxValue);
            return new TextLoss(1, 0, model - expected[token]);
        }

        double form = LogSoftmax.Normalizer(given);
        divergences.Add(Math.Max(0, Divergence(expected, model, given, form))); // below 0 by rounding alone
        if (TensorPrimitives.IndexOfMax(given) == TensorPrimitives.IndexOfMax(expected)) agreements++;
        return new TextLoss(1, form - given[token], model - expected[token]);
    }

    // Σ p·(log p − log q), in double: in float the sum over a large vocabulary loses the digits that a small divergence has.
    private static double Divergence(ReadOnlySpan<float> expected, double model, ReadOnlySpan<float> given, double form)
    {
        Span<double> p = stackalloc double[Block], gap = stackalloc double[Block];
        double total = 0;
        for (int start = 0; start < expected.Length; start += Block)
        {
            int length = Math.Min(Block, expected.Length - start);
            Span<double> logs = p[..length], gaps = gap[..length];
            TensorPrimitives.ConvertTruncating(expected.Slice(start, length), logs);
            TensorPrimitives.ConvertTruncating(given.Slice(start, length), gaps);
            TensorPrimitives.Subtract(logs, model, logs);
            TensorPrimitives.Subtract(gaps, form, gaps);
            TensorPrimitives.Subtract<double>(logs, gaps, gaps);
            TensorPrimitives.Exp<double>(logs, logs);
            total += TensorPrimitives.Dot<double>(logs, gaps);
        }

        return total;
    }

    // Percentile interval over resampled groups (Efron 1979): tokens of one text, and texts of one problem, are not independent of each
    // other.
    private Interval Interval(TextLoss[] groups)
    {
        var random = new RandomStream(ResamplingSeed);
        double[] ratios = new double[Resamples];
        for (int sample = 0; sample < Resamples; sample++)
        {
            var sum = default(TextLoss);
            for (int i = 0; i < groups.Length; i++) sum += groups[(int)(random.NextDouble() * groups.Length)];
            ratios[sample] = Finite(Math.Exp((sum.Given - sum.Expected) / Math.Max(1, sum.Tokens)));
        }

        Array.Sort(ratios);
        return new Interval(ratios[(int)(0.025 * Resamples)], ratios[(int)(0.975 * Resamples) - 1]);
    }

    /// <param name="Given">Sum of −log p of the tokens under the form.</param>
    /// <param name="Expected">The same under the model.</param>
    private readonly record struct TextLoss(long Tokens, double Given, double Expected)
    {
        public static TextLoss operator +(TextLoss a, TextLoss b) =>
            new(a.Tokens + b.Tokens, a.Given + b.Given, a.Expected + b.Expected);
    }
}
