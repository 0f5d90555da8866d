using System.Text.Json;

namespace Distill.Storage.Objects;

/// <summary>Where the parts of unfinished work are exchanged with others who do the same work elsewhere.</summary>
internal interface IPartExchange
{
    /// <summary>Brings a part that somebody made: it lies whole at the path, or nothing changed but a piece to go on from.</summary>
    /// <returns>Null when nobody made it yet.</returns>
    ArtifactFile? TryBring(string name, string path);

    /// <summary>Gives a part to the others.</summary>
    /// <param name="path">Where its content lies.</param>
    /// <returns>False when others have another content under this name that can be had, which counts.</returns>
    bool TryGive(ArtifactFile part, string path);
}

/// <summary>
/// The units of one key in a shared store: a record for each, put once, that names a content by its digest. Who comes later takes what is
/// there. Not thread-safe.
/// </summary>
/// <param name="damaged">Told, in a sentence, of what is not what it should be; it counts as not there.</param>
internal sealed class SharedParts(
    SharedStore store, StoreKey key, Action<string> damaged, TimeProvider clock, CancellationToken cancellation) : IPartExchange
{
    private const string DoneFolder = ".done/";

    private const int LargestRecord = 1 << 16;

    // Others may have given something since; one request tells it of a thousand units.
    private static readonly TimeSpan Fresh = TimeSpan.FromSeconds(5);

    private readonly string root = ObjectNames.UnitsOf(key);
    private HashSet<string> known = new(StringComparer.Ordinal);
    private long? listed;

    /// <summary>The unit that an object of <see cref="ObjectNames.Units"/> is a record of; null where it is none.</summary>
    public static ArtifactFile? RecordAt(SharedStore store, string name, CancellationToken cancellation) =>
        store.Objects.Look(name, cancellation) is { Bytes: <= LargestRecord }
            && store.Objects.Read(name, LargestRecord, cancellation) is { } record ? Parse(record) : null;

    public ArtifactFile? TryBring(string name, string path)
    {
        if (!IsThere(name) || RecordOf(name) is not { } part) return null;
        return store.TryBring(part, path, damaged, cancellation) ? part : null;
    }

    public bool TryGive(ArtifactFile part, string path)
    {
        byte[] record = JsonSerializer.SerializeToUtf8Bytes(part);
        var there = IsThere(part.Path) ? RecordOf(part.Path) : null;
        if (there is null)
        {
            store.Put(part, path, cancellation);
            known.Add(part.Path);
            if (store.Objects.TryPut(root + part.Path, record, cancellation)) return true;
            there = RecordOf(part.Path);
        }

        if (there is not null && store.Has(there, cancellation)) return there.Sha256 == part.Sha256;
        store.Put(part, path, cancellation); // what the record names cannot be had, or it is none
        store.Objects.Put(root + part.Path, record, cancellation);
        return true;
    }

    /// <summary>Notes which units a shard has made.</summary>
    public void Finish(string shard, ReadOnlyMemory<byte> record) => store.Objects.Put(root + DoneFolder + shard, record, cancellation);

    /// <summary>What <see cref="Finish"/> was given, by all.</summary>
    public IReadOnlyDictionary<string, byte[]> Finished()
    {
        var records = new Dictionary<string, byte[]>(StringComparer.Ordinal);
        foreach (var found in store.Objects.List(root + DoneFolder, cancellation))
        {
            if (store.Objects.Read(found.Name, ArtifactManifest.MaxBytes, cancellation) is { } record)
                records[found.Name[(root.Length + DoneFolder.Length)..]] = record;
        }

        return records;
    }

    private static ArtifactFile? Parse(byte[] record)
    {
        try
        {
            return JsonSerializer.Deserialize<ArtifactFile>(record) is { Path: not null, Bytes: >= 0 } part
                && FileDigest.IsValid(part.Sha256) ? part : null;
        }
        catch (JsonException)
        {
            return null;
        }
    }

    private bool IsThere(string name)
    {
        if (known.Contains(name)) return true;
        if (listed is { } time && clock.GetElapsedTime(time) < Fresh) return false;
        known = [.. store.Objects.List(root, cancellation).Select(found => found.Name[root.Length..])];
        listed = clock.GetTimestamp();
        return known.Contains(name);
    }

    private ArtifactFile? RecordOf(string name)
    {
        if (store.Objects.Read(root + name, LargestRecord, cancellation) is not { } record) return null;
        if (Parse(record) is { } part && part.Path == name) return part;
        damaged($"{store.Place}/{root}{name} is no record of a unit; it is made again.");
        return null;
    }
}
