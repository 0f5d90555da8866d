using Distill.Pipeline.Recipes;
using Distill.Pipeline.Runs;

namespace Distill.Pipeline.Graph;

/// <summary>What <c>--from</c>, <c>--only</c>, <c>--force</c> and the goal of the run mean for each stage.</summary>
internal sealed class StageSelection
{
    private readonly RunOptions options;
    private readonly string[] groups;

    /// <exception cref="RunRefusedException">An option names no stage, or two options contradict each other.</exception>
    public StageSelection(RunOptions options, StageGraph graph)
    {
        this.options = options;
        groups = [.. graph.Stages.Select(stage => stage.Declaration.Group).Distinct()];
        foreach (var (option, name) in
            (ReadOnlySpan<(string, string?)>)
            [
                ("--from", options.From), ("--only", options.Only), ("--force", options.Force), ("until", options.Until),
            ])
        {
            if (name is null || groups.Contains(name)) continue;
            throw new RunRefusedException($"{option} {name}: this recipe has no such stage; {Suggestion.Remedy(name, groups)}");
        }

        if (new[] { options.From, options.Only, options.Force }.Count(name => name is not null) > 1)
            throw new RunRefusedException("--from, --only and --force exclude one another: give one of them.");
        Needed = Select(graph);
    }

    /// <summary>The stages to look at, in order: all, or those that a goal asks for and what they are made from.</summary>
    public IReadOnlyList<IStage> Needed { get; }

    /// <summary>Whether any of them trains or reads the student.</summary>
    public bool MakesStudent => Needed.Any(stage =>
        stage.Declaration.Student is not null || stage.Declaration.Inputs.Contains(ExternalInputs.Base));

    public bool IsForced(IStage stage)
    {
        string group = stage.Declaration.Group;
        return group == options.Force || group == options.Only || (options.From is { } from && IndexOf(group) >= IndexOf(from));
    }

    /// <summary>Whether the stage may be done; others must be finished.</summary>
    public bool MayRun(IStage stage) => options.Only is null || stage.Declaration.Group == options.Only;

    private IReadOnlyList<IStage> Select(StageGraph graph)
    {
        if ((options.Only ?? options.Until) is not { } goal) return graph.Stages;
        var needed = new HashSet<string>();
        foreach (var stage in graph.Stages.Reverse().Select(stage => stage.Declaration)
            .Where(stage => stage.Group == goal || needed.Contains(stage.Name)
                || (options.Only is null && stage.GateOf is { } gated && needed.Contains(gated))))
        {
            needed.Add(stage.Name);
            needed.UnionWith(stage.Inputs);
        }

        return [.. graph.Stages.Where(stage => needed.Contains(stage.Declaration.Name))];
    }

    private int IndexOf(string group) => Array.IndexOf(groups, group);
}
