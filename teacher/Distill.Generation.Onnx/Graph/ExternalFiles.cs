using Distill.Storage;

namespace Distill.Generation.Onnx;

/// <summary>
/// Where the external data of a graph lie that is given to ONNX Runtime as bytes: it then takes one folder, and follows no link out of it,
/// as the snapshots of a Hugging Face cache have them into their blobs.
/// </summary>
/// <param name="Folder">Holds every file.</param>
/// <param name="Names">What a file is called there, by what the graph calls it; empty where these are the same.</param>
internal sealed record ExternalFiles(string Folder, IReadOnlyDictionary<string, string> Names)
{
    /// <exception cref="InvalidDataException">A file leaves the folder or is not there.</exception>
    /// <returns>
    /// Null when some files are links and others not, or links lead to several folders; and when there are links and nodes have data in
    /// files, which are not given other names.
    /// </returns>
    public static ExternalFiles? Of(string graphFolder, GraphOutline graph)
    {
        var locations = graph.Initializers.Select(value => value.Location).OfType<string>().Concat(graph.AttributeFiles);
        var targets = locations.Distinct().ToDictionary(
            location => location,
            location => File.ResolveLinkTarget(ContainedPath.Resolve(graphFolder, location, graphFolder), returnFinalTarget: true));
        if (targets.Values.All(target => target is null)) return new ExternalFiles(graphFolder, new Dictionary<string, string>());
        if (graph.AttributeFiles.Count > 0) return null;
        string?[] folders = [.. targets.Values.Select(target => Path.GetDirectoryName(target?.FullName)).Distinct()];
        return folders is [{ } folder]
            ? new ExternalFiles(folder, targets.ToDictionary(pair => pair.Key, pair => pair.Value!.Name))
            : null;
    }
}
