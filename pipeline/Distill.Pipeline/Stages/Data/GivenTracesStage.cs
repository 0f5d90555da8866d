using Distill.Data.Problems;
using Distill.Data.Publishing;
using Distill.Data.Traces;
using Distill.Pipeline.Graph;
using Distill.Pipeline.Planning;
using Distill.Pipeline.Recipes;
using Distill.Pipeline.Runs;

namespace Distill.Pipeline.Stages.Data;

/// <summary>
/// Existing traces in place of a teacher's: those that ask training problems of this run, with the problems as the run knows them. Held-out
/// problems and what nobody asked for stay out.
/// </summary>
internal sealed class GivenTracesStage(DistillationRecipe recipe) : IStage
{
    public StageDeclaration Declaration { get; } = new()
    {
        Name = TracesStage.StageName,
        Folder = TracesStage.FolderName,
        Kind = "traces",
        Version = 2,
        Inputs = [ProblemsStage.Train, ExternalInputs.Traces],
        Options = new() { ["import"] = TraceImport.Version, ["on_bad_row"] = recipe.Problems.SkipsBadRows ? "skip" : "fail" },
    };

    public string Work => $"existing traces of {recipe.TraceOrigin}; nothing is generated";

    public StageLoad Load(Foresight earlier) =>
        new(WorkKind.Rows, earlier.Rows(ProblemsStage.Train) ?? recipe.Problems.Train);

    public string Run(StageContext context)
    {
        var matching = new TraceMatching(ProblemsStage.Read(context, ProblemsStage.Train));
        var files = new TraceFiles(context);
        long skipped = 0;
        files.WriteAll(Matching(context, matching, recipe.Problems.SkipsBadRows ? _ => skipped++ : null));
        if (matching.Taken == 0)
            throw new InvalidDataException(
                $"None of the {matching.Read:N0} traces of '{recipe.Traces.From}' asks a training problem of this recipe. "
                + "Take the problems from the same place (problems.sources), or raise problems.train.");
        files.WriteCard(
            recipe.TraceOrigin, $"Traces taken from `{recipe.TraceOrigin}`, as they were there: nothing is graded or left out.");
        context.Worked(new WorkDone(matching.Taken, Units: matching.Taken));
        return matching.Describe(recipe.TraceOrigin) + (skipped > 0 ? $"; {skipped:N0} bad rows are passed over" : "");
    }

    private IEnumerable<Trace> Matching(StageContext context, TraceMatching matching, Action<BadRow>? skipped)
    {
        foreach (var trace in GivenTraces.Read(recipe.Traces.From!, skipped))
        {
            context.Cancellation.ThrowIfCancellationRequested();
            if (matching.Read % 1000 == 0)
                context.Progress(new StageProgress(matching.Read, matching.Read, "traces", $"{matching.Taken:N0} taken"));
            if (matching.Take(trace) is { } taken) yield return taken;
        }
    }
}

/// <summary>Finds the training problem that a trace from elsewhere answers. One thread.</summary>
internal sealed class TraceMatching(IReadOnlyList<Problem> problems)
{
    private readonly Dictionary<string, Problem> byText = problems.GroupBy(TextOf, StringComparer.Ordinal)
        .ToDictionary(group => group.Key, group => group.First(), StringComparer.Ordinal);

    private readonly Dictionary<string, int> samples = new(StringComparer.Ordinal);

    public long Read { get; private set; }

    public long Taken { get; private set; }

    /// <summary>The trace with the run's own problem, numbered among those of the problem; null when it asks another.</summary>
    public Trace? Take(Trace trace)
    {
        Read++;
        if (!byText.TryGetValue(TextOf(trace.Problem), out var problem)) return null;
        Taken++;
        int sample = samples.GetValueOrDefault(problem.Id);
        samples[problem.Id] = sample + 1;
        return trace with { Problem = problem, SampleIndex = sample };
    }

    public string Describe(string origin)
    {
        string others = Read > Taken ? $"; {Read - Taken:N0} ask other problems" : "";
        string without = samples.Count < problems.Count ? $"; {problems.Count - samples.Count:N0} problems have none" : "";
        return $"{Taken:N0} traces of {samples.Count:N0} problems from '{origin}'{others}{without}";
    }

    // Line ends and spaces change on the way through other programs.
    private static string TextOf(Problem problem) =>
        string.Join(' ', problem.Text.Split((char[]?)null, StringSplitOptions.RemoveEmptyEntries));
}
