using Distill.Pipeline.Diagnosis;
using Distill.Pipeline.Graph;
using Distill.Pipeline.Promotions;
using Distill.Pipeline.Reporting;
using Distill.Pipeline.Store.Objects;

namespace Distill.Pipeline.Runs;

/// <summary>
/// How a recipe is run; none of it changes what the stages make. Stages are named by their groups, as <c>distill plan</c>
/// shows them.
/// </summary>
public sealed record RunOptions
{
    /// <summary>Folder that holds the runs. Default <c>runs</c> in the current folder.</summary>
    public string RunsFolder { get; init; } = "runs";

    /// <summary>Name of the run; null takes the recipe's.</summary>
    public string? Name { get; init; }

    /// <summary>Do this stage and all after it again.</summary>
    public string? From { get; init; }

    /// <summary>Do only this stage; what it needs must be finished.</summary>
    public string? Only { get; init; }

    /// <summary>Do this stage again even if nothing it depends on changed. What it made before stays beside it.</summary>
    public string? Force { get; init; }

    /// <summary>The goal of the run: this stage and what it is made from, nothing else. Null runs to the report.</summary>
    public string? Until { get; init; }

    /// <summary>Whether finished stages of other runs may be taken. Default true.</summary>
    public bool UseOtherRuns { get; init; } = true;

    /// <summary>The part of the units of divided stages that this process does; null does them all.</summary>
    internal ShardNumber? Shard { get; init; }

    /// <summary>What is shared with machines that do not see the folder of runs; null shares nothing.</summary>
    internal SharedPlace? Shared { get; init; }

    /// <summary>Bytes free where a folder lies or will lie.</summary>
    internal Func<string, long> FreeDisk { get; init; } = ResourceCheck.FreeDisk;

    /// <summary>How the model is promoted when the run is finished; null: as its recipe says.</summary>
    internal PromotionOrder? Promotion { get; init; }
}

/// <summary>Where a run's results lie.</summary>
/// <param name="ReportPath">Null when the run ended before its report.</param>
/// <param name="ModelFolder">The ONNX folder that apps load; null when the run ended before it.</param>
public sealed record RunResult(string Name, string Folder, string? ReportPath, string? ModelFolder)
{
    /// <summary>Null when the run ended before its report.</summary>
    internal RunReport? Report { get; init; }

    /// <summary>Why the run ended well before its goal, e.g. for want of anything new; null where it did not.</summary>
    internal string? EndedEarly { get; init; }
}

/// <summary>The options ask for something that cannot be done; nothing was started. The command line ends with 2.</summary>
public sealed class RunRefusedException(string message) : Exception(message)
{
    /// <summary>Another process has the run: the same call may do once that one has ended.</summary>
    internal bool IsBusy { get; init; }

    /// <summary>The machine lacks something that it may have later, room above all: nothing is wrong with what was asked for.</summary>
    internal bool IsOfMachine { get; init; }
}

/// <summary>
/// A gate of the run refused its model or its teacher: the run stops, the command line ends with 3. Nothing of the failed stage is
/// committed.
/// </summary>
public sealed class GateFailedException(string message) : Exception(message)
{
    /// <summary>What else to do about it or to know; null where the message says all.</summary>
    internal string? Remedy { get; init; }
}

/// <summary>The run cannot go on, and that is well: there is nothing new to train on, or others have to do their part first.</summary>
internal sealed class RunEndedException(string message) : Exception(message);
