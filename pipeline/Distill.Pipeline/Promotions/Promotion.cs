using System.Text.Json.Nodes;
using Distill.Data.Problems;
using Distill.Pipeline.Graph;
using Distill.Pipeline.Recipes;
using Distill.Pipeline.Recipes.Sections;
using Distill.Pipeline.Runs;
using Distill.Pipeline.Stages;
using Distill.Storage;

namespace Distill.Pipeline.Promotions;

/// <summary>
/// The gate between a finished run and the model that applications load. The place is held from the first look at the model in it to the
/// switch, so that what was compared is what is replaced. One thread.
/// </summary>
/// <param name="evaluate">Does a stage of the run, or finds that it was done.</param>
internal sealed class Promotion(
    PromotionSection rules, DistillationRecipe recipe, RunFolder folder, RunArtifacts artifacts,
    Func<IStage, StageInput, FinishedStage> evaluate, IRunObserver observer, TimeProvider clock)
{
    /// <summary>What the model in place is called among the models of a run.</summary>
    public const string Promoted = "promoted";

    private const string Parity = "parity", Withdrawn = "withdrawn";

    private readonly PromotionTest test = new(rules);

    /// <summary>Told before each step of a change.</summary>
    public Action<PromotionStep>? Reached { get; init; }

    /// <param name="again">Whether a model may come back that was taken out of the place by hand.</param>
    /// <exception cref="RunRefusedException">Something else than a promoted model lies in the place.</exception>
    public PromotionReport Run(DigestMemory memory, bool again, CancellationToken cancellation)
    {
        using var place = PromotionPlace.Open(
            rules.To, rules.As, $"run '{folder.Name}', process {Environment.ProcessId}",
            owner => observer.Warning($"Waiting for '{rules.To}': {owner} is promoting."), cancellation, Reached);
        var candidate = new PromotionCandidate(folder, artifacts, memory);
        var incumbent = place.Current is { } number ? place.Read(number) : null;
        if (incumbent?.Model == candidate.Digest) return incumbent.Report;
        if (again) place.Forgive(candidate.Digest);
        var (checks, notes) = Judge(place, candidate, incumbent, cancellation);
        var report = new PromotionReport(
            checks.All(check => check.Passed) ? PromotionOutcome.Promoted : PromotionOutcome.Refused,
            Path.GetFileName(place.Path), null, incumbent?.Number, test.RuleAgainst(incumbent is null), checks) { Notes = notes };
        if (report.Outcome == PromotionOutcome.Refused) return report;
        cancellation.ThrowIfCancellationRequested();
        return place.Promote(rules.Keep, (target, next) =>
            candidate.Fill(target, next, report with { Version = next }, ContinuedProblems(), clock)).Report;
    }

    private (IReadOnlyList<PromotionCheck> Checks, IReadOnlyList<string> Notes) Judge(
        PromotionPlace place, PromotionCandidate candidate, PromotedVersion? incumbent, CancellationToken cancellation)
    {
        if (place.WasWithdrawn(candidate.Digest))
            return ([new(Withdrawn, false, "this model was taken out of the place by hand; 'distill promote RUN --again' puts it back")],
                []);
        var parity = new PromotionCheck(Parity, candidate.PassedParity == true,
            candidate.PassedParity == true ? "the exported file is the trained model" : "the parity gate did not pass");
        if (!parity.Passed) return ([parity], []);
        var problems = candidate.Problems();
        var after = candidate.Answers(StageGraph.Exported);
        // What either was trained on says nothing about either.
        var known = candidate.TrainedOn.Concat(ContinuedProblems()).ToHashSet(StringComparer.Ordinal);
        if (incumbent is not null)
            known.UnionWith(
                KnownProblems.Read(Path.Combine(PromotionPlace.FolderOf(place.Path, incumbent.Number), PromotedVersion.ProblemsName)));
        List<Problem> unknown = [.. problems.Where(problem => !known.Contains(KnownProblems.DigestOf(problem)))];
        var notes = new List<string>();
        if (unknown.Count < problems.Count)
            notes.Add($"{problems.Count - unknown.Count:N0} of {problems.Count:N0} test problems are left out: "
                + $"{(incumbent is null ? "" : $"version {incumbent.Number} or ")}this model was trained on them.");
        if (incumbent is null)
        {
            var answers = Pair(unknown, candidate.Answers(StageGraph.Base), after);
            return ([parity, .. test.Floor(answers), .. test.First(answers)], notes);
        }

        cancellation.ThrowIfCancellationRequested();
        var before = AnswersOf(place, incumbent);
        var paired = Pair(unknown, before, after);
        if (test.Untested(paired) is { } untested) notes.Add(untested);
        return ([parity, .. test.Floor(paired), .. test.Against(paired)], notes);
    }

    /// <summary>From the version itself where it was asked the same problems in the same way, else from the store, else made.</summary>
    private IReadOnlyDictionary<string, bool> AnswersOf(PromotionPlace place, PromotedVersion incumbent)
    {
        string version = PromotionPlace.FolderOf(place.Path, incumbent.Number);
        string answers = Path.Combine(version, PromotedVersion.AnswersName);
        var exported = artifacts.Find(EvaluationStage.NameOf(StageGraph.Exported))!;
        if (IsSameMeasurement(incumbent.EvaluatedBy, exported.Manifest.Facts[StageKey.TextFact])
            && FileDigest.OfFile(answers) == incumbent.Answers)
            return AnswerSheets.Greedy(answers);
        var stage = EvaluationStage.OfModelFolder(recipe, Promoted, ExternalInputs.Promoted);
        var made = evaluate(stage, new StageInput(Path.Combine(version, PromotedVersion.ModelFolder), incumbent.Model, null));
        return AnswerSheets.Greedy(made.Artifact.PathOf(EvaluationStage.AnswersName));
    }

    // Two keys of one measurement differ in the model alone.
    private static bool IsSameMeasurement(string key, string other)
    {
        return JsonNode.DeepEquals(Measurement(key), Measurement(other));
        static JsonNode? Measurement(string text)
        {
            var node = JsonNode.Parse(text);
            (node?["inputs"] as JsonObject)?.Remove(ExportStage.StageName);
            return node;
        }
    }

    private static List<PairedAnswer> Pair(
        IEnumerable<Problem> problems, IReadOnlyDictionary<string, bool> before, IReadOnlyDictionary<string, bool> after) =>
    [
        .. problems.Where(problem => before.ContainsKey(problem.Id) && after.ContainsKey(problem.Id))
            .Select(problem => new PairedAnswer(problem.Domain, before[problem.Id], after[problem.Id])),
    ];

    private IEnumerable<string> ContinuedProblems() =>
        recipe.ContinueFrom?.VersionFolder is { } folder ? KnownProblems.Read(Path.Combine(folder, PromotedVersion.ProblemsName)) : [];
}

/// <summary>That a finished run is to be promoted, and how.</summary>
/// <param name="Again">Whether a model may come back that was taken out of the place by hand.</param>
internal sealed record PromotionOrder(PromotionSection Rules, bool Again = false)
{
    /// <summary>As a recipe says; null where it says nothing.</summary>
    public static PromotionOrder? Of(DistillationRecipe recipe) => recipe.Promote is { } rules ? new PromotionOrder(rules) : null;

    /// <summary>
    /// Promotes a run that is finished, without doing any of its stages again: what <c>distill promote</c> and a schedule's
    /// <c>then: promote</c> do. The run's report says what became of it.
    /// </summary>
    /// <param name="rules">Null takes those of the run's recipe.</param>
    /// <exception cref="RunRefusedException">The run is not finished, or neither it nor the caller says how.</exception>
    public static PromotionReport Run(
        string runsFolder, string run, PromotionSection? rules, bool again, IRunObserver observer, TimeProvider clock,
        CancellationToken cancellation)
    {
        var (recipe, options) = PipelineRun.Continuation(runsFolder, run);
        if ((rules ?? (recipe as DistillationRecipe)?.Promote) is not { } asked)
            throw new RunRefusedException($"The recipe of '{run}' does not say where to: give --to, or add promote: {{ to: … }} to it.");
        var open = PipelineRun.Plan(recipe, options).Stages.FirstOrDefault(stage => stage.Decision != StageDecision.Cached);
        if (open is not null)
            throw new RunRefusedException(
                $"The run '{run}' is not finished: {open.Name} ({open.Reason}). Finish it with 'distill resume'.");
        options = options with { Promotion = new PromotionOrder(asked, again) };
        return PipelineRun.Run(recipe, options, observer, clock, cancellation).Report?.Promotion
            ?? throw new RunRefusedException($"'{run}' makes no model that could be promoted.");
    }
}
