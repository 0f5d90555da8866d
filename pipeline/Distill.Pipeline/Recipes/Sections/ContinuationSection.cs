using Distill.Pipeline.Promotions;
using Distill.Pipeline.Recipes.Binding;

namespace Distill.Pipeline.Recipes.Sections;

/// <summary><c>continue_from</c>: the student begins as the last promoted one, learns what is new, and keeps some of the old in
/// mind.</summary>
internal sealed record ContinuationSection : Section
{
    [Option("place of a promoted model, as `promote.to` names it: its student is what is trained on, and `student.base` only where nothing "
        + "was promoted yet", Required = true, Path = PathUse.Place, DecidesResult = false)]
    public string Promoted { get; init; } = "";

    [Option("version to go on from; 0: `student.base`", Minimum = 0, Maximum = 1_000_000, DecidesResult = false,
        Default = "the one in place when the run is started, which the resolved recipe then names")]
    public int? Version { get; init; }

    [Option("share of the fine-tuning examples that are old ones, drawn from what the promoted student was trained on; against forgetting",
        Minimum = 0, Maximum = 0.95)]
    public double Replay { get; init; } = 0.2;

    [Option("train only on problems that the promoted student was not trained on; without any, the run ends before its teacher is asked")]
    public bool NewProblems { get; init; } = true;

    /// <summary>The folder of the version; null where the run begins with <c>student.base</c>.</summary>
    internal string? VersionFolder => Version is > 0 and var number ? PromotionPlace.FolderOf(Promoted, number) : null;

    public override IEnumerable<Rule> Rules(Recipe recipe)
    {
        yield return Rule.Require(VersionFolder is not { } folder || Directory.Exists(folder), nameof(Version),
            $"version {Version} is not kept in {Promoted}",
            "leave it out to go on from the one in place, or take 0 to begin with student.base");
    }

    /// <summary>
    /// The recipe with the version that it goes on from: what was in place when it was read, unless it says another. From here on its base
    /// is that version's student.
    /// </summary>
    internal static DistillationRecipe Resolve(DistillationRecipe recipe)
    {
        if (recipe.ContinueFrom is not { } section) return recipe;
        section = section with { Version = section.Version ?? PromotionPlace.CurrentOf(section.Promoted) ?? 0 };
        return section.VersionFolder is not { } folder
            ? recipe with { ContinueFrom = section }
            : recipe with
            {
                ContinueFrom = section,
                Student = recipe.Student with { Base = Path.Combine(folder, PromotedVersion.StudentFolder) },
                Pulled = recipe.Pulled.Without("student.base"),
            };
    }
}
