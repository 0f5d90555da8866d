using System.Text;
using Distill.Data.Storage;
using Distill.Pipeline.Problems;
using Distill.Pipeline.Recipes;
using Distill.Pipeline.Recipes.Sections;
using Distill.Teacher.Remote.Collection;

namespace Distill.Pipeline.Graph;

/// <summary>
/// The models and problem files that a recipe brings along. Their digest covers what decides what they say, not their cards and logs.
/// </summary>
internal static class ExternalInputs
{
    public const string Teacher = "teacher-model", Base = "base-model", Start = "start-model", TokenizerFolder = "tokenizer",
        ProblemFiles = "problem-files";

    private static readonly string[] Descriptions = [".md", ".jsonl", ".yaml", "distill.json"];

    /// <summary>Those that some stages need, and no others: a data set needs no student.</summary>
    public static IReadOnlyDictionary<string, StageInput> Of(Recipe recipe, IEnumerable<IStage> stages, DigestMemory memory) => stages
        .SelectMany(stage => stage.Declaration.Inputs).Distinct()
        .Select(name => (Name: name, Input: Of(recipe, name, memory)))
        .Where(input => input.Input is not null)
        .ToDictionary(input => input.Name, input => input.Input!);

    public static string DigestOf(string folder, DigestMemory memory)
    {
        var lines = Directory.EnumerateFiles(folder, "*", SearchOption.AllDirectories)
            .Where(path => !Descriptions.Any(ending => path.EndsWith(ending, StringComparison.Ordinal)))
            .Select(path => $"{Path.GetRelativePath(folder, path).Replace(Path.DirectorySeparatorChar, '/')}\0{memory.Of(path)}\n")
            .Order(StringComparer.Ordinal);
        return FileDigest.Of(Encoding.UTF8.GetBytes(string.Concat(lines)));
    }

    // Null for what an earlier stage makes.
    private static StageInput? Of(Recipe recipe, string name, DigestMemory memory) => (recipe, name) switch
    {
        (DistillationRecipe distillation, Teacher) => TeacherOf(distillation.Teacher, memory),
        (DistillationRecipe distillation, Base) => Open(distillation.Student.Base, memory),
        (DistillationRecipe distillation, ProblemFiles) =>
            new StageInput("", RecipeProblems.Of(distillation.Problems).DigestOf(memory), null),
        (PretrainRecipe pretraining, Start) => Open(pretraining.Start!, memory),
        (PretrainRecipe pretraining, TokenizerFolder) => TokenizerOf(pretraining.Tokenizer.From!, memory),
        _ => null,
    };

    // What pretraining takes over: the template decides what is trained on as much as the tokens do.
    private static StageInput TokenizerOf(string folder, DigestMemory memory)
    {
        string[] files = ["tokenizer.json", "tokenizer_config.json", "chat_template.jinja"];
        var lines = files.Select(file => Path.Combine(folder, file)).Select(path => File.Exists(path) ? memory.Of(path) : "-");
        return new StageInput(folder, FileDigest.Of(Encoding.UTF8.GetBytes(string.Join('\n', lines))), null);
    }

    private static StageInput TeacherOf(TeacherSection teacher, DigestMemory memory) => teacher.Remote is { } remote
        ? new StageInput("", TeacherIdentity.OfModel(remote.Endpoint, teacher.Model), null)
        : Open(teacher.Model, memory);

    private static StageInput Open(string folder, DigestMemory memory) => new(folder, DigestOf(folder, memory), null);
}
