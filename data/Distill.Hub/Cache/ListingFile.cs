using System.Text.Json;
using Distill.Hub.Network;
using Distill.Storage;

namespace Distill.Hub.Cache;

/// <summary>
/// The listing of a commit, which never changes, as huggingface_hub keeps it beside the snapshots: <c>trees/COMMIT.json</c>, format 1. With
/// it a commit that is here needs no connection, and offline it tells a whole snapshot from a part of one.
/// </summary>
internal sealed class ListingFile(string folder)
{
    private const int Format = 1;

    private const long Largest = 256 << 20;

    /// <returns>Null where it is not kept, or cannot be read: it is asked for again then.</returns>
    public IReadOnlyList<HubFile>? Read(string commit)
    {
        if (OptionalFile.TryRead(PathOf(commit), Largest) is not { } text) return null;
        try
        {
            using var document = JsonDocument.Parse(text);
            var root = document.RootElement;
            if (root.GetProperty("format_version").GetInt32() != Format) return null;
            return [.. root.GetProperty("files").EnumerateObject().Select(FileOf)];
        }
        catch (Exception fault) when (fault is JsonException or InvalidOperationException or KeyNotFoundException or FormatException)
        {
            return null;
        }
    }

    public void Write(string commit, IReadOnlyList<HubFile> files)
    {
        Directory.CreateDirectory(folder);
        ReplacedFile.Write(PathOf(commit), stream =>
        {
            using var json = new Utf8JsonWriter(stream);
            json.WriteStartObject();
            json.WriteNumber("format_version", Format);
            json.WriteStartObject("files");
            foreach (var file in files)
            {
                json.WriteStartObject(file.Path);
                json.WriteNumber("size", file.Size);
                json.WriteString("blob_id", file.BlobId);
                if (file.Sha256 is { } sha256)
                {
                    json.WriteString("lfs_sha256", sha256);
                    json.WriteNumber("lfs_size", file.Size);
                }

                json.WriteEndObject();
            }

            json.WriteEndObject();
            json.WriteEndObject();
        });
    }

    private static HubFile FileOf(JsonProperty entry)
    {
        string? sha256 = entry.Value.TryGetProperty("lfs_sha256", out var digest) ? digest.GetString() : null;
        long size = entry.Value.GetProperty(sha256 is null ? "size" : "lfs_size").GetInt64();
        string blob = entry.Value.GetProperty("blob_id").GetString()!;
        bool isKnown = size >= 0 && (sha256 is null ? HubInterface.IsCommit(blob) : FileDigest.IsValid(sha256));
        return isKnown ? new HubFile(entry.Name, size, blob, sha256) : throw new FormatException($"{entry.Name} has no digest.");
    }

    private string PathOf(string commit) => Path.Combine(folder, commit + ".json");
}
