using Distill.Data.Problems;
using Distill.Data.Traces;
using Distill.Pipeline.Graph;
using Distill.Pipeline.Planning;
using Distill.Pipeline.Recipes;
using Distill.Pipeline.Runs;

namespace Distill.Pipeline.Stages.Data.Teachers;

/// <summary>
/// The traces of several teachers as one set: problem by problem in the order of the problems, of each the teachers in their order, its
/// samples numbered through. Whose each is, its row says.
/// </summary>
internal sealed class JoinedTracesStage(DistillationRecipe recipe, IReadOnlyList<TeacherRole> roles) : IStage
{
    public StageDeclaration Declaration { get; } = new()
    {
        Name = TracesStage.StageName,
        Folder = TracesStage.FolderName,
        Kind = "traces",
        Version = 1,
        Inputs = [ProblemsStage.Train, .. roles.Select(role => role.Stage)],
        Options = [],
    };

    public string Work => $"the traces of {roles.Count} teachers as one set";

    public StageLoad Load(Foresight earlier) => new(
        WorkKind.Rows, roles.Sum(role => earlier.Rows(role.Stage) ?? (role.MostProblems * role.Teacher.Samples)));

    public string Run(StageContext context)
    {
        var files = new TraceFiles(context);
        TraceStream[] streams = [.. roles.Select(role => new TraceStream(context.Input(role.Stage)))];
        try
        {
            files.WriteAll(Merged(context, streams));
        }
        finally
        {
            foreach (var stream in streams) stream.Dispose();
        }

        files.WriteCard(
            recipe.TraceOrigin,
            $"Completions of problems by the teachers `{recipe.TraceOrigin}`, as generated: nothing is graded or left out.");
        context.Worked(new WorkDone(files.Rows, Units: files.Rows));
        return string.Join(", ", roles.Zip(streams, (role, stream) => $"{stream.Taken:N0} of {role.Teacher.Name}"));
    }

    private IEnumerable<Trace> Merged(StageContext context, TraceStream[] streams)
    {
        long total = roles.Sum(role => context.Input(role.Stage).FilesWith(".parquet").Sum(file => file.Rows ?? 0)), done = 0;
        foreach (var problem in ProblemFile.Read(context.Input(ProblemsStage.Train).PathOf(ProblemsStage.FileName)))
        {
            context.Cancellation.ThrowIfCancellationRequested();
            int sample = 0;
            foreach (var stream in streams)
            {
                while (stream.TryTake(problem.Id) is { } trace)
                {
                    if (done++ % 1000 == 0) context.Progress(new StageProgress(done, total, "traces"));
                    yield return trace with { SampleIndex = sample++ };
                }
            }
        }

        if (done < total) throw new InvalidOperationException($"{total - done:N0} traces are not in the order of the training problems.");
    }

    /// <summary>The traces of one teacher, which come in the order of the problems. One thread; dispose it.</summary>
    private sealed class TraceStream : IDisposable
    {
        private readonly IEnumerator<Trace> rows;
        private bool isMore;

        public TraceStream(StageInput traces)
        {
            rows = traces.PathsOf(".parquet").SelectMany(TraceFile.Read).GetEnumerator();
            isMore = rows.MoveNext();
        }

        public long Taken { get; private set; }

        /// <returns>The next trace; null where it answers another problem.</returns>
        public Trace? TryTake(string problem)
        {
            if (!isMore || rows.Current.Problem.Id != problem) return null;
            var taken = rows.Current;
            isMore = rows.MoveNext();
            Taken++;
            return taken;
        }

        public void Dispose() => rows.Dispose();
    }
}
