namespace Distill.Pipeline.Launching;

/// <summary>A recipe that is to be run by several processes of a cluster, which share the folder of runs. Immutable.</summary>
internal sealed record ShardedJob
{
    /// <summary>Words that call this program, e.g. <c>/opt/distill/distill</c>.</summary>
    public required IReadOnlyList<string> Program { get; init; }

    /// <summary>Path of the recipe where the processes run.</summary>
    public required string Recipe { get; init; }

    /// <summary>The folder of runs where the processes run.</summary>
    public required string RunsFolder { get; init; }

    /// <summary>Name of the job: lower-case letters, digits and hyphens.</summary>
    public required string Name { get; init; }

    /// <summary>How many processes make the data set.</summary>
    public required int Shards { get; init; }

    /// <summary>Whether only the data set is made.</summary>
    public bool IsDataSet { get; init; }

    /// <summary>What else the command is told, e.g. <c>--set seed=2</c>.</summary>
    public IReadOnlyList<string> More { get; init; } = [];

    /// <summary>Hours that a process may take.</summary>
    public int Hours { get; init; } = 24;

    /// <summary>How often a shard is begun again.</summary>
    public int Restarts { get; init; } = 3;

    public int Cpus { get; init; } = 8;

    public int MemoryGigabytes { get; init; } = 32;

    /// <summary>Accelerators of each process; 0 for none.</summary>
    public int Gpus { get; init; }

    /// <summary>The command of a shard, whose number the scheduler tells.</summary>
    public IReadOnlyList<string> ShardCommand => [.. Whole, "--shard", Graph.ShardNumber.Auto];

    /// <summary>The command that joins what shards have made, makes what is missing, and goes on.</summary>
    public IReadOnlyList<string> JoinCommand => Whole;

    private string[] Whole => [.. Program, IsDataSet ? "generate" : "run", Recipe, "--runs", RunsFolder, .. More];

    /// <summary>A job's name from any text.</summary>
    public static string NameOf(string text)
    {
        const int Longest = 40;
        var letters = text.ToLowerInvariant().Select(c => char.IsAsciiLetterLower(c) || char.IsAsciiDigit(c) ? c : '-');
        string name = new string([.. letters]).Trim('-');
        name = name[..Math.Min(name.Length, Longest)].TrimEnd('-');
        return name.Length == 0 ? "distill" : name;
    }
}
