using System.Text.Json;
using System.Text.Json.Nodes;
using Distill.Data.Problems;
using Distill.Pipeline.Recipes.Binding;
using Distill.Tokenization;

namespace Distill.Pipeline.Recipes.Sections;

/// <summary><c>problems</c>: what is asked. The parts never share a problem, whatever the numbers.</summary>
internal sealed record ProblemSection : Section
{
    [Option("the mixture: problem families, each at a level and with its share", Required = true, Minimum = 1, Maximum = 64)]
    public IReadOnlyList<FamilyShare> Families { get; init; } = [];

    [Option("problems that the teacher solves", Minimum = 1, Maximum = 10_000_000)]
    public int Train { get; init; } = 4000;

    [Option("problems that steer training: held-out scores of `rl`, `preference` and `sft.held_out`", Minimum = 0, Maximum = 1_000_000)]
    public int Validation { get; init; } = 200;

    [Option("held-out problems of the report", Minimum = 1, Maximum = 1_000_000)]
    public int Test { get; init; } = 400;

    [Option("how many of the test problems get perturbation twins", Minimum = 0, Maximum = 1_000_000, Default = "100, at most `test`")]
    public int Twins { get; init; } = 100;

    [Option(Recipe.OwnSeed, Minimum = 0, Maximum = long.MaxValue, From = "seed")]
    public long Seed { get; init; }

    public override object? DefaultOf(string property, Recipe recipe) => property == nameof(Twins) ? Math.Min(100, Test) : null;

    public override IEnumerable<Rule> Rules(Recipe recipe) =>
    [
        .. FamilyShare.Rules(nameof(Families), Families),
        Rule.Require(Twins <= Test, nameof(Twins), $"more than the {Test:N0} test problems", "lower problems.twins or raise problems.test"),
    ];

    internal IReadOnlyList<ProblemSetPart> ToParts() =>
        [.. Families.Select(share => new ProblemSetPart(share.Name, share.Level, share.Weight))];
}

/// <summary>One entry of <c>families</c>.</summary>
internal sealed record FamilyShare : Section
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
        Rule.Require(shares.Count > 0, property, "no problem family is chosen", $"list at least one of {string.Join(", ", Names)}"),
        Rule.Require(shares.Select(share => (share.Name, share.Level)).Distinct().Count() == shares.Count,
            property, "the same family and level is listed twice", "keep one of them and raise its weight"),
    ];
}

/// <summary><c>prompt</c>: what every prompt begins with, and what the chat templates are told.</summary>
internal sealed record PromptSection : Section
{
    [Option("system message before every problem, for the teacher and, unless `student_system` says otherwise, the student",
        Default = "none")]
    public string System { get; init; } = "";

    [Option("the student's system message, in training, sampling, evaluation and the exported model. `\"\"` is none: the student "
        + "then learns to do without what the teacher was told (context distillation)", From = "prompt.system")]
    public string StudentSystem { get; init; } = "";

    [Option("variables of the chat templates, e.g. `{ enable_thinking: true }`", Default = "none")]
    public IReadOnlyDictionary<string, JsonElement> TemplateOptions { get; init; } = PromptStyle.Plain.TemplateOptions;

    internal PromptStyle ToTeacherStyle() => Style(System);

    internal PromptStyle ToStudentStyle() => Style(StudentSystem);

    public bool Equals(PromptSection? other) => other is not null && System == other.System && StudentSystem == other.StudentSystem
        && CanonicalJson.Write(CanonicalJson.ToNode(TemplateOptions)) == CanonicalJson.Write(CanonicalJson.ToNode(other.TemplateOptions));

    public override int GetHashCode() => HashCode.Combine(System, StudentSystem, TemplateOptions.Count);

    /// <summary>A style as a part of a stage's options; null where chats are put as they are.</summary>
    internal static JsonNode? KeyOf(PromptStyle style) => style.System is null && style.TemplateOptions.Count == 0 ? null
        : CanonicalJson.ToNode(new { style.System, style.TemplateOptions });

    private PromptStyle Style(string system) => new() { System = system.Length == 0 ? null : system, TemplateOptions = TemplateOptions };
}
