namespace Distill.Storage.Objects;

/// <param name="Name">Below the store's own place, e.g. <c>objects/3f…</c>.</param>
/// <param name="Changed">When it was last written, by the store's clock.</param>
internal sealed record StoredObject(string Name, long Bytes, DateTimeOffset Changed);

/// <summary>
/// A store of objects by name that any number of machines share. An object is there whole or not at all, and is seen by everybody once its
/// put has returned. Implementations try again what may succeed the second time, so a put may have happened although it fails. Thread-safe.
/// </summary>
internal interface IObjectStore : IDisposable
{
    /// <summary>As people write it: <c>s3://bucket/prefix</c>. No secret is in it.</summary>
    string Place { get; }

    /// <returns>Null when there is no such object.</returns>
    /// <exception cref="ObjectStoreException">The store refused or could not be reached.</exception>
    StoredObject? Look(string name, CancellationToken cancellation);

    /// <summary>Puts an object if nothing has its name: of any number who try, one succeeds.</summary>
    /// <returns>False when the name is taken, which may be by an earlier try of this very call.</returns>
    /// <inheritdoc cref="Look" path="/exception"/>
    bool TryPut(string name, ReadOnlyMemory<byte> content, CancellationToken cancellation);

    /// <summary>Puts an object, or replaces it.</summary>
    /// <inheritdoc cref="Look" path="/exception"/>
    void Put(string name, ReadOnlyMemory<byte> content, CancellationToken cancellation);

    /// <summary>
    /// Puts a file's content under a name that follows from it, so that it does not matter who puts it, and how often. Takes memory for a
    /// piece of it at most; what was uploaded of it before an interruption is not uploaded again.
    /// </summary>
    /// <param name="sha256">Of the content, which the store is asked to check where it can.</param>
    /// <inheritdoc cref="Look" path="/exception"/>
    void PutFile(string name, string path, string sha256, CancellationToken cancellation);

    /// <param name="most">Bytes that it may have.</param>
    /// <returns>Null when there is no such object.</returns>
    /// <exception cref="InvalidDataException">It has more bytes.</exception>
    /// <inheritdoc cref="Look" path="/exception"/>
    byte[]? Read(string name, int most, CancellationToken cancellation);

    /// <summary>Appends what an object has from an offset on. What was appended before a fault stays.</summary>
    /// <param name="most">Bytes to append; what follows them is not asked for.</param>
    /// <returns>False when there is no such object, or it ends before the offset.</returns>
    /// <exception cref="IOException">The target cannot be written, or the store could not be reached.</exception>
    bool CopyTo(string name, long offset, long most, Stream target, CancellationToken cancellation);

    /// <summary>Everything whose name begins with a text, in the order of the names.</summary>
    /// <inheritdoc cref="Look" path="/exception"/>
    IEnumerable<StoredObject> List(string prefix, CancellationToken cancellation);

    /// <summary>Removes an object; one that is not there is removed already.</summary>
    /// <inheritdoc cref="Look" path="/exception"/>
    void Delete(string name, CancellationToken cancellation);

    /// <summary>Gives up uploads that were begun before a time and not finished.</summary>
    /// <returns>How many.</returns>
    /// <inheritdoc cref="Look" path="/exception"/>
    int AbandonUploads(DateTimeOffset before, CancellationToken cancellation);
}

/// <summary>An object store refused, or could not be reached. The message says what was tried, where, and what to do.</summary>
internal sealed class ObjectStoreException(string message, Exception? inner = null) : IOException(message, inner);

/// <summary>An object store is not one that can be shared: nothing was done.</summary>
internal sealed class UnsafeObjectStoreException(string message) : Exception(message);

/// <summary>Where things lie in a shared store.</summary>
internal static class ObjectNames
{
    public const string Objects = "objects/", Artefacts = "artefacts/", Units = "units/", Runs = "runs/", Pins = "pins/",
        Checks = "checks/";

    private const string Extension = ".json";

    /// <summary>Content, by its digest.</summary>
    public static string Content(string sha256) => Objects + sha256;

    /// <summary>Manifests of a key, by version.</summary>
    public static string Manifests(StoreKey key) => $"{Artefacts}{key.Kind}/{key.Digest}/";

    public static string Manifest(StoreKey key, int version) =>
        string.Create(System.Globalization.CultureInfo.InvariantCulture, $"{Manifests(key)}{version:D6}{Extension}");

    /// <summary>Parts of unfinished work on a key.</summary>
    public static string UnitsOf(StoreKey key) => $"{Units}{key.Kind}/{key.Digest}/";

    public static string Pin(string manifestDigest) => Pins + manifestDigest;

    /// <summary>The key and version of a manifest's name; null for any other name.</summary>
    public static (StoreKey Key, int Version)? ParseManifest(string name)
    {
        string[] parts = name.Split('/');
        return parts is [var first, var kind, var digest, var file] && first + "/" == Artefacts && FileDigest.IsValid(digest)
            && file.EndsWith(Extension, StringComparison.Ordinal) && int.TryParse(file.AsSpan(0, file.Length - Extension.Length), out int v)
            ? (new StoreKey(kind, digest), v) : null;
    }
}
