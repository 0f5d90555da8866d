using System.Globalization;
using System.Text.RegularExpressions;
using Distill.Storage.Objects;

namespace Distill.Storage;

/// <summary>What an artefact is made from, as the name under which a store keeps it.</summary>
/// <param name="Kind">E.g. <c>checkpoint</c>: a plain word.</param>
/// <param name="Digest">Of everything that decides the content.</param>
internal sealed record StoreKey(string Kind, string Digest);

/// <summary>An artefact in a store.</summary>
/// <param name="Version">1, or higher where the same was made anew on demand.</param>
internal sealed record StoredArtifact(StoreKey Key, int Version, Artifact Artifact);

/// <summary>
/// Where all artefacts of a folder of runs live: <c>.store/&lt;kind&gt;/&lt;key&gt;/</c>, further versions in
/// <c>&lt;key&gt;~/2/</c>. A finished artefact is never changed and never replaced; whoever needs one looks at one path,
/// however many there are. Work is done in the place of the artefact, by one process at a time; its manifest makes it one.
/// Thread-safe, also between processes.
/// </summary>
/// <param name="root">The <c>.store</c> folder; nothing is created before something is made.</param>
internal sealed partial class ArtifactStore(string root, TimeProvider clock)
{
    /// <summary>Name of the folder beside the runs.</summary>
    public const string FolderName = ".store", ShardsName = ".shards", LockSuffix = ".lock";

    private const string More = "~";

    public string Root { get; } = Path.GetFullPath(root);

    public DigestMemory Digests { get; } = new(Path.Combine(Path.GetFullPath(root), ".digests"), clock);

    /// <summary>What other machines have of it without seeing this folder; null where it is shared with nobody.</summary>
    public SharedStore? Shared { get; init; }

    /// <summary>Completions of local models, one by one.</summary>
    public string CompletionsPath => Path.Combine(Root, ".completions");

    /// <summary>Where shards make the units of an artefact.</summary>
    public string ShardsFolder(StoreKey key) => Path.Combine(Root, ShardsName, NameOf(key));

    private string LocksPath => Path.Combine(Root, ".locks");

    private string PinsPath => Path.Combine(Root, ".pins");

    // What is on its way from the shared store.
    private string IncomingPath => Path.Combine(Root, ".incoming");

    /// <summary>The newest finished artefact of a key whose files are what was committed. Damaged ones are set aside.</summary>
    /// <param name="damaged">Told what was set aside, in a sentence.</param>
    public StoredArtifact? Find(StoreKey key, Action<string> damaged)
    {
        foreach (int version in VersionsOf(key).OrderDescending())
        {
            if (Open(key, version, damaged) is { } found) return found;
        }

        return null;
    }

    /// <summary>One version, whole; null when there is none. A damaged one is set aside.</summary>
    public StoredArtifact? Open(StoreKey key, int version, Action<string> damaged)
    {
        string folder = FolderOf(key, version);
        string fault;
        try
        {
            if (Artifact.TryOpen(folder, Digests) is not { } artifact) return null;
            if (artifact.VerifyChanged() is not [var first, ..]) return new StoredArtifact(key, version, artifact);
            fault = first;
        }
        catch (Exception manifest) when (manifest is InvalidDataException or IOException or UnauthorizedAccessException)
        {
            fault = manifest.Message;
        }

        // Two that meet the same damage: one sets it aside, and neither touches what the other makes in its place.
        using var right = FileLock.TryTake(LockPath(key), "setting aside what was damaged");
        if (right is null || ManifestFile.Newest(folder) is null) return null;
        if (Peek(key, version) is { } whole) return whole;
        damaged($"{fault} It was set aside as '{SetAside.Folder(folder)}'.");
        return null;
    }

    /// <summary>Looks without touching: as <see cref="Find"/>, but a damaged artefact is left where it is and counts as none.</summary>
    public StoredArtifact? Peek(StoreKey key) =>
        VersionsOf(key).OrderDescending().Select(version => Peek(key, version)).FirstOrDefault(found => found is not null);

    /// <summary>One version, without touching anything; null when there is none or it is damaged.</summary>
    public StoredArtifact? Peek(StoreKey key, int version)
    {
        try
        {
            return Artifact.TryOpen(FolderOf(key, version), Digests) is { } artifact && artifact.VerifyChanged().Count == 0
                ? new StoredArtifact(key, version, artifact) : null;
        }
        catch (Exception manifest) when (manifest is InvalidDataException or IOException or UnauthorizedAccessException)
        {
            return null;
        }
    }

    /// <summary>The right to make an artefact; waits while another process makes it. Look again afterwards.</summary>
    /// <param name="owner">Who asks, for those who wait.</param>
    public FileLock Lock(StoreKey key, string owner, Action<string> waiting, CancellationToken cancellation) =>
        FileLock.Take(LockPath(key), owner, waiting, cancellation);

    /// <summary>The same without waiting.</summary>
    /// <returns>Null while somebody has it.</returns>
    public FileLock? TryLock(StoreKey key, string owner) => FileLock.TryTake(LockPath(key), owner);

    /// <summary>Where a new version is made: unfinished work is continued, finished work stays.</summary>
    public string WorkFolder(StoreKey key) => FolderOf(key, FinishedVersions(key).DefaultIfEmpty(0).Max() + 1);

    /// <summary>Takes in what was finished in <see cref="WorkFolder"/>; from now on nobody changes it.</summary>
    public StoredArtifact Finished(string folder)
    {
        var (key, version) = Placed(folder);
        foreach (string file in Directory.EnumerateFiles(folder, "*", SearchOption.AllDirectories)) Protect(file);
        return new StoredArtifact(key, version, Artifact.TryOpen(folder, Digests)!);
    }

    /// <summary>
    /// Brings an artefact of the shared store here, whole, in the place of unfinished work on it. Only for who has the <see cref="Lock"/>.
    /// </summary>
    /// <param name="damaged">Told, in a sentence, of what cannot be taken.</param>
    /// <returns>Null when there is none, or no whole one.</returns>
    /// <exception cref="ObjectStoreException">The shared store refused or could not be reached.</exception>
    public StoredArtifact? Fetch(StoreKey key, Action<string> damaged, CancellationToken cancellation)
    {
        if (Shared?.Find(key, damaged, cancellation) is not { } there) return null;
        string incoming = Path.Combine(IncomingPath, NameOf(key)), work = WorkFolder(key), begun = incoming + ".begun";
        if (Directory.Exists(begun) && !Directory.Exists(work)) Directory.Move(begun, work); // killed between the two moves below
        if (ManifestFile.Newest(incoming) is { } other && ManifestFile.Read(other.Path).Digest != there.Manifest.Digest)
            Directory.Delete(incoming, recursive: true);
        Directory.CreateDirectory(incoming);
        if (!Shared.TryBring(there, incoming, damaged, cancellation)) return null;
        if (Directory.Exists(begun)) Directory.Delete(begun, recursive: true);
        if (Directory.Exists(work)) Directory.Move(work, begun);
        Directory.CreateDirectory(Path.GetDirectoryName(work)!);
        Directory.Move(incoming, work);
        NativeFile.SyncFolder(Path.GetDirectoryName(work)!);
        if (Directory.Exists(begun)) Directory.Delete(begun, recursive: true);
        return Finished(work);
    }

    /// <summary>What <see cref="Fetch"/> would bring, without bringing it: its files are not here.</summary>
    public StoredArtifact? Foresee(StoreKey key, CancellationToken cancellation) =>
        Shared?.Find(key, _ => { }, cancellation) is { } there
            ? new StoredArtifact(key, 1, Artifact.Foreseen(FolderOf(key, 1), there.Manifest)) : null;

    /// <summary>Gives an artefact to the shared store, where there is one. What was given before is success.</summary>
    /// <param name="asNext">As <see cref="SharedStore.Publish"/> has it; null: whether it is the next version here.</param>
    /// <inheritdoc cref="SharedStore.Publish" path="/exception"/>
    public void Publish(StoredArtifact stored, CancellationToken cancellation, bool? asNext = null) =>
        Shared?.Publish(stored.Key, stored.Artifact, asNext ?? stored.Version > 1, cancellation);

    /// <summary>Where the parts of unfinished work on a key are exchanged; null where they are not.</summary>
    public SharedParts? PartsOf(StoreKey key, Action<string> damaged, CancellationToken cancellation) =>
        Shared is null ? null : new SharedParts(Shared, key, damaged, clock, cancellation);

    public string FolderOf(StoreKey key, int version) => version == 1
        ? Path.Combine(Root, key.Kind, key.Digest)
        : Path.Combine(Root, key.Kind, key.Digest + More, version.ToString(CultureInfo.InvariantCulture));

    /// <summary>The key and version whose place a folder is; null for any other folder.</summary>
    public (StoreKey Key, int Version)? Parse(string folder)
    {
        string relative = Path.GetRelativePath(Root, folder).Replace(Path.DirectorySeparatorChar, '/');
        if (PlacePattern().Match(relative) is not { Success: true } match) return null;
        int version = match.Groups[3].Success ? int.Parse(match.Groups[3].ValueSpan, CultureInfo.InvariantCulture) : 1;
        return (new StoreKey(match.Groups[1].Value, match.Groups[2].Value), version);
    }

    /// <summary>Every folder that holds or held work, in order of kind and key, those of shards last.</summary>
    public IEnumerable<StoreEntry> Entries() => Artifacts().Concat(OptionalFolder.Folders(Path.Combine(Root, ShardsName))
        .Select(folder => StoreEntry.TryOf(this, "shards", folder)).OfType<StoreEntry>()
        .Select(entry => entry with { State = StoreEntryState.Unfinished }));

    private IEnumerable<StoreEntry> Artifacts() =>
        from kind in OptionalFolder.Folders(Root)
        where Path.GetFileName(kind)[0] != '.'
        from folder in OptionalFolder.Folders(kind)
        from place in folder.EndsWith(More, StringComparison.Ordinal) ? OptionalFolder.Folders(folder) : [folder]
        let entry = StoreEntry.TryOf(this, Path.GetFileName(kind), place)
        where entry is not null
        select entry;

    /// <summary>Held by everything that uses the store; <see cref="TryClose"/> is refused meanwhile.</summary>
    /// <returns>Null while artefacts are being removed.</returns>
    public FileLock? TryUse() => FileLock.TryShare(Path.Combine(Root, ".lock"));

    /// <summary>The store for oneself, to remove something.</summary>
    /// <returns>Null while anybody uses it.</returns>
    public FileLock? TryClose() => FileLock.TryTake(Path.Combine(Root, ".lock"), "artefacts gc");

    public bool IsPinned(StoreKey key, int version) => File.Exists(PinPath(key, version));

    /// <summary>A pinned artefact is never removed by <c>gc</c>.</summary>
    public void Pin(StoreKey key, int version, bool pinned)
    {
        if (!pinned) File.Delete(PinPath(key, version));
        else
        {
            Directory.CreateDirectory(PinsPath);
            ReplacedFile.Write(PinPath(key, version), "pinned\n"u8);
        }
    }

    /// <summary>Removes an artefact, unfinished work or what was set aside. Only for who holds <see cref="TryClose"/>.</summary>
    public void Remove(StoreEntry entry)
    {
        string? above = Path.GetDirectoryName(entry.Folder);
        if (above is null || !entry.Folder.StartsWith(Root + Path.DirectorySeparatorChar, StringComparison.Ordinal))
            throw new ArgumentException($"'{entry.Folder}' is no place of this store.", nameof(entry));
        Artifact.Remove(entry.Folder);
        if (above.EndsWith(More, StringComparison.Ordinal) && !Directory.EnumerateFileSystemEntries(above).Any()) Directory.Delete(above);
    }

    /// <summary>
    /// Removes what was only needed while somebody worked: files of locks, and what was on its way from the shared store. Only for who
    /// holds <see cref="TryClose"/>.
    /// </summary>
    /// <param name="before">What was touched later stays.</param>
    public void RemoveWaste(DateTimeOffset before)
    {
        string shards = Path.Combine(Root, ShardsName);
        IEnumerable<string> locks = Directory.Exists(LocksPath) ? Directory.EnumerateFiles(LocksPath) : [];
        if (Directory.Exists(shards)) locks = locks.Concat(Directory.EnumerateFiles(shards, "*" + LockSuffix));
        foreach (string file in locks.Where(IsOld).ToList()) FileLock.TryRemove(file);
        if (!Directory.Exists(IncomingPath)) return;
        foreach (string folder in Directory.EnumerateDirectories(IncomingPath).Where(IsOld).ToList())
            Directory.Delete(folder, recursive: true);

        bool IsOld(string path) => File.GetLastWriteTimeUtc(path) < before;
    }

    public bool IsBeingMade(StoreKey key) => FileLock.IsHeld(LockPath(key));

    // One look at one or two paths, however many artefacts there are.
    private IEnumerable<int> VersionsOf(StoreKey key)
    {
        string more = Path.Combine(Root, key.Kind, key.Digest + More);
        var later = OptionalFolder.Folders(more).Select(folder => Parse(folder)?.Version).OfType<int>();
        return Directory.Exists(FolderOf(key, 1)) ? later.Prepend(1) : later;
    }

    private IEnumerable<int> FinishedVersions(StoreKey key) =>
        VersionsOf(key).Where(version => ManifestFile.Newest(FolderOf(key, version)) is not null);

    private (StoreKey Key, int Version) Placed(string folder) =>
        Parse(folder) ?? throw new ArgumentException($"'{folder}' is no place of this store.", nameof(folder));

    private static string NameOf(StoreKey key) => $"{key.Kind}-{key.Digest}";

    private string LockPath(StoreKey key) => Path.Combine(LocksPath, NameOf(key));

    private string PinPath(StoreKey key, int version) => Path.Combine(PinsPath, $"{key.Kind}-{key.Digest}-{version}");

    // Whoever follows a link of a run into the store must not change what other runs use.
    private static void Protect(string file)
    {
        if (!OperatingSystem.IsWindows())
        {
            File.SetUnixFileMode(
                file,
                File.GetUnixFileMode(file) & ~(UnixFileMode.UserWrite | UnixFileMode.GroupWrite | UnixFileMode.OtherWrite));
        }
    }

    [GeneratedRegex("^([a-z][a-z0-9-]*)/([0-9a-f]{64})(?:~/([2-9]|[1-9][0-9]{1,5}))?$")]
    private static partial Regex PlacePattern();
}

internal enum StoreEntryState
{
    Finished,

    /// <summary>Work that was interrupted, or is under way.</summary>
    Unfinished,

    /// <summary>Set aside, or not what was committed.</summary>
    Damaged,
}

/// <summary>A folder of a store, whatever its state.</summary>
/// <param name="Key">Null for what was set aside, and for units that shards made.</param>
/// <param name="Manifest">Null for unfinished work, and where it cannot be read.</param>
/// <param name="Changed">When anything in it was last written.</param>
internal sealed record StoreEntry(
    string Kind, StoreKey? Key, int Version, string Folder,
    StoreEntryState State, ArtifactManifest? Manifest, long Bytes, DateTimeOffset Changed)
{
    /// <returns>Null where it was removed meanwhile.</returns>
    public static StoreEntry? TryOf(ArtifactStore store, string kind, string folder)
    {
        try
        {
            return Of(store, kind, folder);
        }
        catch (DirectoryNotFoundException)
        {
            return null;
        }
    }

    private static StoreEntry Of(ArtifactStore store, string kind, string folder)
    {
        var place = store.Parse(folder);
        var (state, manifest) = Read(folder);
        if (place is null) state = StoreEntryState.Damaged;
        long bytes = 0;
        var changed = Directory.GetLastWriteTimeUtc(folder);
        foreach (var file in new DirectoryInfo(folder).EnumerateFiles("*", SearchOption.AllDirectories).Where(file => file.Exists))
        {
            bytes += file.Length;
            if (file.LastWriteTimeUtc > changed) changed = file.LastWriteTimeUtc;
        }

        return new StoreEntry(kind, place?.Key, place?.Version ?? 0, folder, state, manifest, bytes, changed);
    }

    // Sizes alone: a whole store is looked through in no time, and what was cut off or went missing shows.
    private static (StoreEntryState State, ArtifactManifest? Manifest) Read(string folder)
    {
        try
        {
            if (ManifestFile.Newest(folder) is not { } newest) return (StoreEntryState.Unfinished, null);
            var manifest = ManifestFile.Read(newest.Path);
            bool isWhole = manifest.Files.All(file =>
                new FileInfo(Path.Combine(folder, file.Path)) is { Exists: true } found && found.Length == file.Bytes);
            return (isWhole ? StoreEntryState.Finished : StoreEntryState.Damaged, manifest);
        }
        catch (InvalidDataException)
        {
            return (StoreEntryState.Damaged, null);
        }
        catch (FileNotFoundException)
        {
            return (StoreEntryState.Unfinished, null); // it is being removed: what makes it an artefact goes first
        }
    }
}
