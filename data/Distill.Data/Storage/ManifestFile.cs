using System.Globalization;

namespace Distill.Data.Storage;

/// <summary>The manifests of a folder: <c>manifest-0001.json</c>, …; the highest number is the newest.</summary>
internal static class ManifestFile
{
    private const string Prefix = "manifest-", Extension = ".json";

    public static string PathFor(string folder, int number) =>
        Path.Combine(folder, string.Create(CultureInfo.InvariantCulture, $"{Prefix}{number:D4}{Extension}"));

    public static bool IsManifest(string path) =>
        path.StartsWith(Prefix, StringComparison.Ordinal) && path.EndsWith(Extension, StringComparison.Ordinal);

    /// <summary>Newest manifest by number; null when there is none.</summary>
    public static (int Number, string Path)? Newest(string folder)
    {
        if (!Directory.Exists(folder)) return null;
        (int Number, string Path)? newest = null;
        foreach (string path in Directory.EnumerateFiles(folder, Prefix + "*" + Extension))
        {
            if (int.TryParse(Path.GetFileName(path)[Prefix.Length..^Extension.Length], NumberStyles.None, CultureInfo.InvariantCulture, out int number)
                && (newest is null || number > newest.Value.Number))
                newest = (number, path);
        }

        return newest;
    }

    public static ArtifactManifest Read(string path)
    {
        long length = new FileInfo(path).Length;
        if (length > ArtifactManifest.MaxBytes)
            throw new InvalidDataException($"'{path}' has {length} bytes; a manifest has at most {ArtifactManifest.MaxBytes}.");
        return ArtifactManifest.Parse(File.ReadAllBytes(path), path);
    }
}
