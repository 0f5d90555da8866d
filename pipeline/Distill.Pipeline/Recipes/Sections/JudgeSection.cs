using Distill.Pipeline.Recipes.Binding;
using Distill.Teacher.Remote.Judging;

namespace Distill.Pipeline.Recipes.Sections;

/// <summary><c>judge</c>: a model behind an endpoint that compares answers with references where problems ask for the verifier
/// <c>judge</c>.</summary>
internal sealed record JudgeSection : EndpointSection
{
    [Option("name of the model that the endpoint knows", Required = true)]
    public string Model { get; init; } = "";

    [Option("text file that says by which measure answers are compared", Path = PathUse.Any, Default = "one of ours: the same meaning, no "
        + "credit for style or effort", Remedy = "give a text file, or leave it out")]
    public string? Rubric { get; init; }

    [Option("longest reply, reasoning included; a reply that is cut off decides nothing", Minimum = 16, Maximum = 1_000_000,
        Unit = "tokens")]
    public int MaxTokens { get; init; } = 1024;

    public override IEnumerable<Rule> Rules(Recipe recipe)
    {
        foreach (var rule in base.Rules(recipe)) yield return rule;
        yield return Rule.Require(Endpoint.Length > 0, nameof(Endpoint), "a judge needs an endpoint",
            "give its address, up to and without /chat/completions");
        string? fault = RubricFault();
        yield return Rule.Require(fault is null, nameof(Rubric), fault ?? "", "write a text that says what counts as the same answer");
    }

    internal JudgeOptions ToJudge() => new()
    {
        Address = Endpoint, Model = Model, Rubric = ToRubric(), MaxTokens = MaxTokens, Concurrency = Concurrency,
    };

    /// <exception cref="IOException">The file cannot be read.</exception>
    private JudgeRubric ToRubric() => new(Rubric is { } path ? File.ReadAllText(path) : JudgeRubric.Default);

    private string? RubricFault()
    {
        if (Rubric is not { } path) return null;
        if (!File.Exists(path)) return "not a file";
        if (new FileInfo(path).Length > 4 * JudgeRubric.Longest) return $"longer than {JudgeRubric.Longest:N0} characters";
        try
        {
            ToRubric();
            return null;
        }
        catch (ArgumentException)
        {
            return $"it is empty or longer than {JudgeRubric.Longest:N0} characters";
        }
    }
}
