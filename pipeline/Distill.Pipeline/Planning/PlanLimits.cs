using Distill.Pipeline.Reporting;
using Distill.Pipeline.Runs;

namespace Distill.Pipeline.Planning;

/// <summary>Whether a machine can hold what a run will take, said before any work.</summary>
internal static class PlanLimits
{
    private const double Gibi = 1L << 30;

    /// <returns>A sentence where a first estimate says that the disk is too small: that may be wrong by some times.</returns>
    public static IEnumerable<string> Doubts(RunPlan plan)
    {
        if (plan.FreeDiskBytes is { } free && plan.KnownDiskBytes <= free && plan.DiskBytes > free)
            yield return "The disk may be too small: by a first estimate, since nothing like it was made here before, the run takes "
                + Disk(plan, plan.Stages, free);
    }

    /// <returns>A sentence for everything that there is too little of.</returns>
    public static IEnumerable<string> Lacks(RunPlan plan)
    {
        if (plan.FreeDiskBytes is { } free && plan.KnownDiskBytes > free)
            yield return $"The disk is too small: the run takes about {Disk(plan, plan.Stages.Where(stage => stage.IsDiskKnown), free)}";

        if (plan.MemoryLimitBytes is not { } limit) yield break;
        foreach (var stage in plan.Stages.Where(stage => stage.IsDone && stage.MemoryBytes > limit))
        {
            yield return $"The memory is too small: '{stage.Name}' takes up to {stage.MemoryBytes / Gibi:N1} GiB, and the process may have "
                + $"{limit / Gibi:N1} GiB. Use fewer slots (teacher.slots, evaluation.slots), shorter completions or texts, or a smaller "
                + "model.";
        }
    }

    private static string Disk(RunPlan plan, IEnumerable<PlannedStage> stages, long free)
    {
        PlannedStage[] counted = [.. stages];
        var largest = counted.MaxBy(stage => (stage.DiskBytes ?? 0) + (stage.WorkDiskBytes ?? 0))!;
        return $"{ReportNumbers.Bytes(RunPlan.DiskBytesOf(counted))}, most of it for "
            + $"'{largest.Name}', and {ReportNumbers.Bytes(free)} are free at '{plan.Folder}'. "
            + "Free some ('distill artefacts gc' removes what no run uses), choose another place with --runs, or make less.";
    }
}
