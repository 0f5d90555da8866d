using Distill.Pipeline.Recipes;
using Distill.Pipeline.Recipes.Binding;

namespace Distill.Service.Schedules;

/// <summary>Reads <c>schedules.yaml</c>: one valid document, or every problem of it at once.</summary>
internal static class ScheduleFile
{
    public const string UsualName = "schedules.yaml";

    private const int MostBytes = 1 << 18;

    /// <exception cref="InvalidRecipeException">The file cannot be read, is not YAML, or describes something impossible.</exception>
    public static ScheduleDocument Load(string file)
    {
        InvalidRecipeException Refused(string fault, string remedy) => new(file, [new("", "", "", fault, remedy)]);
        string full = Path.GetFullPath(file);
        if (!File.Exists(full)) throw Refused("there is no such file", $"write one (docs/schedule.md), or name it with --schedules");
        try
        {
            if (new FileInfo(full).Length > MostBytes) throw Refused("larger than 256 KiB", "give the path of a file with schedules");
            return Parse(File.ReadAllText(full), file, Path.GetDirectoryName(full)!);
        }
        catch (Exception fault) when (fault is IOException or UnauthorizedAccessException)
        {
            throw Refused("it cannot be read", "allow reading it, or give another file");
        }
    }

    /// <param name="text">YAML.</param>
    /// <param name="file">What messages call it.</param>
    /// <param name="folder">What relative paths in it are relative to.</param>
    /// <exception cref="InvalidRecipeException">The text is not YAML, or describes something impossible.</exception>
    public static ScheduleDocument Parse(string text, string file, string folder)
    {
        var problems = new List<RecipeProblem>();
        var tree = RecipeYaml.Parse(text, file, new RecipeSource("", folder));
        var document = new ScheduleDocument();
        new SectionBinder(document, new DistillationRecipe(), problems, new HubPaths(), []).Bind(tree);
        if (problems.Count == 0 && document.Schedules.Count == 0)
            problems.Add(new("schedules", "", "", "nothing is scheduled", "write at least one entry"));
        return problems.Count == 0 ? document : throw new InvalidRecipeException(file, RecipeProblem.Sorted(problems));
    }

    /// <summary>The JSON Schema, with which an editor completes and checks the file; always the same text.</summary>
    public static string Schema() => RecipeSchema.Of(SectionDeclaration.Of(typeof(ScheduleDocument)), "Distill schedules",
        "What 'distill serve' runs, and when. Written by 'distill schema --schedules'.");
}
