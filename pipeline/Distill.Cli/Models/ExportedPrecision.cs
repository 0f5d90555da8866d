using Distill.Export;
using Distill.Generation.Onnx;

namespace Distill.Cli.Models;

/// <summary>The precision of an exported model, told by its graph's file name, whoever made it.</summary>
internal static class ExportedPrecision
{
    /// <returns>As on the command line; null for a name that says nothing.</returns>
    public static string? Of(string folder)
    {
        string graph = Path.GetFileName(ModelFolder.Open(folder).GraphPath);
        return ExportPrecisions.Names.FirstOrDefault(name => ExportPrecisions.Parse(name)!.Value.GraphFile() == graph);
    }
}
