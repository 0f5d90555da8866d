using System.Security.Cryptography;

namespace Distill.Storage.Objects;

/// <summary>An artefact in a shared store.</summary>
/// <param name="Changed">When it was published.</param>
internal sealed record SharedArtifact(StoreKey Key, int Version, ArtifactManifest Manifest, DateTimeOffset Changed);

/// <summary>
/// The truth that machines without a common file system share: contents under their digests, and manifests that name them, each put once
/// and for all. Content comes first, so that a manifest that is there has all its files; a publisher that was killed is simply asked again.
/// Stages work on files of the local store; this brings and takes whole artefacts. Thread-safe.
/// </summary>
internal sealed class SharedStore(IObjectStore objects, TimeProvider clock)
{
    /// <summary>Younger objects are never collected: somebody may be about to name them in a manifest.</summary>
    public static readonly TimeSpan Grace = TimeSpan.FromDays(1);

    // Content that nothing may name any more, and that could be collected while its new manifest is on its way, is put again.
    private static readonly TimeSpan Renewal = Grace / 2;

    private readonly HashSet<string> damagedContent = new(StringComparer.Ordinal);
    private readonly Lock gate = new();

    public IObjectStore Objects => objects;

    public string Place => objects.Place;

    /// <summary>Whether the store keeps its first promise: a name is given once. Two puts of one name tell.</summary>
    /// <exception cref="UnsafeObjectStoreException">It does not.</exception>
    /// <exception cref="ObjectStoreException">The store refused or could not be reached.</exception>
    public void RequireConditionalWrites(CancellationToken cancellation)
    {
        string name = ObjectNames.Checks + RandomNumberGenerator.GetHexString(32, lowercase: true);
        byte[] first = "first"u8.ToArray();
        _ = objects.TryPut(name, first, cancellation);
        bool isTwice = objects.TryPut(name, "second"u8.ToArray(), cancellation);
        byte[]? kept = objects.Read(name, 64, cancellation);
        bool isListed = objects.List(name, cancellation).Any(found => found.Name == name);
        objects.Delete(name, cancellation);
        if (isTwice || kept is null || !kept.AsSpan().SequenceEqual(first))
        {
            throw new UnsafeObjectStoreException(
                $"{Place} gave one name twice: its server ignores 'If-None-Match: *', so two machines could overwrite each other. "
                + "Use Amazon S3 or a server with conditional writes (docs/store.md names some), or share a folder instead.");
        }

        if (!isListed) throw new UnsafeObjectStoreException($"{Place} does not list what was just put into it. Use a server that does.");
    }

    /// <summary>The time by the store's own clock, which its objects' ages are measured by: a small object is put for it.</summary>
    /// <exception cref="ObjectStoreException">The store refused or could not be reached.</exception>
    public DateTimeOffset Now(CancellationToken cancellation)
    {
        string name = ObjectNames.Checks + RandomNumberGenerator.GetHexString(32, lowercase: true);
        objects.Put(name, "time"u8.ToArray(), cancellation);
        var now = objects.Look(name, cancellation)?.Changed;
        objects.Delete(name, cancellation);
        return now is { } time && time != DateTimeOffset.MaxValue ? time
            : throw new ObjectStoreException($"{Place} does not say when an object was put, so nobody knows what is old.");
    }

    /// <summary>The newest artefact of a key; null when there is none that can be read.</summary>
    /// <param name="damaged">Told of a manifest that is not one.</param>
    public SharedArtifact? Find(StoreKey key, Action<string> damaged, CancellationToken cancellation) =>
        Versions(key, damaged, cancellation).FirstOrDefault();

    /// <summary>Every artefact, by kind, key and version.</summary>
    public IEnumerable<SharedArtifact> All(Action<string> damaged, CancellationToken cancellation) =>
        objects.List(ObjectNames.Artefacts, cancellation).Select(found => Read(found, damaged, cancellation)).OfType<SharedArtifact>();

    /// <summary>
    /// Makes an artefact everybody's. The same published before, as whatever version, is success; what has gone missing of it is put again.
    /// </summary>
    /// <param name="asNext">Whether it was made anew on demand: other content then becomes the next version.</param>
    /// <exception cref="CommitConflictException">The key has another artefact there.</exception>
    public void Publish(StoreKey key, Artifact artifact, bool asNext, CancellationToken cancellation)
    {
        // One that cannot be read is in nobody's way but for its number.
        var versions = Versions(key, _ => { }, cancellation).ToList();
        var there = versions.FirstOrDefault();
        bool isThere = versions.Exists(version => version.Manifest.Digest == artifact.Digest);
        if (!isThere && there is not null && !asNext) throw Conflict(there, artifact);
        foreach (var file in artifact.Manifest.Files)
        {
            if (!isThere || !Has(file, cancellation)) Put(file, Path.Combine(artifact.Folder, file.Path), cancellation);
        }

        if (isThere) return;
        byte[] manifest = artifact.Manifest.ToFile();
        for (int version = (there?.Version ?? 0) + 1; ; version++)
        {
            string name = ObjectNames.Manifest(key, version);
            if (objects.TryPut(name, manifest, cancellation)) return;
            if (objects.Look(name, cancellation) is not { } other || Read(other, _ => { }, cancellation) is not { } winner) continue;
            if (winner.Manifest.Digest == artifact.Digest) return; // somebody was faster, or an earlier try of this put
            if (!asNext) throw Conflict(winner, artifact);
        }
    }

    /// <summary>Puts a file's content where nobody has yet.</summary>
    public void Put(ArtifactFile file, string path, CancellationToken cancellation)
    {
        string name = ObjectNames.Content(file.Sha256);
        if (!IsDamaged(file.Sha256) && objects.Look(name, cancellation) is { } there && there.Bytes == file.Bytes
            && clock.GetUtcNow() - there.Changed < Renewal) return;
        objects.PutFile(name, path, file.Sha256, cancellation);
        lock (gate) damagedContent.Remove(file.Sha256);
    }

    /// <summary>Whether a content is there in its length, and was not found to be damaged.</summary>
    public bool Has(ArtifactFile file, CancellationToken cancellation) =>
        !IsDamaged(file.Sha256) && objects.Look(ObjectNames.Content(file.Sha256), cancellation)?.Bytes == file.Bytes;

    /// <summary>Brings every file of an artefact into a folder, each checked; goes on with what an interrupted call brought.</summary>
    /// <param name="folder">Nobody else's.</param>
    /// <returns>False when something is missing there, or is not what the manifest names.</returns>
    public bool TryBring(SharedArtifact artifact, string folder, Action<string> damaged, CancellationToken cancellation)
    {
        foreach (var file in artifact.Manifest.Files)
        {
            if (!TryBring(file, Path.Combine(folder, file.Path), damaged, cancellation)) return false;
        }

        CommittedFile.WriteBytes(ManifestFile.PathFor(folder, 1), artifact.Manifest.ToFile());
        return true;
    }

    /// <summary>Brings one content. At the path is then all of it, checked and flushed, or a piece of it to go on from.</summary>
    /// <inheritdoc cref="TryBring(SharedArtifact, string, Action{string}, CancellationToken)"/>
    public bool TryBring(ArtifactFile file, string path, Action<string> damaged, CancellationToken cancellation)
    {
        Directory.CreateDirectory(Path.GetDirectoryName(path)!);
        string name = ObjectNames.Content(file.Sha256);
        for (bool isAnew = false; ; isAnew = true)
        {
            if (isAnew || (File.Exists(path) && new FileInfo(path).Length > file.Bytes)) File.Delete(path);
            bool wasBegun = File.Exists(path);
            if (!TryComplete(name, file, path, cancellation))
            {
                damaged($"{Place}/{name} is missing, which '{file.Path}' of an artefact there needs.");
                return false;
            }

            if (new FileInfo(path).Length == file.Bytes && FileDigest.OfFile(path) == file.Sha256) return true;
            if (wasBegun) continue; // what lay there may have been something else
            File.Delete(path);
            lock (gate) damagedContent.Add(file.Sha256);
            damaged($"{Place}/{name} is damaged: its content is not what its name says.");
            return false;
        }
    }

    /// <summary>Reads every content of an artefact and compares it with its digest; keeps nothing.</summary>
    /// <returns>One sentence for each fault.</returns>
    public IReadOnlyList<string> Verify(SharedArtifact artifact, CancellationToken cancellation)
    {
        var faults = new List<string>();
        foreach (var file in artifact.Manifest.Files)
        {
            string name = ObjectNames.Content(file.Sha256);
            using var digest = IncrementalHash.CreateHash(HashAlgorithmName.SHA256);
            using var target = new DigestStream(digest);
            bool isThere = file.Bytes == 0 || objects.CopyTo(name, 0, file.Bytes, target, cancellation);
            if (!isThere) faults.Add($"{Place}/{name} is missing ('{file.Path}').");
            else if (Convert.ToHexStringLower(digest.GetHashAndReset()) != file.Sha256)
                faults.Add($"{Place}/{name} is damaged: its content is not what its name says ('{file.Path}').");
        }

        return faults;
    }

    // From the newest on.
    private IEnumerable<SharedArtifact> Versions(StoreKey key, Action<string> damaged, CancellationToken cancellation) =>
        objects.List(ObjectNames.Manifests(key), cancellation).Reverse().ToList()
            .Select(found => Read(found, damaged, cancellation)).OfType<SharedArtifact>();

    private bool IsDamaged(string sha256)
    {
        lock (gate) return damagedContent.Contains(sha256);
    }

    private bool TryComplete(string name, ArtifactFile file, string path, CancellationToken cancellation)
    {
        using var target = new FileStream(path, FileMode.Append, FileAccess.Write, FileShare.Read);
        long at = target.Position;
        if (at < file.Bytes && !objects.CopyTo(name, at, file.Bytes - at, target, cancellation)) return false;
        target.Flush(flushToDisk: true);
        return true;
    }

    private SharedArtifact? Read(StoredObject found, Action<string> damaged, CancellationToken cancellation)
    {
        if (ObjectNames.ParseManifest(found.Name) is not var (key, version)) return null;
        try
        {
            return objects.Read(found.Name, ArtifactManifest.MaxBytes, cancellation) is { } bytes
                ? new SharedArtifact(key, version, ArtifactManifest.ParseFile(bytes, $"{Place}/{found.Name}"), found.Changed) : null;
        }
        catch (InvalidDataException fault)
        {
            damaged(fault.Message);
            return null;
        }
    }

    private CommitConflictException Conflict(SharedArtifact there, Artifact here) => new(
        $"{Place}/{ObjectNames.Manifest(there.Key, there.Version)} names another artefact (digest {there.Manifest.Digest}) than was made "
        + $"here of the same inputs (digest {here.Digest}), e.g. on another kind of processor. What was made here stays in "
        + $"'{here.Folder}'. Make the stage anew with --force to publish yours as the next version, or remove yours to take theirs.");

    private sealed class DigestStream(IncrementalHash digest) : Stream
    {
        public override bool CanRead => false;

        public override bool CanSeek => false;

        public override bool CanWrite => true;

        public override long Length => throw new NotSupportedException();

        public override long Position { get => throw new NotSupportedException(); set => throw new NotSupportedException(); }

        public override void Write(byte[] buffer, int offset, int count) => digest.AppendData(buffer, offset, count);

        public override void Write(ReadOnlySpan<byte> buffer) => digest.AppendData(buffer);

        public override void Flush()
        {
        }

        public override int Read(byte[] buffer, int offset, int count) => throw new NotSupportedException();

        public override long Seek(long offset, SeekOrigin origin) => throw new NotSupportedException();

        public override void SetLength(long value) => throw new NotSupportedException();
    }
}
