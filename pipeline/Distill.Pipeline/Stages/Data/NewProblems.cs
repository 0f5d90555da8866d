using Distill.Data.Problems;
using Distill.Pipeline.Graph;
using Distill.Pipeline.Promotions;
using Distill.Pipeline.Recipes;
using Distill.Pipeline.Runs;

namespace Distill.Pipeline.Stages.Data;

/// <summary>Leaves out of a split what the promoted student was trained on, where the recipe goes on from one.</summary>
internal sealed class NewProblems
{
    private readonly int? version;

    private NewProblems(int? version) => this.version = version;

    /// <summary>What the stage reads for it.</summary>
    public IReadOnlyList<string> Inputs => version is null ? [] : [ExternalInputs.Known];

    public static NewProblems Of(DistillationRecipe recipe, Split split) =>
        new(split == Split.Train && recipe.ContinueFrom is { VersionFolder: not null, NewProblems: true } section ? section.Version : null);

    /// <param name="draw">Gives the first so many problems of the split.</param>
    /// <returns>The first of them that are new, and what to say of the others.</returns>
    /// <exception cref="RunEndedException">None is.</exception>
    public (IReadOnlyList<Problem> Problems, string Note) Take(StageContext context, int count, Func<int, IReadOnlyList<Problem>> draw)
    {
        if (version is null) return (draw(count), "");
        var known = KnownProblems.Read(context.Input(ExternalInputs.Known).Folder);
        var drawn = draw((int)Math.Min(int.MaxValue, (long)count + known.Count));
        List<Problem> fresh = [.. drawn.Where(problem => !known.Contains(KnownProblems.DigestOf(problem))).Take(count)];
        return fresh.Count > 0 ? (fresh, $", none of the {known.Count:N0} that version {version} was trained on")
            : throw new RunEndedException($"There is no problem that version {version} was not trained on: nothing to do.");
    }
}
