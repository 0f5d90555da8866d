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

    /// <summary>One model's answers in two runs, over the problems that both asked.</summary>
    public static SheetDifference Difference(Artifact before, Artifact after)
    {
        Dictionary<string, Answer> old = Sheet(before), current = Sheet(after);
        string[] common = [.. old.Keys.Where(current.ContainsKey)];
        bool[] greedyOld = [.. common.Select(id => old[id].Greedy)], greedy = [.. common.Select(id => current[id].Greedy)];
        string[] both = [.. common.Where(id => old[id].Sampled is not null && current[id].Sampled is not null)];
        int lost = greedyOld.Zip(greedy).Count(pair => pair is (true, false));
        int won = greedyOld.Zip(greedy).Count(pair => pair is (false, true));
        return new SheetDifference(
            common.Length, old.Count - common.Length, current.Count - common.Length,
            MeasureDifference.Of(
                [.. greedyOld.Select(Number)], [.. greedy.Select(Number)],
                McNemar.ExactP(lost, won), BootstrapSeed, Resamples),
            MeasureDifference.Of(
                [.. both.Select(id => old[id].Sampled!.Value)], [.. both.Select(id => current[id].Sampled!.Value)],
                null, BootstrapSeed, Resamples));
        static double Number(bool isRight) => isRight ? 1 : 0;
    }

    /// <summary>Whether a model solves each problem greedily, by the problem's id; twins aside.</summary>
    /// <param name="file">Answers of an evaluation.</param>
    public static IReadOnlyDictionary<string, bool> Greedy(string file) =>
        File.ReadLines(file).Select(Parse).Where(IsOriginal).ToDictionary(answer => answer.ProblemId, answer => answer.Greedy);

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
    private IEnumerable<Answer> Originals(string model) => sheets[model].Where(IsOriginal);

    private static Dictionary<string, Answer> Sheet(Artifact evaluation) =>
        Read(evaluation).Where(IsOriginal).ToDictionary(answer => answer.ProblemId, StringComparer.Ordinal);

    private static bool IsOriginal(Answer answer) => !answer.ProblemId.Contains('~', StringComparison.Ordinal);

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

/// <summary>One model in two runs.</summary>
/// <param name="Problems">That both runs asked it; twins do not count.</param>
/// <param name="OnlyBefore">Problems that only the first run asked, and that are therefore in no comparison.</param>
/// <param name="OnlyAfter">The same of the second.</param>
/// <param name="Greedy">Null where there is no problem in common.</param>
/// <param name="Sampled">The same; null also where one of them took no samples.</param>
internal sealed record SheetDifference(int Problems, int OnlyBefore, int OnlyAfter, MeasureDifference? Greedy, MeasureDifference? Sampled);

/// <summary>Shares of problems solved, over the same problems.</summary>
/// <param name="Difference">After − before, in shares.</param>
/// <param name="P">Of greedy answers by McNemar's exact test; of samples by the paired bootstrap, which also gives the interval.</param>
internal sealed record MeasureDifference(int Problems, double Before, double After, double Difference, Interval Interval95, double P)
{
    public static MeasureDifference? Of(double[] before, double[] after, double? p, ulong seed, int resamples)
    {
        if (before.Length == 0) return null;
        var paired = PairedBootstrap.Run(before, after, seed, resamples);
        return new(before.Length, before.Average(), after.Average(), paired.Mean, paired.Interval, p ?? paired.P);
    }
}
