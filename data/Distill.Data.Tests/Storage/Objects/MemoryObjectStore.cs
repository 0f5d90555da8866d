using System.Collections.Concurrent;
using Distill.Storage.Objects;

namespace Distill.Data.Tests.Storage.Objects;

/// <summary>An object store as it should be, in memory.</summary>
internal sealed class MemoryObjectStore(TimeProvider clock) : IObjectStore
{
    private readonly ConcurrentDictionary<string, (byte[] Content, DateTimeOffset Changed)> objects = new(StringComparer.Ordinal);

    public string Place => "memory://store";

    public IEnumerable<string> Names => objects.Keys.Order(StringComparer.Ordinal);

    /// <summary>Names whose content was put, again and again where it was.</summary>
    public ConcurrentQueue<string> Puts { get; } = [];

    public StoredObject? Look(string name, CancellationToken cancellation) =>
        objects.TryGetValue(name, out var found) ? new StoredObject(name, found.Content.Length, found.Changed) : null;

    public bool TryPut(string name, ReadOnlyMemory<byte> content, CancellationToken cancellation) =>
        objects.TryAdd(name, (content.ToArray(), clock.GetUtcNow()));

    public void Put(string name, ReadOnlyMemory<byte> content, CancellationToken cancellation)
    {
        Puts.Enqueue(name);
        objects[name] = (content.ToArray(), clock.GetUtcNow());
    }

    public void PutFile(string name, string path, string sha256, CancellationToken cancellation) =>
        Put(name, File.ReadAllBytes(path), cancellation);

    public byte[]? Read(string name, int most, CancellationToken cancellation) =>
        !objects.TryGetValue(name, out var found) ? null
            : found.Content.Length <= most ? found.Content : throw new InvalidDataException($"'{name}' is too large.");

    public bool CopyTo(string name, long offset, long most, Stream target, CancellationToken cancellation)
    {
        if (!objects.TryGetValue(name, out var found) || offset > found.Content.Length) return false;
        target.Write(found.Content.AsSpan((int)offset, (int)Math.Min(most, found.Content.Length - offset)));
        return true;
    }

    public IEnumerable<StoredObject> List(string prefix, CancellationToken cancellation) =>
        Names.Where(name => name.StartsWith(prefix, StringComparison.Ordinal)).Select(name => Look(name, cancellation))
            .OfType<StoredObject>();

    public void Delete(string name, CancellationToken cancellation) => objects.TryRemove(name, out _);

    public int AbandonUploads(DateTimeOffset before, CancellationToken cancellation) => 0;

    public void Dispose()
    {
    }
}

/// <summary>
/// The same, until the n-th request: that one fails, before or after it had its effect, and so does every later one, as to a process
/// that was killed.
/// </summary>
internal sealed class InterruptedObjectStore(IObjectStore inner, int at, bool hasEffect) : IObjectStore
{
    private int seen;

    public bool WasInterrupted => seen >= at;

    public string Place => inner.Place;

    public StoredObject? Look(string name, CancellationToken cancellation) => Do(() => inner.Look(name, cancellation));

    public bool TryPut(string name, ReadOnlyMemory<byte> content, CancellationToken cancellation) =>
        Do(() => inner.TryPut(name, content, cancellation));

    public void Put(string name, ReadOnlyMemory<byte> content, CancellationToken cancellation) => Do(() =>
    {
        inner.Put(name, content, cancellation);
        return true;
    });

    public void PutFile(string name, string path, string sha256, CancellationToken cancellation) => Do(() =>
    {
        inner.PutFile(name, path, sha256, cancellation);
        return true;
    });

    public byte[]? Read(string name, int most, CancellationToken cancellation) => Do(() => inner.Read(name, most, cancellation));

    // Half of what was asked for arrives.
    public bool CopyTo(string name, long offset, long most, Stream target, CancellationToken cancellation) => Do(
        () => inner.CopyTo(name, offset, seen == at ? most / 2 : most, target, cancellation));

    public IEnumerable<StoredObject> List(string prefix, CancellationToken cancellation) =>
        Do(() => inner.List(prefix, cancellation).ToList());

    public void Delete(string name, CancellationToken cancellation) => Do(() =>
    {
        inner.Delete(name, cancellation);
        return true;
    });

    public int AbandonUploads(DateTimeOffset before, CancellationToken cancellation) =>
        Do(() => inner.AbandonUploads(before, cancellation));

    public void Dispose() => inner.Dispose();

    private T Do<T>(Func<T> request)
    {
        seen++;
        if (seen < at) return request();
        if (seen == at && hasEffect) _ = request();
        throw new ObjectStoreException($"Request {seen} was interrupted.");
    }
}
