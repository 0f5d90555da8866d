using System.Globalization;
using System.Text;
using System.Text.Json;
using System.Text.Json.Nodes;
using Distill.Data.Problems;
using Distill.Evaluation;
using Distill.Generation;
using Distill.Pipeline.Graph;
using Distill.Pipeline.Models;
using Distill.Pipeline.Planning;
using Distill.Pipeline.Recipes;
using Distill.Pipeline.Reporting;
using Distill.Pipeline.Runs;
using Distill.Pipeline.Stages.Data;

namespace Distill.Pipeline.Stages;

/// <summary>
/// One model answers the test problems and their twins, a unit being some of them; all answers are graded together at the end. The units'
/// files are work and no part of the artefact.
/// </summary>
internal sealed class EvaluationWork(StageContext context, EvaluationOptions options, string name) : IStageWork
{
    private const int ProblemsPerUnit = 512;

    private readonly SortedDictionary<int, IReadOnlyList<Completion[]>> answers = [];
    private Evaluator? evaluator;
    private long began, tokens;

    public required ServedModel Model { get; init; }

    public required IReadOnlyList<Problem> Problems { get; init; }

    public required IReadOnlyList<Problem> Twins { get; init; }

    /// <summary>Disposed with this.</summary>
    public required RecipeVerifiers Verifiers { get; init; }

    public int Units => (All + ProblemsPerUnit - 1) / ProblemsPerUnit;

    private int All => Problems.Count + Twins.Count;

    private Evaluator Evaluator => evaluator ??= new Evaluator(Model.Generator, Model.Encoder, Verifiers.All.Of);

    public bool IsDone(int unit)
    {
        if (context.TryTake(NameOf(unit)) is null) return false;
        answers[unit] = Read(Path.Combine(context.Folder, NameOf(unit)));
        return true;
    }

    public void Run(IReadOnlyList<int> units, CancellationToken cancellation)
    {
        if (began == 0) began = context.Clock.GetTimestamp();
        foreach (int unit in units)
        {
            using var watched = context.BeginUnit(unit);
            int first = unit * ProblemsPerUnit, count = Math.Min(ProblemsPerUnit, All - first), done = CompletionsBefore(first);
            long before = tokens;
            answers[unit] = Evaluator.Answer(
                Problems, Twins, first, count, options,
                made => Report(done + made.Completions, before + made.CompletionTokens), cancellation);
            context.Writer.WritePart(NameOf(unit), stream => JsonSerializer.Serialize(stream, answers[unit].Select(Written)));
        }
    }

    public string Finish()
    {
        if (tokens > 0) context.Measure("tokensPerSecond", tokens / context.Clock.GetElapsedTime(began).TotalSeconds);
        for (int unit = 0; unit < Units; unit++) context.Writer.Forget(NameOf(unit));
        List<Completion[]> completions = [.. answers.Values.SelectMany(unit => unit)];
        Verifiers.Prepare(Evaluator.AnswersOf(Problems, Twins, completions), completions.Sum(each => (long)each.Length));
        context.Worked(new WorkDone(
            completions.Sum(each => (long)each.Length), Tokens: completions.Sum(each => each.Sum(one => (long)one.Tokens.Count)),
            Units: tokens));
        var result = Evaluator.Grade(name, Problems, Twins, completions, options);
        context.Writer.Write(EvaluationStage.ReportName, JsonSerializer.SerializeToUtf8Bytes(result.Report, EvaluationStage.Spelling));
        context.Writer.Write(EvaluationStage.AnswersName, Answers(result));
        string sampled = result.Report.PassAt1 is { } share ? $", sampled {ReportNumbers.Percent(share, Problems.Count)}" : "";
        return $"greedy {ReportNumbers.Percent(result.Report.Greedy, Problems.Count)}{sampled} of {Problems.Count:N0} problems";
    }

    public void Dispose()
    {
        Model.Dispose();
        Verifiers.Dispose();
    }

    private static string NameOf(int unit) => string.Create(CultureInfo.InvariantCulture, $"units/{unit:D5}.json");

    // A problem has its samples beside the greedy answer, a twin has none.
    private int CompletionsBefore(int index) => index + (Math.Min(index, Problems.Count) * options.Samples);

    private void Report(int done, long made)
    {
        tokens = made;
        double rate = tokens / Math.Max(1e-9, context.Clock.GetElapsedTime(began).TotalSeconds);
        context.Progress(new StageProgress(done, CompletionsBefore(All), "completions", name, rate, "tokens/s"));
    }

    // What grading asks of a completion.
    private static StoredAnswer[] Written(Completion[] completions) =>
        [.. completions.Select(completion => new StoredAnswer([.. completion.Tokens], completion.StopReason, completion.Seed))];

    private static List<Completion[]> Read(string path) =>
    [
        .. JsonSerializer.Deserialize<StoredAnswer[][]>(File.ReadAllBytes(path))!
            .Select(stored => stored.Select(answer => new Completion(answer.Tokens, [], answer.Stop, answer.Seed)).ToArray()),
    ];

    /// <summary>One line a problem, twins after them: what the paired comparisons of the report need.</summary>
    private static byte[] Answers(EvaluationResult result)
    {
        var text = new StringBuilder();
        foreach (var answer in result.Problems.Concat(result.Twins))
        {
            text.Append(new JsonObject
            {
                ["problem_id"] = answer.Problem.Id,
                ["greedy"] = answer.Greedy.IsCorrect,
                ["sampled"] = answer.SampledShare,
                ["answer"] = answer.Greedy.Answer,
                ["tokens"] = string.Join(' ', answer.Greedy.Completion.Tokens),
            }.ToJsonString(CanonicalJson.Spelling)).Append('\n');
        }

        return Encoding.UTF8.GetBytes(text.ToString());
    }

    private sealed record StoredAnswer(int[] Tokens, StopReason Stop, ulong Seed);
}
