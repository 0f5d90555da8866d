using System.Text.Json;

namespace Distill.Pipeline.Recipes.Binding;

/// <summary>
/// A list of a recipe that lies in a file of its own, a JSON object a line: read as if it stood in the recipe, so that the resolved recipe
/// holds it and cache keys follow its content.
/// </summary>
internal static class RecipeRows
{
    private const int MostBytes = 4 << 20;

    private static readonly JsonDocumentOptions Reading = new() { MaxDepth = 4, AllowDuplicateProperties = false };

    /// <param name="scalar">The path, relative to the recipe that names it.</param>
    /// <param name="path">Of the option, for messages.</param>
    /// <returns>Null when the file cannot be read, which is noted.</returns>
    public static RecipeSequence? Read(RecipeScalar scalar, string path, ICollection<RecipeProblem> problems)
    {
        RecipeSequence? Refused(string fault, string remedy)
        {
            problems.Add(new(path, scalar.Place, scalar.Shown, fault, remedy));
            return null;
        }

        const string Remedy = "write a list, or the path of a file with a JSON object on each line";
        if (scalar.Text.Length == 0 || scalar.Text.Contains('\0', StringComparison.Ordinal)) return Refused("not a list", Remedy);
        if (RecipePath.Expand(scalar.Text).Fault is { } unset) return Refused(unset, "set it, or write the path out");
        string file = Find(scalar);
        scalar.Source.Opening?.Invoke(file);
        if (!File.Exists(file)) return Refused($"not a list, and there is no file {file}", Remedy);
        try
        {
            if (new FileInfo(file).Length > MostBytes) return Refused($"{file} is larger than 4 MiB", "take fewer or shorter ones");
            var items = File.ReadLines(file).Index().Where(line => !string.IsNullOrWhiteSpace(line.Item))
                .Select(line => (RecipeNode)Row(line.Item, scalar, $"{Path.GetFileName(file)} line {line.Index + 1}")).ToList();
            return new RecipeSequence(items, scalar.Place, scalar.Source);
        }
        catch (InvalidRecipeException fault)
        {
            foreach (var problem in fault.Problems) problems.Add(problem with { Path = path });
            return null;
        }
        catch (Exception fault) when (fault is IOException or UnauthorizedAccessException)
        {
            return Refused($"{file} cannot be read", "look whether it may be read and the disk is well");
        }
    }

    // A resolved recipe holds the rows themselves, so only a recipe that was moved by hand looks where it lay before.
    private static string Find(RecipeScalar scalar)
    {
        string written = RecipePath.Expand(scalar.Text).Path, full = Path.GetFullPath(written, scalar.Source.Folder);
        return !File.Exists(full) && scalar.Source.Former is { } former ? Path.GetFullPath(written, former) : full;
    }

    private static RecipeMapping Row(string line, RecipeScalar named, string place)
    {
        try
        {
            using var document = JsonDocument.Parse(line, Reading);
            if (document.RootElement.ValueKind != JsonValueKind.Object) throw Fault("not a JSON object");
            return new RecipeMapping([.. document.RootElement.EnumerateObject().Select(Entry)], place, named.Source);
        }
        catch (Exception fault) when (fault is JsonException or InvalidOperationException)
        {
            throw Fault($"not JSON: {fault.Message.Split('\n')[0]}"); // the second of half a surrogate pair
        }

        KeyValuePair<string, RecipeNode> Entry(JsonProperty property) => new(property.Name, property.Value.ValueKind switch
        {
            JsonValueKind.String => new RecipeScalar(property.Value.GetString()!, true, place, named.Source),
            JsonValueKind.Object or JsonValueKind.Array => throw Fault($"'{property.Name}' is no single value"),
            _ => new RecipeScalar(property.Value.GetRawText(), false, place, named.Source),
        });

        InvalidRecipeException Fault(string what) => new(place, [new RecipeProblem("", place, "", what,
            """write an object on each line, e.g. {"question": "…", "answer": "…"}""")]);
    }
}
