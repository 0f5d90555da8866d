using System.Text.Json;
using Distill.Evaluation.Statistics;
using Distill.Pipeline.Reporting;
using Distill.Pipeline.Stages;

namespace Distill.Pipeline.Runs;

/// <summary>Every model's answers to the same problems, side by side.</summary>
internal sealed class AnswerSheets
{
    private const ulong BootstrapSeed = 1;

    private static readonly (string Before, string After)[] Pairs =
        [("base", "answer-only"), ("answer-only", "sft"), ("base", "sft"), ("sft", "rl"), ("rl", "teacher"), ("sft", "teacher")];

    private readonly Dictionary<string, List<Answer>> sheets;

    private AnswerSheets(Dictionary<string, List<Answer>> sheets) => this.sheets = sheets;

    public static AnswerSheets Read(RunArtifacts artifacts) => new(artifacts.Stages
        .Where(stage => stage.Stage is EvaluationStage)
        .ToDictionary(stage => stage.Stage.Name.Split('/')[1], stage => File.ReadLines(stage.Artifact.PathOf(EvaluationStage.AnswersName)).Select(Parse).ToList()));

    public IReadOnlyList<Comparison> Compare() => [.. Pairs
        .Where(pair => sheets.ContainsKey(pair.Before) && sheets.ContainsKey(pair.After) && !(pair.Before == "sft" && pair.After == "teacher" && sheets.ContainsKey("rl")))
        .SelectMany(pair => (Comparison?[])[Compare(pair, "greedy", answer => answer.Greedy ? 1 : 0), Compare(pair, "passAt1", answer => answer.Sampled)])
        .OfType<Comparison>()];

    /// <summary>Null when either model was not evaluated.</summary>
    public AnswerEquality? Equality(string model, string other)
    {
        if (!sheets.TryGetValue(model, out var first) || !sheets.TryGetValue(other, out var second)) return null;
        int equal = first.Zip(second).Count(pair => pair.First.ProblemId == pair.Second.ProblemId && pair.First.Tokens == pair.Second.Tokens);
        return new AnswerEquality(other, Math.Max(first.Count, second.Count), equal);
    }

    // Twins have no samples; greedy is compared on the originals alone too, so that both measures speak of the same problems.
    private Comparison? Compare((string Before, string After) pair, string measure, Func<Answer, double?> value)
    {
        double[] before = Values(pair.Before), after = Values(pair.After);
        if (before.Length == 0 || before.Length != after.Length) return null;
        var difference = PairedBootstrap.Run(before, after, BootstrapSeed, resamples: 2_000);
        return new Comparison(pair.Before, pair.After, measure, before.Length, difference.Mean, difference.Interval, difference.P);

        double[] Values(string model) => [.. sheets[model].Where(answer => !answer.ProblemId.Contains('~')).Select(value).OfType<double>()];
    }

    private static Answer Parse(string line)
    {
        using var document = JsonDocument.Parse(line);
        var root = document.RootElement;
        return new Answer(
            root.GetProperty("problem_id").GetString()!, root.GetProperty("greedy").GetBoolean(),
            root.GetProperty("sampled") is { ValueKind: JsonValueKind.Number } share ? share.GetDouble() : null, root.GetProperty("tokens").GetString()!);
    }

    private sealed record Answer(string ProblemId, bool Greedy, double? Sampled, string Tokens);
}
