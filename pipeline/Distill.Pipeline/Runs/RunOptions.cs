namespace Distill.Pipeline.Runs;

/// <summary>How a recipe is run; none of it changes what the stages make. Stages are named as in <see cref="StageNames"/>.</summary>
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

    /// <summary>Do this stage again even if nothing it depends on changed.</summary>
    public string? Force { get; init; }

    /// <summary>End after this stage; null runs to the report.</summary>
    public string? Until { get; init; }

    /// <summary>Whether finished stages of other runs may be taken. Default true.</summary>
    public bool UseOtherRuns { get; init; } = true;
}
