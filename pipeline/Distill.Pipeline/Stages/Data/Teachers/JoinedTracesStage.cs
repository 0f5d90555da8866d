using Distill.Data.Traces;
using Distill.Pipeline.Graph;
using Distill.Pipeline.Planning;
using Distill.Pipeline.Recipes;
using Distill.Pipeline.Runs;

namespace Distill.Pipeline.Stages.Data.Teachers;

/// <summary>
/// The traces of several teachers as one set: in the order of the teachers, the samples of each problem numbered through. Whose each is,
/// its row says.
/// </summary>
internal sealed class JoinedTracesStage(DistillationRecipe recipe, IReadOnlyList<TeacherRole> roles) : IStage
{
    public StageDeclaration Declaration { get; } = new()
    {
        Name = TracesStage.StageName,
        Folder = TracesStage.FolderName,
        Kind = "traces",
        Version = 1,
        Inputs = [.. roles.Select(role => role.Stage)],
        Options = [],
    };

    public string Work => $"the traces of {roles.Count} teachers as one set";

    public StageLoad Load(Foresight earlier) => new(
        WorkKind.Rows, roles.Sum(role => earlier.Rows(role.Stage) ?? (role.MostProblems * role.Teacher.Samples)));

    public string Run(StageContext context)
    {
        var files = new TraceFiles(context);
        var counts = roles.ToDictionary(role => role.Stage, _ => 0L);
        files.WriteAll(Numbered(context, counts));
        files.WriteCard(recipe.TraceOrigin);
        context.Worked(new WorkDone(files.Rows, Units: files.Rows));
        return string.Join(", ", roles.Select(role => $"{counts[role.Stage]:N0} of {role.Teacher.Name}"));
    }

    private IEnumerable<Trace> Numbered(StageContext context, Dictionary<string, long> counts)
    {
        var samples = new Dictionary<string, int>(StringComparer.Ordinal);
        long done = 0, total = roles.Sum(role => context.Input(role.Stage).FilesWith(".parquet").Sum(file => file.Rows ?? 0));
        foreach (string stage in roles.Select(role => role.Stage))
        {
            foreach (var trace in context.Input(stage).PathsOf(".parquet").SelectMany(TraceFile.Read))
            {
                if (done++ % 1000 == 0)
                {
                    context.Cancellation.ThrowIfCancellationRequested();
                    context.Progress(new StageProgress(done, total, "traces"));
                }

                counts[stage]++;
                int sample = samples.GetValueOrDefault(trace.Problem.Id);
                samples[trace.Problem.Id] = sample + 1;
                yield return trace with { SampleIndex = sample };
            }
        }
    }
}
