using System.Text.Json;
using Distill.Data.Storage;

namespace Distill.Pipeline.Graph;

/// <summary>
/// What shards have made of one artefact: each in a folder of its own beside the store's artefacts, so that no two processes write to one.
/// A shard that has ended says which units it made; whoever finds that together they are all takes them over, each content checked, and
/// finishes the artefact as if it had made them itself. Shards of different counts may work on one artefact. Thread-safe between processes.
/// </summary>
internal sealed class ShardedUnits(ArtifactStore store, StoreKey key)
{
    private const string DoneName = ".done.json", LockSuffix = ".lock";

    private readonly string root = store.ShardsFolder(key);

    /// <param name="Units">Of the whole stage.</param>
    /// <param name="Made">Those of the shard.</param>
    private sealed record Done(int Units, int[] Made);

    public string FolderOf(ShardNumber shard) => Path.Combine(root, $"{shard.Index}-of-{shard.Count}");

    /// <summary>The right to make a shard's units; waits while another process has it, which may be one that was taken for dead.</summary>
    public FileLock Lock(ShardNumber shard, string owner, Action<string> waiting, CancellationToken cancellation) =>
        FileLock.Take(FolderOf(shard) + LockSuffix, owner, waiting, cancellation);

    public bool IsDone(ShardNumber shard) => Read(FolderOf(shard)) is not null;

    /// <param name="units">Of the whole stage.</param>
    public void Finish(ShardNumber shard, int units)
    {
        byte[] text = JsonSerializer.SerializeToUtf8Bytes(new Done(units, [.. shard.UnitsOf(units)]));
        ReplacedFile.Write(Path.Combine(FolderOf(shard), DoneName), text);
    }

    /// <summary>How many units no shard has made yet; null where none has ended.</summary>
    public int? Missing()
    {
        Done[] done = [.. Folders().Select(Read).OfType<Done>()];
        return done.Length == 0 ? null : done[0].Units - done.SelectMany(shard => shard.Made).Distinct().Count();
    }

    /// <summary>Takes over the units that any shard has made, finished or not.</summary>
    /// <param name="damaged">Told of those that are not what was written; they are made again.</param>
    public void Join(ArtifactWriter writer, Action<string> damaged)
    {
        foreach (string folder in Folders()) writer.Join(folder, damaged);
    }

    /// <summary>Removes what was joined. A shard that another process still works on stays; that one removes it.</summary>
    public void Remove()
    {
        if (!Directory.Exists(root)) return;
        foreach (string folder in Folders())
        {
            using var held = FileLock.TryTake(folder + LockSuffix, "removing what was joined");
            if (held is null) continue;
            Directory.Delete(folder, recursive: true);
        }

        if (!Folders().Any()) Directory.Delete(root, recursive: true);
    }

    private IReadOnlyList<string> Folders() =>
        Directory.Exists(root) ? [.. Directory.EnumerateDirectories(root).Order(StringComparer.Ordinal)] : [];

    private static Done? Read(string folder)
    {
        string path = Path.Combine(folder, DoneName);
        return File.Exists(path) ? JsonSerializer.Deserialize<Done>(File.ReadAllBytes(path)) : null;
    }
}
