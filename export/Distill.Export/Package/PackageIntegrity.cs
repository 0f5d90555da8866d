using System.Security.Cryptography;
using Distill.Architecture;

namespace Distill.Export.Package;

/// <summary>
/// Holds a model folder against its own distill.json: is every file the one that was exported? Files that say something about the model
/// and do not make it (README.md, distill.json itself, anything added later under another name) may change freely.
/// </summary>
public static class PackageIntegrity
{
    /// <summary>Larger files are read by the full check only; their size is compared at once.</summary>
    public const long QuickBytes = 16 << 20;

    // Read by name wherever a model folder is opened: one of them added later changes what the model does.
    private static readonly string[] s_decisive =
    [
        GenAIConfigurationFile.Name, DecoderConfigJson.FileName, Checkpoint.GenerationConfigName,
        TokenizerFiles.TokenizerName, TokenizerFiles.ConfigName, TokenizerFiles.TemplateName, FoundryFile.Name,
    ];

    /// <summary>
    /// Compares sizes, digests of files up to <see cref="QuickBytes"/> and, when <paramref name="full"/>, of the larger ones too.
    /// </summary>
    /// <returns>
    /// A sentence for each fault; none when the folder is as it was exported, or has no distill.json and so was not exported by this
    /// project.
    /// </returns>
    /// <exception cref="IOException">A file cannot be read.</exception>
    public static IReadOnlyList<string> Check(string folder, bool full = false)
    {
        PackageProvenance? provenance;
        try
        {
            provenance = PackageProvenance.Read(folder);
        }
        catch (InvalidDataException unreadable)
        {
            return [unreadable.Message];
        }

        if (provenance is null) return [];
        var listed = provenance.Files.Select(file => file.Name).ToHashSet();
        return
        [
            .. provenance.Files.Select(file => Fault(folder, file, full)).OfType<string>(),
            .. s_decisive.Where(name => !listed.Contains(name) && File.Exists(Path.Combine(folder, name)))
                .Select(name => $"'{Path.Combine(folder, name)}' was not there when the model was exported."),
        ];
    }

    /// <summary>Size and digest of every file that makes the model, in the order of their names.</summary>
    internal static IReadOnlyList<PackagedFile> Describe(string folder) =>
    [
        .. Directory.EnumerateFiles(folder, "*", SearchOption.AllDirectories)
            .Select(path => Path.GetRelativePath(folder, path).Replace(Path.DirectorySeparatorChar, '/'))
            .Where(name => name is not (ModelCard.Name or PackageProvenance.FileName) && !name.Split('/').Any(part => part.StartsWith('.')))
            .Order(StringComparer.Ordinal)
            .Select(name => new PackagedFile(name, FileAt(Path.Combine(folder, name)).Length, Digest(Path.Combine(folder, name)))),
    ];

    private static string? Fault(string folder, PackagedFile file, bool full)
    {
        string path = Path.Combine(folder, file.Name);
        var info = FileAt(path);
        if (!info.Exists) return $"'{path}' is missing.";
        if (file.Bytes is { } bytes && info.Length != bytes)
            return $"'{path}' has {info.Length:N0} bytes and had {bytes:N0} when the model was exported.";
        if (!full && info.Length > QuickBytes) return null;
        return Digest(path) == file.Sha256 ? null : $"'{path}' is not the file that was exported: its digest is not distill.json's.";
    }

    // What the Hub's cache has of a model are links, whose own length is that of their target's path.
    private static FileInfo FileAt(string path) =>
        new FileInfo(path) is { Exists: true } info && info.ResolveLinkTarget(returnFinalTarget: true) is FileInfo target
            ? target
            : new FileInfo(path);

    private static string Digest(string path)
    {
        using var stream = File.OpenRead(path);
        return Convert.ToHexStringLower(SHA256.HashData(stream));
    }
}
