using Distill.Data.Storage;

namespace Distill.Pipeline.Runs;

/// <summary>An input of a stage: the artefact of an earlier stage, or a model folder that the recipe names.</summary>
/// <param name="Artifact">Null for a model folder.</param>
internal sealed record StageInput(string Folder, string Digest, Artifact? Artifact)
{
    /// <summary>Full path of a file of the artefact, its content checked.</summary>
    public string PathOf(string file) => (Artifact ?? throw new InvalidOperationException($"'{Folder}' is no artefact.")).PathOf(file);

    /// <summary>Paths of the artefact's files that end with a text, by name, each content checked.</summary>
    public IEnumerable<string> PathsOf(string ending) =>
        Artifact!.Manifest.Files.Where(file => file.Path.EndsWith(ending, StringComparison.Ordinal)).Select(file => PathOf(file.Path));
}
