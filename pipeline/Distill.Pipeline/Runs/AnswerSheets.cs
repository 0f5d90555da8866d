using System.Text.Json;
using Distill.Data.Storage;
using Distill.Evaluation.Statistics;
using Distill.Pipeline.Graph;
using Distill.Pipeline.Reporting;
using Distill.Pipeline.Stages;

namespace Distill.Pipeline.Runs;

/// <summary>Every model's answers to the same problems, side by side.</summary>
internal sealed class AnswerSheets
{
    private const ulong BootstrapSeed = 1;
    private const int Resamples = 2_000;

    private readonly Dictionary<string, List<Answer>> sheets;

    private AnswerSheets(Dictionary<string, List<Answer>> sheets) => this.sheets = sheets;

    public static AnswerSheets Read(IEnumerable<FinishedStage> stages) =>
        new(stages.Where(stage => stage.Stage is EvaluationStage)
            .ToDictionary(stage => EvaluationStage.ModelOf(stage.Declaration.Name), stage => Read(stage.Artifact)));

    /// <param name="pairs">Names of models; those that were not evaluated are left out.</param>
    public IReadOnlyList<ModelComparison> Compare(IEnumerable<(string Before, string After)> pairs) => [.. pairs
        .Where(pair => sheets.ContainsKey(pair.Before) && sheets.ContainsKey(pair.After))
        .Select(pair => new ModelComparison(
            pair.After, pair.Before, Originals(pair.After).Count(),
            Difference(pair, answer => answer.Greedy ? 1 : 0),
            Difference(pair, answer => answer.Sampled)))];

    /// <summary>Greedy answers, token by token, twins included; null when either model was not evaluated.</summary>
    public AnswerEquality? Equality(string model, string other)
    {
        if (!sheets.TryGetValue(model, out var first) || !sheets.TryGetValue(other, out var second)) return null;
        int identical = first.Zip(second)
            .Count(pair => pair.First.ProblemId == pair.Second.ProblemId && pair.First.Tokens == pair.Second.Tokens);
        int problems = Math.Max(first.Count, second.Count);
        return new AnswerEquality(identical == problems, problems, identical);
    }

    private PairedBootstrap? Difference((string Before, string After) pair, Func<Answer, double?> value)
    {
        double[] before = [.. Originals(pair.Before).Select(value).OfType<double>()];
        double[] after = [.. Originals(pair.After).Select(value).OfType<double>()];
        return before.Length == 0 || before.Length != after.Length ? null : PairedBootstrap.Run(before, after, BootstrapSeed, Resamples);
    }

    // Twins have no samples; greedy is compared on the originals alone too, so that both measures speak of the same problems.
    private IEnumerable<Answer> Originals(string model) =>
        sheets[model].Where(answer => !answer.ProblemId.Contains('~', StringComparison.Ordinal));

    private static List<Answer> Read(Artifact evaluation) =>
        [.. File.ReadLines(evaluation.PathOf(EvaluationStage.AnswersName)).Select(Parse)];

    private static Answer Parse(string line)
    {
        using var document = JsonDocument.Parse(line);
        var root = document.RootElement;
        return new Answer(
            root.GetProperty("problem_id").GetString()!, root.GetProperty("greedy").GetBoolean(),
            root.GetProperty("sampled") is { ValueKind: JsonValueKind.Number } share ? share.GetDouble() : null,
            root.GetProperty("tokens").GetString()!);
    }

    private sealed record Answer(string ProblemId, bool Greedy, double? Sampled, string Tokens);
}
