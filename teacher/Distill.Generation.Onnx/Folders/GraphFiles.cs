namespace Distill.Generation.Onnx;

/// <summary>Finds the ONNX file of a folder whose configuration names none: in the folder itself (Optimum) or in onnx/ (transformers.js).</summary>
internal static class GraphFiles
{
    private const string Extension = ".onnx";
    private const string Usual = "model.onnx";
    private const string Inner = "onnx";

    /// <returns>Paths relative to the folder, with slashes, in order.</returns>
    public static IReadOnlyList<string> In(string folder)
    {
        string inner = Path.Combine(folder, Inner);
        return [.. Names(folder), .. Directory.Exists(inner) ? Names(inner).Select(name => $"{Inner}/{name}") : []];
    }

    /// <returns>The usual file, or the only one; relative to the folder.</returns>
    /// <exception cref="InvalidDataException">There is none, or there are several to choose from.</exception>
    public static string Choose(string folder)
    {
        IReadOnlyList<string> files = In(folder);
        foreach (string usual in (string[])[Usual, $"{Inner}/{Usual}"])
        {
            if (files.Contains(usual)) return usual;
        }

        return files.Count switch
        {
            1 => files[0],
            0 => throw new InvalidDataException($"{folder} is not a model folder: it has no ONNX file, neither {Usual} nor {Inner}/{Usual}."),
            _ => throw new InvalidDataException($"{folder} has several ONNX files and no {Usual}: name one of {string.Join(", ", files.Take(10))}."),
        };
    }

    private static IEnumerable<string> Names(string folder) =>
        Directory.EnumerateFiles(folder).Select(path => Path.GetFileName(path)).Where(name => name.EndsWith(Extension, StringComparison.Ordinal)).Order(StringComparer.Ordinal);
}
