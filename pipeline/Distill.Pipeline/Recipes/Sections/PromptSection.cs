using System.Text.Json;
using System.Text.Json.Nodes;
using Distill.Pipeline.Recipes.Binding;
using Distill.Tokenization;

namespace Distill.Pipeline.Recipes.Sections;

/// <summary><c>prompt</c>: what every prompt begins with, and what the chat templates are told.</summary>
internal sealed record PromptSection : Section
{
    private const int MostExamples = 64;

    [Option("system message before every problem, for the teacher (in a folder or at an endpoint) and, unless `student_system` says "
        + "otherwise, the student. A problem's own system message goes before it", Default = "none", Longest = ExampleSection.LongestText)]
    public string System { get; init; } = "";

    [Option("the student's system message, in training, sampling, evaluation and the exported model. `\"\"` is none: the student "
        + "then learns to do without what the teacher was told (context distillation)", From = "prompt.system",
        Longest = ExampleSection.LongestText)]
    public string StudentSystem { get; init; } = "";

    [Option("variables of the chat templates, e.g. `{ enable_thinking: true }`", Default = "none")]
    public IReadOnlyDictionary<string, JsonElement> TemplateOptions { get; init; } = PromptStyle.Plain.TemplateOptions;

    [Option("solved examples that the teacher (in a folder or at an endpoint) is shown before every problem, as turns of the chat",
        Default = "none", Minimum = 0, Maximum = MostExamples, Rows = true)]
    public IReadOnlyList<ExampleSection> Examples { get; init; } = [];

    [Option("the same for the student, in training, sampling, evaluation and the exported model. None: the student learns to do without "
        + "them (context distillation)", Default = "none", Minimum = 0, Maximum = MostExamples, Rows = true)]
    public IReadOnlyList<ExampleSection> StudentExamples { get; init; } = [];

    internal PromptStyle ToTeacherStyle() => Style(System, Examples);

    internal PromptStyle ToStudentStyle() => Style(StudentSystem, StudentExamples);

    public bool Equals(PromptSection? other) => other is not null && System == other.System && StudentSystem == other.StudentSystem
        && Examples.SequenceEqual(other.Examples) && StudentExamples.SequenceEqual(other.StudentExamples)
        && CanonicalJson.Write(CanonicalJson.ToNode(TemplateOptions)) == CanonicalJson.Write(CanonicalJson.ToNode(other.TemplateOptions));

    public override int GetHashCode() => HashCode.Combine(System, StudentSystem, TemplateOptions.Count, Examples.Count);

    /// <summary>A style as a part of a stage's options; null where chats are put as they are.</summary>
    internal static JsonNode? KeyOf(PromptStyle style)
    {
        var examples = KeyOf(style.Examples);
        if (style.System is null && style.TemplateOptions.Count == 0)
            return examples is null ? null : new JsonObject { ["examples"] = examples };
        var node = CanonicalJson.ToNode(new { style.System, style.TemplateOptions });
        if (examples is not null) node["examples"] = examples;
        return node;
    }

    /// <summary>Turns of a chat as a part of a stage's options; null where there are none.</summary>
    internal static JsonNode? KeyOf(IReadOnlyList<ChatMessage> examples) => examples.Count == 0 ? null
        : new JsonArray([.. examples.Select(turn => (JsonNode?)JsonValue.Create(turn.Content))]);

    private PromptStyle Style(string system, IReadOnlyList<ExampleSection> examples) => new()
    {
        System = system.Length == 0 ? null : system,
        TemplateOptions = TemplateOptions,
        Examples = [.. examples.SelectMany(example => example.ToTurns())],
    };
}

/// <summary>One entry of <c>prompt.examples</c>: a question with the reply that it should get.</summary>
internal sealed record ExampleSection : Section
{
    internal const int LongestText = 32_768;

    [Option("what is asked", Required = true, Longest = LongestText)]
    public string Question { get; init; } = "";

    [Option("what is replied: the steps too, where the model shall show them, and the answer in the form in which it is wanted",
        Required = true, Longest = LongestText)]
    public string Answer { get; init; } = "";

    public override IEnumerable<Rule> Rules(Recipe recipe) =>
    [
        Rule.Require(Question.Length > 0, nameof(Question), "empty", "write what is asked"),
        Rule.Require(Answer.Length > 0, nameof(Answer), "empty", "write what is replied"),
    ];

    internal IEnumerable<ChatMessage> ToTurns() => [ChatMessage.User(Question), ChatMessage.Assistant(Answer)];
}
