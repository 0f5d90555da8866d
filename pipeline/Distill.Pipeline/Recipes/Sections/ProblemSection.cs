using Distill.Data.Problems;
using Distill.Data.Sources;
using Distill.Pipeline.Models;
using Distill.Pipeline.Recipes.Binding;
using Distill.Pipeline.Stages.Data;

namespace Distill.Pipeline.Recipes.Sections;

/// <summary><c>problems</c>: what is asked. The parts never share a problem, whatever the numbers.</summary>
internal sealed record ProblemSection : Section
{
    private const int MostSources = 64;

    [Option("the mixture: problem families, each at a level and with its share; or `problems.sources`", Minimum = 1, Maximum = 64,
        Default = "none")]
    public IReadOnlyList<AskedFamily> Families { get; init; } = [];

    [Option("where problems come from, instead of `problems.families`: files, data sets, traces and families, mixed", Minimum = 1,
        Maximum = MostSources, Default = "none; with `traces.from` the problems of those traces")]
    public IReadOnlyList<SourceSection> Sources { get; init; } = [];

    [Option("sources of the test problems alone, instead of holding some out", Minimum = 1, Maximum = MostSources, Default = "none")]
    public IReadOnlyList<SourceSection> TestSources { get; init; } = [];

    [Option("sources that nothing is asked of: training problems that come too near to theirs are left out", Minimum = 1,
        Maximum = MostSources, Default = "none")]
    public IReadOnlyList<SourceSection> Decontaminate { get; init; } = [];

    [Option("who judges the answers of sources that do not say so; `auto`: the format, else the look of each answer",
        Words = nameof(Verifiers))]
    public string Verifier { get; init; } = ProblemMaker.Auto;

    [Option("what becomes of a row that is no problem, or whose answer no verifier can read: `fail` names them before the run, `skip` "
        + "leaves them out and counts them")]
    public BadRows OnBadRow { get; init; } = BadRows.Fail;

    [Option("similarity (of three-word shingles) from which two questions of files count as one, with equal answers, or across splits; 1: "
        + "equal ones only", Minimum = 0.3, Maximum = 1)]
    public double NearDuplicates { get; init; } = 0.8;

    [Option("a problem that shares so many words in a row with one of a split before its own (test, validation, train) is left out; 0: "
        + "none is", Minimum = 0, Maximum = 100, Unit = "words")]
    public int SharedWords { get; init; } = 8;

    [Option("problems that the teacher solves; of sources without weights at most", Minimum = 1, Maximum = 10_000_000)]
    public int Train { get; init; } = 4000;

    [Option("of how many training problems, from the first, the twins are trained on too: other names, idle clauses, questions that "
        + "have no answer any more. Twins of test problems are then nothing new to the student", Minimum = 0, Maximum = 10_000_000)]
    public int TrainTwins { get; init; }

    [Option("more training problems, which only `rl` asks, in place of those that the student knows from its traces: they need no "
        + "teacher. Families and files have their shares of training, frequent answers of a family their usual ones; where there are no "
        + "others, training problems are asked", Minimum = 0, Maximum = 10_000_000, Default = "0: `rl` asks the training problems")]
    public int Practice { get; init; }

    [Option("problems that steer training: held-out scores of `rl`, `preference` and `sft.held_out`", Minimum = 0, Maximum = 1_000_000)]
    public int Validation { get; init; } = 200;

    [Option("held-out problems of the report", Minimum = 1, Maximum = 1_000_000)]
    public int Test { get; init; } = 400;

    [Option("how many of the test problems get perturbation twins", Minimum = 0, Maximum = 1_000_000, Default = "100, at most `test`")]
    public int Twins { get; init; } = 100;

    [Option(Recipe.OwnSeed, Minimum = 0, Maximum = long.MaxValue, From = "seed")]
    public long Seed { get; init; }

    public override object? DefaultOf(string property, Recipe recipe) => property switch
    {
        nameof(Twins) => Math.Min(100, Test),
        nameof(Sources) when Families.Count == 0 && recipe is DistillationRecipe { Traces.From: { } traces } => Asked(traces),
        _ => null,
    };

    // Existing traces bring their problems along.
    private static IReadOnlyList<SourceSection> Asked(string traces) =>
        [new SourceSection { Traces = GivenTraces.PatternOf(traces), Name = SourceName.OfRepository(ModelName.Of(traces)) }];

    /// <summary>
    /// Verifiers that may grade its problems: a source that leaves the choice open may have any of those that need nothing.
    /// </summary>
    internal IEnumerable<string> VerifierNames() => !HasSources ? Families.Select(share => share.Name)
        : Sources.Concat(TestSources).SelectMany(source => source switch
        {
            { Family: { } family } => [family],
            { Verifier: { } own } => [own],
            { Traces: null } when Verifier != ProblemMaker.Auto => [Verifier],
            _ => Distill.Verification.Verifiers.All.Select(verifier => verifier.Name)
                .Concat(source.Traces is null ? [] : ProblemFamilies.All.Select(family => family.Name)),
        });

    private static IEnumerable<string> Verifiers => SourceSection.Verifiers;

    /// <summary>Whether anything but generated families is asked.</summary>
    internal bool HasSources => Sources.Count > 0;

    internal bool SkipsBadRows => OnBadRow == BadRows.Skip;

    /// <summary>Entries whose problems are asked, or held against.</summary>
    internal IEnumerable<SourceSection> AllSources => [.. Sources, .. TestSources, .. Decontaminate];

    /// <summary>Whether `rl` asks problems that have no traces; else it asks those of training.</summary>
    internal bool HasPractice => Practice > 0;

    /// <summary>Most problems that `rl` may draw from.</summary>
    internal int AskedByReinforcement => HasPractice ? Practice : Train;

    public override IEnumerable<Rule> Rules(Recipe recipe) =>
    [
        .. HasSources ? SourceRules() : FamilyShare.Rules(nameof(Families), Families),
        Rule.Require(Families.Count == 0 || !HasSources, nameof(Sources), "problems.families says already what is asked",
            "write the families as entries of problems.sources: - { family: arithmetic, level: 2 }"),
        .. OnlyWithSources(),
        Rule.Require(TrainTwins <= Train, nameof(TrainTwins), $"more than the {Train:N0} training problems",
            "lower problems.train_twins or raise problems.train"),
        Rule.Unused(recipe is DistillationRecipe { Rl.Steps: 0 }, nameof(Practice), "only rl asks them, and rl.steps is 0",
            "leave it out, or set rl.steps"),
        Rule.Require(Twins <= Test, nameof(Twins), $"more than the {Test:N0} test problems", "lower problems.twins or raise problems.test"),
    ];

    private IEnumerable<Rule> SourceRules() => AllSources.Where(source => source.Family is null).GroupBy(source => source.Name)
        .Where(group => group.Count() > 1 && group.Key.Length > 0).Select(group => Rule.Require(false, nameof(Sources),
            $"two sources are called '{group.Key}'", "give one of them another name: name: ..."));

    private IEnumerable<Rule> OnlyWithSources() =>
        ((string[])[nameof(TestSources), nameof(Decontaminate), nameof(Verifier), nameof(OnBadRow), nameof(NearDuplicates),
            nameof(SharedWords)]).Select(property =>
            Rule.Unused(!HasSources, property, "only problems.sources brings problems of others",
                "leave it out, or write problems.sources"));

    /// <summary>The section as if it were of one split alone: families have the weights that they have there.</summary>
    internal ProblemSection Of(Split split) => this with
    {
        Families = [.. Families.Select(share => share with { Weight = share.WeightIn(split), TrainWeight = null })],
    };

    internal IReadOnlyList<ProblemSetPart> ToParts(Split split) =>
        [.. Families.Select(share => new ProblemSetPart(share.Name, share.Level, share.WeightIn(split)))];
}

/// <summary>What becomes of rows that are no problems.</summary>
internal enum BadRows
{
    Fail,
    Skip,
}

/// <summary>One entry of <c>families</c>: what is drawn, and how much of it.</summary>
internal record FamilyShare : Section
{
    private static Dictionary<string, int> Levels { get; } = ProblemFamilies.All.ToDictionary(family => family.Name, family =>
        family.MaxLevel);

    private static IEnumerable<string> Names => Levels.Keys;

    [Option("a problem family", Required = true, Words = nameof(Names))]
    public string Name { get; init; } = "";

    [Option("difficulty, up to the family's highest", Minimum = 1, Maximum = 100)]
    public int Level { get; init; } = 1;

    [Option("share relative to the other entries", Minimum = 0, Above = true, Maximum = 1000)]
    public double Weight { get; init; } = 1;

    public override IEnumerable<Rule> Rules(Recipe recipe)
    {
        if (!Levels.TryGetValue(Name, out int highest)) return [];
        return [Rule.Require(Level <= highest, nameof(Level), "out of range", $"allowed: 1..{highest}")];
    }

    /// <summary>Of a list of them.</summary>
    public static IEnumerable<Rule> Rules(string property, IReadOnlyList<FamilyShare> shares) =>
    [
        Rule.Require(shares.Count > 0, property, "no problem family is chosen",
            $"list at least one of {string.Join(", ", Names)}, or write problems.sources"),
        Rule.Require(shares.Select(share => (share.Name, share.Level)).Distinct().Count() == shares.Count,
            property, "the same family and level is listed twice", "keep one of them and raise its weight"),
    ];
}

/// <summary>One entry of <c>problems.families</c>, whose problems are also validated and tested on.</summary>
internal sealed record AskedFamily : FamilyShare
{
    [Option("share among training problems and those of `problems.practice`, where it is another one: more of what is hard, less of what "
        + "has few different problems", Minimum = 0, Above = true, Maximum = 1000, Default = "`weight`")]
    public double? TrainWeight { get; init; }

    internal double WeightIn(Split split) => split == Split.Train ? TrainWeight ?? Weight : Weight;
}
