using Distill.Pipeline.Recipes;

namespace Distill.Pipeline.Runs;

/// <summary>What <c>--from</c>, <c>--only</c>, <c>--force</c> and the end of the run mean for each stage.</summary>
internal sealed class StageSelection
{
    private readonly RunOptions options;

    /// <exception cref="RunRefusedException">An option names no stage, or two options contradict each other.</exception>
    public StageSelection(RunOptions options, IReadOnlyList<IStage> stages)
    {
        this.options = options;
        string[] groups = [.. stages.Select(Group).Distinct()];
        foreach (var (option, name) in (ReadOnlySpan<(string, string?)>)[("--from", options.From), ("--only", options.Only), ("--force", options.Force), ("until", options.Until)])
        {
            if (name is null || groups.Contains(name)) continue;
            string fault = StageNames.All.Contains(name) ? "the recipe leaves this stage out" : "there is no such stage";
            throw new RunRefusedException($"{option} {name}: {fault}; {Suggestion.Remedy(name, groups)}");
        }

        if (new[] { options.From, options.Only, options.Force }.Count(name => name is not null) > 1)
            throw new RunRefusedException("--from, --only and --force exclude one another: give one of them.");
    }

    /// <summary>The stages to look at: all, or with <c>--only</c> the chosen ones and what they are made from.</summary>
    public IReadOnlyList<IStage> Needed(IReadOnlyList<IStage> stages)
    {
        if (options.Only is null) return stages;
        var needed = new HashSet<string>();
        foreach (var stage in stages.Reverse().Where(stage => Group(stage) == options.Only || needed.Contains(stage.Name)))
        {
            needed.Add(stage.Name);
            needed.UnionWith(stage.Inputs);
        }

        return [.. stages.Where(stage => needed.Contains(stage.Name))];
    }

    public static string Group(IStage stage) => stage.Name.Split('/')[0];

    public bool IsForced(IStage stage)
    {
        string group = Group(stage);
        return group == options.Force || group == options.Only || (options.From is { } from && Index(group) >= Index(from));
    }

    /// <summary>Whether the stage may be done; others must be finished.</summary>
    public bool MayRun(IStage stage) => options.Only is null || Group(stage) == options.Only;

    /// <summary>Whether the run ends before this stage.</summary>
    public bool IsBeyondEnd(IStage stage) =>
        Index(Group(stage)) > Index(options.Until ?? StageNames.Evaluation) || (options.Only is { } only && Index(Group(stage)) > Index(only));

    private static int Index(string group)
    {
        for (int i = 0; i < StageNames.All.Count; i++)
        {
            if (StageNames.All[i] == group) return i;
        }

        return -1;
    }
}
