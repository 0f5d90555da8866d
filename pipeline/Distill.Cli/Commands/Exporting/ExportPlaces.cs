using Distill.Architecture;
using Distill.Cli.Models;
using Distill.Export.Adapters;
using Distill.Export.Gguf;
using Distill.Export.Package;
using Distill.Generation.Onnx;

namespace Distill.Cli.Commands.Exporting;

/// <summary>
/// Which folders an export may replace: those in which every entry is one that exports write. Anything else in them is somebody's.
/// </summary>
internal static class ExportPlaces
{
    private static readonly string[] s_shared =
    [
        DecoderConfigJson.FileName, DecoderConfigJson.GenerationFileName, TokenizerFiles.TokenizerName, TokenizerFiles.ConfigName,
        TokenizerFiles.TemplateName, ModelCard.Name,
    ];

    private static readonly string[] s_onnx =
        [GenAIConfigurationFile.Name, FoundryFile.Name, PackageProvenance.FileName];

    public static bool HoldsOnnx(string folder) => ModelFolder.Announces(folder)
        && HoldsOnly(folder, name => IsShared(name) || s_onnx.Contains(name), ModelPackage.GraphFolder, AdapterExport.Folder,
            PublishedResult.Folder)
        && HoldsOnly(Path.Combine(folder, ModelPackage.GraphFolder), name => name.StartsWith("model", StringComparison.Ordinal)
            && name.Contains(".onnx", StringComparison.Ordinal))
        && HoldsOnly(Path.Combine(folder, AdapterExport.Folder), name => name == ModelCard.Name || Ends(name, AdapterFile.Extension))
        && HoldsOnly(Path.Combine(folder, PublishedResult.Folder), name => Ends(name, ".yaml"));

    public static bool HoldsSafetensors(string folder) => ModelFolders.IsCheckpoint(folder)
        && HoldsOnly(folder, name => IsShared(name) || (name.StartsWith("model", StringComparison.Ordinal)
            && (Ends(name, ".safetensors") || Ends(name, ".safetensors.index.json"))));

    public static bool HoldsGguf(string folder) => Directory.EnumerateFiles(folder, "*" + GgufModel.Extension).Take(2).Count() == 1
        && HoldsOnly(folder, name => name == GgufCard.Name || CompanionFiles.AreTerms(name) || Ends(name, GgufModel.Extension));

    /// <summary>Whether writing a place would take away what is read: it is that, or a folder around it, by whatever links.</summary>
    public static bool Covers(string place, string read)
    {
        var comparison = OperatingSystem.IsLinux() ? StringComparison.Ordinal : StringComparison.OrdinalIgnoreCase;
        string outer = Real(place, 0), inner = Real(read, 0);
        return inner.Equals(outer, comparison)
            || inner.StartsWith(Path.EndsInDirectorySeparator(outer) ? outer : outer + Path.DirectorySeparatorChar, comparison);
    }

    private static bool IsShared(string name) => s_shared.Contains(name) || CompanionFiles.IsCarried(name);

    private static bool Ends(string name, string extension) => name.EndsWith(extension, StringComparison.OrdinalIgnoreCase);

    private static bool HoldsOnly(string folder, Func<string, bool> isFile, params string[] folders) => !Directory.Exists(folder)
        || new DirectoryInfo(folder).EnumerateFileSystemInfos().All(entry =>
            entry is DirectoryInfo ? entry.LinkTarget is null && folders.Contains(entry.Name) : isFile(entry.Name));

    // Without links, in whatever folder of the path they are.
    private static string Real(string path, int links)
    {
        const int most = 40; // as Linux follows
        string full = Path.TrimEndingDirectorySeparator(Path.GetFullPath(path));
        if (Path.GetDirectoryName(full) is not { } above) return full;
        var entry = new DirectoryInfo(Path.Combine(Real(above, links), Path.GetFileName(full)));
        if (entry.LinkTarget is not { } target) return entry.FullName;
        if (links == most) throw new UsageException($"'{path}' goes through too many links.", "Give the folder itself.");
        return Real(Path.Combine(Path.GetDirectoryName(entry.FullName)!, target), links + 1);
    }
}
