namespace Distill.Data.Storage;

/// <summary>A committed file as a manifest names it.</summary>
/// <param name="Path">Relative to the manifest's folder, with forward slashes.</param>
/// <param name="Bytes">Length.</param>
/// <param name="Sha256">64 lower-case hexadecimal digits.</param>
/// <param name="Rows">Rows of a table; null for other files.</param>
public sealed record ArtifactFile(string Path, long Bytes, string Sha256, long? Rows = null);
