using System.Text;
using Distill.Data.Storage;
using Distill.Pipeline.Recipes;
using Distill.Teacher.Remote.Collection;

namespace Distill.Pipeline.Graph;

/// <summary>The models that a recipe brings along. Their digest covers what decides what they say, not their cards and logs.</summary>
internal static class ExternalInputs
{
    public const string Teacher = "teacher-model", Base = "base-model";

    private static readonly string[] Descriptions = [".md", ".jsonl", ".yaml", "distill.json"];

    /// <summary>Those that some stages need, and no others: a data set needs no student.</summary>
    public static IReadOnlyDictionary<string, StageInput> Of(DistillationRecipe recipe, IEnumerable<IStage> stages, DigestMemory memory)
    {
        var needed = stages.SelectMany(stage => stage.Declaration.Inputs).ToHashSet(StringComparer.Ordinal);
        var inputs = new Dictionary<string, StageInput>();
        if (needed.Contains(Teacher)) inputs[Teacher] = TeacherOf(recipe.Teacher, memory);
        if (needed.Contains(Base)) inputs[Base] = Open(recipe.Student.Base, memory);
        return inputs;
    }

    public static string DigestOf(string folder, DigestMemory memory)
    {
        var lines = Directory.EnumerateFiles(folder, "*", SearchOption.AllDirectories)
            .Where(path => !Descriptions.Any(ending => path.EndsWith(ending, StringComparison.Ordinal)))
            .Select(path => $"{Path.GetRelativePath(folder, path).Replace(Path.DirectorySeparatorChar, '/')}\0{memory.Of(path)}\n")
            .Order(StringComparer.Ordinal);
        return FileDigest.Of(Encoding.UTF8.GetBytes(string.Concat(lines)));
    }

    private static StageInput TeacherOf(TeacherSection teacher, DigestMemory memory) => teacher.Remote is { } remote
        ? new StageInput("", TeacherIdentity.OfModel(remote.Endpoint, teacher.Model), null)
        : Open(teacher.Model, memory);

    private static StageInput Open(string folder, DigestMemory memory) => new(folder, DigestOf(folder, memory), null);
}
