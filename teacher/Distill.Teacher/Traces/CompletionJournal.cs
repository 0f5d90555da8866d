using System.Globalization;
using Distill.Generation;
using Distill.Storage;
using Microsoft.Win32.SafeHandles;

namespace Distill.Teacher;

/// <summary>
/// Completions of one model, kept one by one: each is written when it ends, so a kill loses what was in the slots, and found again by its
/// key, so more samples or problems cost only what is new. Lies in <c>folder/first 16 digits of the model's digest/000001.journal</c> and
/// so on; every process appends to a file of its own and reads all that were there when it opened. Bytes that are no whole and right record
/// are passed over, never used. In memory is where each completion lies (about 50 bytes), not the completions. Thread-safe.
/// </summary>
internal sealed class CompletionJournal : IDisposable
{
    private const string Extension = ".journal";

    private readonly Lock gate = new();
    private readonly string folder;
    private readonly List<string> segments = []; // paths; an own one is the last
    private readonly List<string> notes = [];
    private readonly Dictionary<UInt128, Place> places = []; // by half of the key; the other half is compared when a record is read
    private (int Segment, SafeFileHandle Handle)? reading; // one at a time, so that many segments need few descriptors
    private SafeFileHandle? own;
    private long end; // of the own segment
    private byte[] bytes = [];

    private CompletionJournal(string folder) => this.folder = folder;

    private readonly record struct Place(int Segment, int Length, long Offset);

    /// <summary>Completions that were found or added.</summary>
    public int Count
    {
        get { lock (gate) return places.Count; }
    }

    /// <summary>What was passed over, a sentence per file; empty when all was well.</summary>
    public IReadOnlyList<string> Notes
    {
        get { lock (gate) return [.. notes]; }
    }

    /// <summary>
    /// Reads where everything lies. A folder that does not exist is an empty journal; nothing is written before the first completion.
    /// </summary>
    /// <param name="folder">Of all models' journals.</param>
    /// <param name="modelDigest">SHA-256 of the model's files.</param>
    public static CompletionJournal Open(string folder, string modelDigest)
    {
        if (!FileDigest.IsValid(modelDigest))
            throw new ArgumentException("A model's digest is 64 hexadecimal digits.", nameof(modelDigest));
        var journal = new CompletionJournal(Path.Combine(folder, modelDigest[..16]));
        if (!Directory.Exists(journal.folder)) return journal;
        foreach (string path in Directory.EnumerateFiles(journal.folder, "*" + Extension).Order(StringComparer.Ordinal)) journal.Scan(path);
        return journal;
    }

    /// <summary>The completion of a key; null when there is none, or none that is whole and right any more.</summary>
    public Completion? Find(CompletionKey key)
    {
        lock (gate)
        {
            if (!places.TryGetValue(key.High, out var place)) return null;
            Span<byte> record = Room(place.Length);
            bool read = TryRead(place, record);
            if (read && CompletionRecord.KeyOf(record) == key) return CompletionRecord.Read(record);
            if (read)
                notes.Add(
                    $"'{segments[place.Segment]}': the completion at {place.Offset:N0} is damaged since it was opened and is generated "
                        + "again.");
            places.Remove(key.High);
            return null;
        }
    }

    /// <summary>
    /// Keeps a completion that has ended; it is the operating system's once this returns. One that is there already stays.
    /// </summary>
    /// <exception cref="IOException">The folder cannot be written.</exception>
    public void Add(CompletionKey key, Completion completion)
    {
        if (CompletionRecord.LengthOf(completion) is not { } length) return;
        lock (gate)
        {
            if (places.ContainsKey(key.High)) return;
            own ??= CreateSegment();
            Span<byte> record = Room(length);
            CompletionRecord.Write(record, key, completion);
            RandomAccess.Write(own, record, end); // a write that fails half-way is written over by the next
            places.Add(key.High, new Place(segments.Count - 1, length, end));
            end += length;
        }
    }

    public void Dispose()
    {
        lock (gate)
        {
            reading?.Handle.Dispose();
            reading = null;
            own?.Dispose();
        }
    }

    private static SafeFileHandle OpenToRead(string path) =>
        File.OpenHandle(path, FileMode.Open, FileAccess.Read, FileShare.ReadWrite | FileShare.Delete);

    private void Scan(string path)
    {
        int segment = segments.Count;
        segments.Add(path);
        try
        {
            using var file = OpenToRead(path);
            long lost = new JournalSegment(file).Scan((key, offset, length) => places.TryAdd(key.High, new Place(segment, length, offset)));
            if (lost > 0)
                notes.Add($"'{path}': {lost:N0} bytes are no whole completion and were passed over; what they held is generated again.");
        }
        catch (Exception fault) when (fault is IOException or UnauthorizedAccessException)
        {
            notes.Add($"'{path}' cannot be read; what it holds is generated again. {fault.Message}");
        }
    }

    private bool TryRead(Place place, Span<byte> record)
    {
        try
        {
            SafeFileHandle file = HandleOf(place.Segment);
            int done = 0;
            while (done < record.Length && RandomAccess.Read(file, record[done..], place.Offset + done) is > 0 and var read) done += read;
            return done == record.Length;
        }
        catch (Exception fault) when (fault is IOException or UnauthorizedAccessException)
        {
            notes.Add($"'{segments[place.Segment]}' cannot be read any more; what it holds is generated again. {fault.Message}");
            return false;
        }
    }

    private SafeFileHandle HandleOf(int segment)
    {
        if (own is not null && segment == segments.Count - 1) return own;
        if (reading is not { } open || open.Segment != segment)
        {
            reading?.Handle.Dispose();
            reading = null;
            reading = (segment, OpenToRead(segments[segment]));
        }

        return reading.Value.Handle;
    }

    /// <summary>Creates the file that only this process appends to, under the first number that is free.</summary>
    private SafeFileHandle CreateSegment()
    {
        Directory.CreateDirectory(folder);
        int number = 1 + Directory.EnumerateFiles(folder, "*" + Extension)
            .Select(path => int.TryParse(Path.GetFileNameWithoutExtension(path), CultureInfo.InvariantCulture, out int taken) ? taken : 0)
            .DefaultIfEmpty().Max();
        while (true)
        {
            string path = Path.Combine(folder, number.ToString("D6", CultureInfo.InvariantCulture) + Extension);
            try
            {
                var file = File.OpenHandle(path, FileMode.CreateNew, FileAccess.ReadWrite, FileShare.Read | FileShare.Delete);
                segments.Add(path);
                return file;
            }
            catch (IOException) when (File.Exists(path))
            {
                number++; // another process was faster
            }
        }
    }

    private Span<byte> Room(int length)
    {
        if (bytes.Length < length) bytes = new byte[Math.Max(length, 1 << 12)];
        return bytes.AsSpan(0, length);
    }
}
