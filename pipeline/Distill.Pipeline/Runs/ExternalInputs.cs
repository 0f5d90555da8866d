using Distill.Data.Storage;
using Distill.Pipeline.Recipes;
using Distill.Teacher.Remote.Collection;

namespace Distill.Pipeline.Runs;

/// <summary>The models that a recipe brings along. Their digest covers what decides what they say, not their cards and logs.</summary>
internal static class ExternalInputs
{
    public const string Teacher = "teacher-model", Base = "base-model";

    private static readonly string[] Descriptions = [".md", ".jsonl", ".yaml", "distill.json"];

    public static IReadOnlyDictionary<string, StageInput> Of(DistillationRecipe recipe) => new Dictionary<string, StageInput>
    {
        [Teacher] = recipe.Teacher.Remote is { } remote ? new StageInput("", TeacherIdentity.OfModel(remote.Endpoint, recipe.Teacher.Model), null) : Open(recipe.Teacher.Model),
        [Base] = Open(recipe.Student.Base),
    };

    public static string DigestOf(string folder)
    {
        var lines = Directory.EnumerateFiles(folder, "*", SearchOption.AllDirectories)
            .Where(path => !Descriptions.Any(ending => path.EndsWith(ending, StringComparison.Ordinal)))
            .Select(path => $"{Path.GetRelativePath(folder, path).Replace(Path.DirectorySeparatorChar, '/')}\0{FileDigest.OfFile(path)}\n")
            .Order(StringComparer.Ordinal);
        return FileDigest.Of(System.Text.Encoding.UTF8.GetBytes(string.Concat(lines)));
    }

    private static StageInput Open(string folder) => new(folder, DigestOf(folder), null);
}
