// What the command line needs of parts that are still being written; removed when they arrive.
using Distill.Export.Parity;
using Distill.Pipeline.Recipes;
using Distill.Pipeline.Reporting;

namespace Distill.Pipeline.Runs
{
    public sealed class RunRefusedException(string message) : Exception(message);

    public static class PipelineRun
    {
        public static RunPlan Plan(DistillationRecipe recipe, RunOptions options) => throw new NotSupportedException();

        public static RunResult Run(DistillationRecipe recipe, RunOptions options, IRunObserver observer, TimeProvider clock, CancellationToken cancellation) =>
            throw new NotSupportedException();

        public static DistillationRecipe RecipeOf(string runsFolder, string name) => throw new NotSupportedException();
    }

    public sealed record RunResult(string Name, string Folder, string? ReportPath, string? ModelFolder, RunReport? Report);

    public sealed record StageRecord(string Name, string State, double? Seconds, string? Digest, string Summary);

    public sealed record RunSummary(string Name, string Folder, string State, DateTimeOffset Changed, IReadOnlyList<StageRecord> Stages);

    public static class RunCatalogue
    {
        public static IReadOnlyList<RunSummary> List(string runsFolder) => throw new NotSupportedException();

        public static RunSummary Find(string runsFolder, string name) => throw new NotSupportedException();
    }
}

namespace Distill.Pipeline.Reporting
{
    public sealed record RunReport(ParityReport? Parity);

    public sealed record ReportTable(IReadOnlyList<string> Header, IReadOnlyList<IReadOnlyList<string>> Rows)
    {
        public static ReportTable Of(RunReport report) => throw new NotSupportedException();
    }
}
