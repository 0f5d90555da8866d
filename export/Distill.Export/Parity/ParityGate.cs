using Distill.Generation;

namespace Distill.Export.Parity;

/// <summary>
/// Holds an exported model against the one it was made from: logits at every position of given sequences, and greedy tokens decoded through
/// the exported model's cache. The reference reads each decoded sequence whole, so every choice is checked given the tokens before it:
/// the runs are equal exactly when no choice differs.
/// </summary>
public sealed class ParityGate
{
    // Logits kept while a batch is decoded; large vocabularies decode fewer prompts together.
    private const long MaxLogitsKept = 64L << 20;

    // Two logits of one runtime that are nearer than this share of the largest are a tie between runtimes.
    private const double MostTie = 0.005;

    // Rows that are decoded a second time alone, and read whole.
    private const int RowsAgainstThemselves = 3;

    private readonly IReferenceModel reference;
    private readonly ITokenModel exported;
    private readonly IReadOnlyList<IExportedRuntime> runtimes;
    private readonly List<DecodedRow> decoded = [];

    /// <exception cref="InvalidDataException">The vocabularies differ: these are not the same model.</exception>
    public ParityGate(IReferenceModel reference, ITokenModel exported)
        : this(reference, exported, [])
    {
    }

    /// <param name="runtimes">Others that decode the same prompts; they stay the caller's.</param>
    /// <inheritdoc cref="ParityGate(IReferenceModel, ITokenModel)"/>
    internal ParityGate(IReferenceModel reference, ITokenModel exported, IReadOnlyList<IExportedRuntime> runtimes)
    {
        this.runtimes = runtimes;
        if (reference.VocabularySize != exported.VocabularySize)
            throw new InvalidDataException(
                $"The exported model has {exported.VocabularySize} tokens and the reference {reference.VocabularySize}.");
        this.reference = reference;
        this.exported = exported;
    }

    /// <summary>What the export answered to the prompts of the last run, in their order.</summary>
    internal IReadOnlyList<DecodedRow> Decoded => decoded;

    /// <param name="progress">Told the share done, from 0 to 1.</param>
    /// <exception cref="ArgumentException">A sequence or prompt is empty or longer than the model reads.</exception>
    /// <exception cref="OperationCanceledException">Between two sequences.</exception>
    public ParityReport Run(ParityInputs inputs, ParityTolerance tolerance, Action<double>? progress = null,
        CancellationToken cancellation = default)
    {
        foreach (var ids in inputs.Sequences) RequireLength(ids, exported.MaxLength);
        foreach (var ids in inputs.Prompts) RequireLength(ids, exported.MaxLength - 1);
        decoded.Clear();
        var comparison = new LogitComparison();
        double done = 0, all = Math.Max(1, inputs.Sequences.Count + inputs.Prompts.Count);
        foreach (var sequence in inputs.Sequences)
        {
            cancellation.ThrowIfCancellationRequested();
            CompareSequence(sequence, comparison);
            progress?.Invoke(++done / all);
        }

        (double Cache, double Batch)? paths = null;
        foreach (var prompts in inputs.Prompts.Chunk(SlotsFor(inputs)))
        {
            cancellation.ThrowIfCancellationRequested();
            var rows = GreedyDecoding.Run(exported, prompts, inputs.MaxNewTokens, inputs.StopTokens);
            foreach (var row in rows) CompareGreedy(row, comparison);
            paths ??= DecodingPaths.Compare(exported, rows, RowsAgainstThemselves, inputs.StopTokens);
            decoded.AddRange(rows.Select(row => row.ToDecoded()));
            progress?.Invoke((done += prompts.Length) / all);
        }

        return Judged(comparison.Report(tolerance) with
        {
            MaxCacheDiff = paths?.Cache, MaxBatchDiff = paths?.Batch,
            Runtimes = runtimes.Count == 0 ? null : [.. runtimes.Select(runtime => RuntimeComparison.Run(
                runtime, exported.MaxLength, decoded, inputs, Math.Min(MostTie, tolerance.RelativePaths) * comparison.MaxAbs,
                cancellation))],
        });
    }

    private static ParityReport Judged(ParityReport report)
    {
        string[] refusals = [.. Refusals(report)];
        return report with { Passed = refusals.Length == 0, Refusals = refusals };
    }

    private static IEnumerable<string> Refusals(ParityReport report)
    {
        var tolerance = report.Tolerance;
        double allowed = tolerance.RelativeLogits * report.MaxAbsLogit, paths = tolerance.RelativePaths * report.MaxAbsLogit;
        if (report.PositionsCompared == 0) yield return "nothing was compared";
        if (report.MaxAbsLogitDiff > allowed)
            yield return $"a logit differs by {ParityFigure.Of(report.MaxAbsLogitDiff)}, and {ParityFigure.Of(allowed)} are allowed";
        if (report.GreedyMismatches > tolerance.MismatchShare * report.GreedyTokensCompared)
        {
            yield return $"{ParityFigure.Count(report.GreedyMismatches)} of {ParityFigure.Count(report.GreedyTokensCompared)} "
                + $"greedy tokens are not the model's choice, and {ParityFigure.Percent(tolerance.MismatchShare)} may differ";
        }

        if (report.MaxCacheDiff > paths)
        {
            yield return $"decoding through the cache moves a logit by {ParityFigure.Of(report.MaxCacheDiff.Value)} against reading the "
                + $"sequence whole, and {ParityFigure.Of(paths)} are allowed";
        }

        if (report.MaxBatchDiff > paths)
        {
            yield return $"decoding beside other rows moves a logit by {ParityFigure.Of(report.MaxBatchDiff.Value)} against decoding "
                + $"alone, and {ParityFigure.Of(paths)} are allowed";
        }

        foreach (var runtime in report.Runtimes ?? [])
        {
            if (runtime.Fault is { } fault) yield return $"{runtime.Name} cannot run the folder: {fault}";
            else if (!runtime.Passed) yield return $"{runtime.Name} gives other tokens for {ParityFigure.Count(runtime.Mismatches)} of "
                + $"{ParityFigure.Count(runtime.Prompts)} prompts";
        }
    }

    private void CompareSequence(IReadOnlyList<int> sequence, LogitComparison comparison)
    {
        int[] ids = [.. sequence];
        int vocabulary = exported.VocabularySize;
        int size = checked(ids.Length * vocabulary);
        float[] given = new float[size], expected = new float[size]; // [time, vocab]
        using (var session = exported.Open(1, Math.Max(2, ids.Length))) session.Prefill(0, ids, given);
        reference.Logits(ids, expected);
        for (int position = 0; position < ids.Length; position++)
            comparison.Add(given.AsSpan(position * vocabulary, vocabulary), expected.AsSpan(position * vocabulary, vocabulary));
    }

    private void CompareGreedy(GreedyRow row, LogitComparison comparison)
    {
        int vocabulary = exported.VocabularySize;
        int[] ids = [.. row.Prompt, .. row.Tokens[..^1]]; // the last token is chosen but never read
        float[] expected = new float[row.Tokens.Count * vocabulary]; // of the prompt its last position alone
        reference.Logits(ids, expected);
        for (int i = 0; i < row.Tokens.Count; i++)
        {
            var logits = expected.AsSpan(i * vocabulary, vocabulary);
            comparison.Add(row.Logits[i], logits);
            comparison.AddChoice(row.Tokens[i], logits);
        }
    }

    private int SlotsFor(ParityInputs inputs) =>
        (int)Math.Clamp(MaxLogitsKept / ((long)exported.VocabularySize * inputs.MaxNewTokens), 1, inputs.Slots);

    private static void RequireLength(IReadOnlyList<int> ids, int most)
    {
        if (ids.Count == 0 || ids.Count > most)
            throw new ArgumentException($"A sequence of {ids.Count} tokens cannot be compared; the model reads 1 to {most}.");
    }
}
