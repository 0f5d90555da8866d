using System.Globalization;

namespace Distill.Generation.Onnx;

/// <summary>Checks one reference to external data before ONNX Runtime follows it: inside the folder, no link, offset and length inside the file.</summary>
internal static class ExternalDataCheck
{
    /// <param name="graph">Full path of the ONNX file, or a description of it.</param>
    /// <param name="tensor">For messages.</param>
    /// <param name="entries">Of TensorProto.external_data: location, offset, length, checksum.</param>
    /// <param name="folder">Of the ONNX file; null for a model given as bytes, which must hold its weights itself.</param>
    /// <exception cref="InvalidDataException">The reference must not or cannot be followed.</exception>
    public static void Check(string graph, string tensor, Dictionary<string, string> entries, string? folder)
    {
        string saidBy = $"{graph}: external data of '{tensor}'";
        if (folder is null) throw new InvalidDataException($"{saidBy}: a model given as bytes must hold its weights itself.");
        string file = Distill.Data.Storage.ContainedPath.Resolve(folder, entries.GetValueOrDefault("location", ""), saidBy);
        if (Path.GetFullPath(file) == Path.GetFullPath(graph)) throw new InvalidDataException($"{saidBy}: points at the ONNX file itself.");
        long size = new FileInfo(file).Length;
        long offset = Number(entries, "offset", saidBy) ?? 0;
        if (offset > size) throw new InvalidDataException($"{saidBy}: offset {offset} lies beyond {file} ({size} bytes).");
        long length = Number(entries, "length", saidBy) ?? size - offset;
        if (length > size - offset) throw new InvalidDataException($"{saidBy}: {length} bytes at {offset} reach beyond {file} ({size} bytes).");
    }

    private static long? Number(Dictionary<string, string> entries, string key, string saidBy) => !entries.TryGetValue(key, out string? text) ? null
        : long.TryParse(text, NumberStyles.None, CultureInfo.InvariantCulture, out long number) ? number
        : throw new InvalidDataException($"{saidBy}: {key} '{(text.Length <= 40 ? text : text[..40] + "…")}' is not a whole number.");
}
