using Distill.Pipeline.Promotions;
using Distill.Pipeline.Recipes.Binding;

namespace Distill.Pipeline.Recipes.Sections;

/// <summary>What a model has to show against the one in place.</summary>
internal enum PromotionRequirement
{
    /// <summary>That it loses less than the margin.</summary>
    NotWorse,

    /// <summary>That it solves more.</summary>
    Better,
}

/// <summary>What a model has to show where none is in place yet.</summary>
internal enum FirstPromotion
{
    /// <summary>That it solves more than the base that it was trained from.</summary>
    BetterThanBase,

    /// <summary>Nothing beyond parity and <c>minimum</c>.</summary>
    Any,
}

/// <summary>How the place is made to show the promoted model.</summary>
internal enum PlaceKind
{
    /// <summary>A symbolic link to it.</summary>
    Link,

    /// <summary>A folder of its files, exchanged for the former in one step. Linux.</summary>
    Folder,
}

/// <summary><c>promote</c>: when the exported model takes the place of the one that applications load. Changes no result of the
/// run.</summary>
internal sealed record PromotionSection : Section
{
    [Option("the place that applications load: a link or folder that promotion makes and replaces in one step; the versions lie beside it "
        + "in a folder of the same name with `.versions`", Required = true, Path = PathUse.Place, DecidesResult = false)]
    public string To { get; init; } = "";

    [Option("what the model must show against the one in place, on the same test problems: that it loses less than the margin, or that it "
        + "is better", DecidesResult = false)]
    public PromotionRequirement Require { get; init; } = PromotionRequirement.NotWorse;

    [Option("largest loss that may remain possible, as a share of the test problems; one-sided 95 %", Minimum = 0, Maximum = 0.5,
        DecidesResult = false)]
    public double Margin { get; init; } = 0.03;

    [Option("the same within each domain, where fewer problems say less", Minimum = 0, Maximum = 1, DecidesResult = false)]
    public double DomainMargin { get; init; } = 0.1;

    [Option("test problems that a domain needs to be tested by itself; smaller ones are tested together", Minimum = 1, Maximum = 1_000_000,
        Unit = "problems", DecidesResult = false)]
    public int DomainProblems { get; init; } = 50;

    [Option("share of the test problems that the model must be shown to solve, whatever is in place; one-sided 95 %", Minimum = 0,
        Maximum = 1, DecidesResult = false)]
    public double Minimum { get; init; }

    [Option("what the first model in the place must show", DecidesResult = false)]
    public FirstPromotion First { get; init; } = FirstPromotion.BetterThanBase;

    [Option("earlier versions kept for going back", Minimum = 1, Maximum = 1000, DecidesResult = false)]
    public int Keep { get; init; } = 3;

    [Option("how the place shows the model: `folder` is for what follows no links, and needs Linux", DecidesResult = false)]
    public PlaceKind As { get; init; } = PlaceKind.Link;

    public override IEnumerable<Rule> Rules(Recipe recipe)
    {
        string name = Path.GetFileName(Path.TrimEndingDirectorySeparator(To));
        yield return Rule.Require(To.Length == 0 || name.Length > 0, nameof(To), "no place that something can be put in",
            "give the path of a link or folder, e.g. models/mine");
        yield return Rule.Require(As == PlaceKind.Link || OperatingSystem.IsLinux(), nameof(As),
            "folders cannot be exchanged in one step on this system", "take link");
    }
}

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

    /// <summary>With what the run begins, in a sentence.</summary>
    internal string Beginning => Version is > 0 ? $"Goes on from version {Version} of '{Promoted}'."
        : $"Nothing was promoted to '{Promoted}' yet: begins with student.base.";

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
