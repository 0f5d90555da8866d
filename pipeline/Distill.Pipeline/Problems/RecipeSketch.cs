using System.Globalization;
using System.Text;
using System.Text.Json;
using Distill.Pipeline.Recipes.Sections;

namespace Distill.Pipeline.Problems;

/// <summary>A first recipe for somebody's own problems, as text with comments that teach what to change.</summary>
internal sealed record RecipeSketch
{
    private const int LongestAnswer = 1024, LongestSequence = 2048;

    public required string Name { get; init; }

    /// <summary>The problems, as the recipe names them: paths are written as they stand here.</summary>
    public required SourceSection Source { get; init; }

    /// <summary>What <see cref="Source"/> is written with: a path relative to the recipe.</summary>
    public required string Place { get; init; }

    /// <summary>Problems left for each split at this moment.</summary>
    public required (int Train, int Validation, int Test) Counts { get; init; }

    /// <summary>Who grades the answers: <c>auto</c>, or the one that all are graded by.</summary>
    public required string Verifier { get; init; }

    /// <summary>Rows that are no problem are there, and passed over.</summary>
    public bool SkipsBadRows { get; init; }

    /// <summary>Folder, <c>hf://</c>, or an endpoint's address.</summary>
    public required string Teacher { get; init; }

    /// <summary>The name that an endpoint knows; null for a folder.</summary>
    public string? TeacherModel { get; init; }

    /// <summary>Environment variable with the endpoint's key; null: none is needed.</summary>
    public string? ApiKeyEnv { get; init; }

    public required string Student { get; init; }

    /// <summary>Longest sequence of the student; null where its folder does not say yet.</summary>
    public int? Positions { get; init; }

    /// <summary>Whether the student's tokenizer has to get marks for thoughts.</summary>
    public bool AddsMarks { get; init; }

    /// <summary>Width of the student; null where its folder does not say yet.</summary>
    public int? Width { get; init; }

    private int Sequence => Math.Min(LongestSequence, Positions ?? LongestSequence);

    private int Answer => Math.Min(LongestAnswer, Sequence * 3 / 4);

    /// <summary>The recipe.</summary>
    public string ToYaml()
    {
        var text = new StringBuilder();
        text.Append(CultureInfo.InvariantCulture, $"""
            # Made by 'distill init'. Every key is explained in docs/recipes.md; what is not written here has a default.
            #   distill plan FILE   shows what a run would do        distill run FILE   does it; run again, it goes on where it stopped
            name: {Name}
            seed: 1

            # What every prompt begins with. Answers are read from the box, so keep that sentence.
            prompt:
              system: {Quoted(Instruction)}


            """);
        Problems(text);
        TeacherPart(text);
        StudentPart(text);
        return text.ToString();
    }

    private string Instruction => Verifier switch
    {
        "choice" => @"Think step by step. Then put the letter of the right option in \boxed{}.",
        "exact" => @"Think step by step. Then put the answer, and nothing else, in \boxed{}.",
        _ => @"Think step by step. Then put the final answer in \boxed{}.",
    };

    private void Problems(StringBuilder text)
    {
        text.Append("# What is asked. 'distill problems check' shows what a source gives, with line numbers.\n"
            + "problems:\n  sources:\n    - ");
        text.AppendJoin("\n      ", Entries()).Append('\n');
        if (Verifier == "auto")
            text.Append("  # Numbers and LaTeX are compared by value, letters of options as such, other text as it is written.\n");
        text.Append(CultureInfo.InvariantCulture, $"  verifier: {Verifier}\n");
        if (SkipsBadRows) text.Append("  on_bad_row: skip          # rows that are no problem are counted; fail: they stop the run\n");
        text.Append(CultureInfo.InvariantCulture, $"""
              # At most so many. A tenth of the questions is held out for the test, by a hash of the question, so that it stays held out
              # when the file grows. To bring test problems of your own: test_sources: [{"{"} file: test.jsonl {"}"}]
              train: 4000               # there are {Counts.Train + Counts.Validation:N0} now
              validation: 0             # above 0, another tenth is held out, by which rl and preference are steered
              test: 400                 # there are {Counts.Test:N0} now


            """);
    }

    private IEnumerable<string> Entries()
    {
        yield return $"{(Source.Hub is not null ? "hub" : Source.Folder is not null ? "folder" : "file")}: {Quoted(Place)}";
        if (Source.Format != "auto") yield return $"format: {Source.Format}";
        foreach (var (key, value) in new (string, string?)[]
        {
            ("config", Source.Config), ("split", Source.Split), ("question", Source.Question), ("answer", Source.Answer),
            ("solution", Source.Solution), ("choices", Source.Choices), ("system", Source.System), ("domain", Source.Domain),
            ("level", Source.Level), ("id", Source.Id), ("verifier", Source.Verifier),
        })
        {
            if (value is not null) yield return $"{key}: {Quoted(value)}";
        }
    }

    private void TeacherPart(StringBuilder text)
    {
        text.Append("# Solves the training problems; only what the verifier finds right is learned.\nteacher:\n");
        if (TeacherModel is null)
        {
            text.Append(CultureInfo.InvariantCulture, $"  model: {Quoted(Teacher)}\n");
        }
        else
        {
            text.Append(CultureInfo.InvariantCulture, $"  endpoint: {Quoted(Teacher)}\n  model: {Quoted(TeacherModel)}\n");
            if (NetworkOf(Teacher) is { } network) text.Append(CultureInfo.InvariantCulture, $"  network: {network}\n");
            if (ApiKeyEnv is not null)
                text.Append(CultureInfo.InvariantCulture, $"  api_key_env: {ApiKeyEnv}   # the variable that holds the key; "
                    + $"the key itself never stands here\n");
        }

        text.Append(CultureInfo.InvariantCulture, $"  samples: 4                # solutions of each problem\n"
            + $"  temperature: 0.7\n  max_tokens: {Answer}\n\n");
    }

    private void StudentPart(StringBuilder text)
    {
        text.Append(CultureInfo.InvariantCulture, $"""
            # The small model that learns.
            student:
              base: {Quoted(Student)}

            """);
        if (AddsMarks) text.Append("  add_tokens: true          # <think> and </think>, which its tokenizer lacks\n");
        text.Append(CultureInfo.InvariantCulture, $"\nsft:\n  epochs: 2\n  sequence_length: {Sequence}\n");
        // What a tiny model needs to move at all would wreck a large one.
        if (Width is null or >= 256) text.Append("  learning_rate: 5.0e-5\n");
        text.Append("answer_only: { enabled: false }\n"
            + "rl: { steps: 0 }            # above 0: reinforcement after fine-tuning; slow on a CPU\n\n");
        text.Append(CultureInfo.InvariantCulture, $"""
            # The folder that apps load: runs/{Name}/model. For a smaller one: precision: int8, with parity: {"{"} tolerance: 0.1 {"}"}.
            export: {"{"} precision: fp32 {"}"}
            parity: {"{"} prompts: {Math.Clamp(Counts.Test, 1, 20)}, tokens: 64 {"}"}
            evaluation: {"{"} samples: 0, max_tokens: {Answer} {"}"}

            """);
    }

    /// <summary>Where an endpoint lies, told by its address; null: public.</summary>
    public static string? NetworkOf(string address)
    {
        if (!Uri.TryCreate(address, UriKind.Absolute, out var uri)) return null;
        if (uri.IsLoopback) return "loopback";
        byte[] parts = System.Net.IPAddress.TryParse(uri.Host, out var ip) ? ip.GetAddressBytes() : [];
        return parts is [10, ..] or [192, 168, ..] or [172, >= 16 and <= 31, ..] ? "private" : null;
    }

    // JSON text is YAML text; plain words stand without quotes.
    private static string Quoted(string text) =>
        text.Length > 0 && char.IsAsciiLetter(text[0]) && text.All(c => char.IsAsciiLetterOrDigit(c) || c is '_' or '-' or '/' or '.')
        && text is not ("true" or "false" or "null" or "yes" or "no" or "on" or "off")
            ? text : JsonSerializer.Serialize(text, Recipes.CanonicalJson.Spelling);
}
