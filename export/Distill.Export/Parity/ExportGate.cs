using Distill.Architecture;
using Distill.Data.Problems;
using Distill.Evaluation;
using Distill.Export.Parity.Localisation;
using Distill.Export.Parity.Texts;
using Distill.Generation;
using Distill.Generation.Onnx;
using Distill.Tokenization;

namespace Distill.Export.Parity;

/// <summary>An exported folder, opened, and the model it was made from.</summary>
/// <param name="Folder">The export.</param>
/// <param name="Model">The same, loaded; stays the caller's.</param>
/// <param name="Encoder">Of the folder, in the style of training.</param>
/// <param name="Checkpoint">What was trained.</param>
/// <param name="Trained">Of the checkpoint, in the same style; null for one without a tokenizer.</param>
internal sealed record GateSubject(
    ModelFolder Folder, ITokenModel Model, ChatEncoder Encoder, Checkpoint Checkpoint, ChatEncoder? Trained);

/// <summary>What a gate looks at, and what it allows.</summary>
internal sealed record GatePlan
{
    public required ParityInputs Inputs { get; init; }

    public required ParityTolerance Tolerance { get; init; }

    /// <summary>Null: the export is held to the numbers alone.</summary>
    public QualityLimits? Limits { get; init; }

    /// <summary>
    /// Answered by both models where there are limits: the model's own answers, and the reference solutions, are the texts.
    /// </summary>
    public IReadOnlyList<Problem> Problems { get; init; } = [];

    /// <summary>Longest answer.</summary>
    public int AnswerTokens { get; init; } = 128;

    /// <summary>Texts to measure on in place of the problems' answers; null: those.</summary>
    public IReadOnlyList<MeasuredText>? Texts { get; init; }

    public ProblemVerifiers Verifiers { get; init; } = ProblemVerifiers.Standard;

    /// <summary>Others over the same folder; they stay the caller's.</summary>
    public IReadOnlyList<IExportedRuntime> Runtimes { get; init; } = [];

    /// <summary>How the model is served without a cache's faults for its own answers.</summary>
    public OnnxModelOptions Serving { get; init; } = new();
}

/// <summary>
/// The whole gate of an export: numbers and greedy tokens, what rounding costs, other runtimes, texts and chats; and, where it is refused,
/// the place of the first difference.
/// </summary>
internal sealed class ExportGate(GateSubject subject, GatePlan plan)
{
    // Long enough to show any fault, short enough that every value of every layer fits.
    private const int LongestSearched = 64;

    // Problems, and prompts, that tokenizers are tried on.
    private const int MostTexts = 20;

    // Of the gate's time, where both parts are run.
    private const double NumbersShare = 0.5;

    /// <param name="progress">Told the share done, from 0 to 1.</param>
    /// <exception cref="InvalidDataException">The two are not the same model, or one cannot be run.</exception>
    /// <exception cref="OperationCanceledException">Between two sequences.</exception>
    public ParityReport Run(Action<double>? progress = null, CancellationToken cancellation = default)
    {
        using var reference = new TorchReferenceModel(subject.Checkpoint.LoadWeights());
        double numbers = plan.Limits is null ? 1 : NumbersShare;
        var gate = new ParityGate(reference, subject.Model, plan.Runtimes);
        var report = gate.Run(
            plan.Inputs, plan.Tolerance, share => progress?.Invoke(share * numbers), cancellation);
        if (plan.Limits is { } limits)
        {
            report = Rounded(
                report, limits, reference, gate.Decoded, share => progress?.Invoke(numbers + ((1 - numbers) * share)), cancellation);
        }

        // What only another runtime or a tokenizer does has no layer.
        bool differs = !report.Passed && (report.Runtimes ?? []).Sum(runtime => runtime.Passed ? 0 : 1) < report.Refusals?.Count;
        report = WithTexts(WithSecond(report, reference, gate.Decoded, cancellation), cancellation);
        return differs ? report with { Fault = Search(reference) } : report;
    }

    private ParityReport Rounded(
        ParityReport report, QualityLimits limits, TorchReferenceModel reference, IReadOnlyList<DecodedRow> decoded,
        Action<double> progress, CancellationToken cancellation)
    {
        TaskAccuracy? accuracy = null;
        IReadOnlyList<MeasuredText> texts = plan.Texts ?? [];
        if (plan.Problems.Count > 0)
        {
            using var served = new UnroundedModel(subject.Checkpoint, reference, plan.Serving);
            var options = new EvaluationOptions { Samples = 0, MaxNewTokens = plan.AnswerTokens, SampleTraces = 0 };
            Evaluator Evaluator(ITokenModel model) => new(
                new BatchGenerator(model, plan.Inputs.Slots), subject.Encoder, plan.Verifiers.Of);
            var before = Evaluator(served.Model).Run("model", plan.Problems, [], options, null, cancellation);
            progress(0.3);
            var answers = DecodedAnswers.Of(decoded, plan.Problems, subject.Encoder, plan.AnswerTokens, subject.Model.MaxLength);
            var after = answers is null ? Evaluator(subject.Model).Run("export", plan.Problems, [], options, null, cancellation)
                : Evaluator(subject.Model).Grade("export", plan.Problems, [], answers, options);
            accuracy = TaskAccuracy.Of(before.Problems, after.Problems);
            progress(0.5);
            if (plan.Texts is null) texts = AnswerTexts.Of(before.Problems, subject.Encoder, subject.Model.MaxLength);
        }

        if (texts.Count == 0) throw new InvalidDataException("There is no text to measure the export on: give texts or problems.");
        var quality = QualityMeasure.Run(reference, subject.Model, texts, share => progress(0.5 + (share / 2)), cancellation);
        string[] missed = [.. limits.Missed(quality), .. accuracy is null ? [] : limits.Missed(accuracy)];
        return Refused(report with { Quality = quality, QualityLimits = limits, Accuracy = accuracy }, missed);
    }

    // Browsers load another graph of the folder than the one that was compared: what it costs is measured on the same answers.
    private ParityReport WithSecond(
        ParityReport report, TorchReferenceModel reference, IReadOnlyList<DecodedRow> decoded, CancellationToken cancellation)
    {
        const string Graph = $"onnx/{ExportPrecisions.DynamicInt8File}";
        string path = Path.Combine(subject.Folder.Path, "onnx", ExportPrecisions.DynamicInt8File);
        if (!File.Exists(path) || Path.GetFullPath(path) == Path.GetFullPath(subject.Folder.GraphPath)) return report;
        using var model = OnnxTokenModel.Load(ModelFolder.Open(subject.Folder.Path, Graph), plan.Serving);
        IReadOnlyList<MeasuredText> texts = plan.Texts
            ?? [.. decoded.Select(row => MeasuredText.Of(row.Prompt, row.Tokens, subject.Model.MaxLength))];
        var quality = QualityMeasure.Run(reference, model, texts, cancellation: cancellation);
        string[] missed = [.. QualityLimits.Int8.Missed(quality).Select(reason => $"{Graph}: {reason}")];
        return Refused(report with { DynamicInt8 = quality }, missed);
    }

    private ParityReport WithTexts(ParityReport report, CancellationToken cancellation)
    {
        if (subject.Trained is not { } trained) return report;
        string[] problems =
        [
            .. plan.Problems.Take(MostTexts).Select(problem => problem.Text),
            .. plan.Inputs.Prompts.Take(MostTexts).Select(prompt => subject.Encoder.Tokenizer.Decode([.. prompt])),
        ];
        var texts = TextComparison.Run(
            trained, subject.Encoder, Package.RecordedTexts.DigestOf(subject.Folder.Path), problems, plan.Runtimes, cancellation);
        // What is spelled strangely is named; what the model is asked must be read as it was in training.
        var unknown = (texts.Runtimes ?? []).Where(runtime => runtime.ProblemTexts > 0).Select(runtime =>
            $"{runtime.Name} reads {ParityFigure.Count(runtime.ProblemTexts)} problems and prompts as other ids: {runtime.Unknown[0]}");
        return Refused(report with { Texts = texts }, [.. texts.Differences, .. unknown]);
    }

    private FaultSearch Search(TorchReferenceModel reference)
    {
        var sequence = plan.Inputs.Sequences.Concat(plan.Inputs.Prompts).MaxBy(ids => ids.Count)!;
        try
        {
            using var finder = new FaultFinder(subject.Folder, subject.Checkpoint.Architecture);
            return finder.Find(reference, [.. sequence.Take(LongestSearched)]);
        }
        catch (InvalidDataException e)
        {
            return new FaultSearch([], false, $"The place was not searched for: {e.Message}"); // the refusal stands
        }
    }

    private static ParityReport Refused(ParityReport report, IReadOnlyList<string> reasons) => reasons.Count == 0 ? report
        : report with { Passed = false, Refusals = [.. report.Refusals ?? [], .. reasons] };
}
