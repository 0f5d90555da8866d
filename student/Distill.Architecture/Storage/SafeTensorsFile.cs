using System.Runtime.InteropServices;

namespace Distill.Architecture;

/// <summary>
/// A safetensors file open for reading. The header is validated when it is opened; tensor data are read on request, straight
/// into the array that is returned. Values are not inspected: NaN and infinity are possible. Not thread-safe. The opener disposes it.
/// </summary>
internal sealed class SafeTensorsFile : IDisposable
{
    private const int ChunkBytes = 1 << 16;
    private readonly Stream stream;
    private readonly SafeTensorsHeader header;
    private readonly Dictionary<string, SafeTensorEntry> byName;

    private SafeTensorsFile(Stream stream, string file)
    {
        this.stream = stream;
        File = file;
        header = SafeTensorsHeader.Read(stream, file);
        byName = header.Entries.ToDictionary(entry => entry.Name);
    }

    /// <summary>What error messages call it.</summary>
    public string File { get; }

    /// <summary>In the order of their data.</summary>
    public IReadOnlyList<SafeTensorEntry> Entries => header.Entries;

    public IReadOnlyDictionary<string, string> Metadata => header.Metadata;

    /// <exception cref="InvalidDataException">The file is missing or unsound; the message names it and the reason.</exception>
    public static SafeTensorsFile Open(string path)
    {
        if (!System.IO.File.Exists(path)) throw new InvalidDataException($"'{path}' does not exist.");
        return Open(new FileStream(path, FileMode.Open, FileAccess.Read, FileShare.Read, bufferSize: 1), path);
    }

    /// <summary>Takes over a seekable stream.</summary>
    public static SafeTensorsFile Open(Stream stream, string file)
    {
        try
        {
            return new(stream, file);
        }
        catch
        {
            stream.Dispose();
            throw;
        }
    }

    public bool Contains(string name) => byName.ContainsKey(name);

    /// <exception cref="InvalidDataException">There is no such tensor.</exception>
    public SafeTensorEntry Entry(string name) =>
        byName.TryGetValue(name, out var entry) ? entry : throw new InvalidDataException($"'{File}' has no tensor '{name}'.");

    /// <summary>A floating tensor (F32, F16, BF16 or F64) as fp32, row-major.</summary>
    /// <exception cref="InvalidDataException">No such tensor, not of a floating type, or too large for one array.</exception>
    public float[] ReadSingles(string name)
    {
        var entry = Entry(name);
        float[] values = new float[Capacity(entry)];
        Seek(entry);
        if (entry.Type == SafeTensorType.Float32) stream.ReadExactly(MemoryMarshal.AsBytes(values.AsSpan()));
        else ReadConverted(entry, values);
        return values;
    }

    /// <summary>Part of an F32 tensor, row-major.</summary>
    /// <param name="first">Index of the first value.</param>
    /// <param name="target">As many values as are wanted.</param>
    /// <exception cref="InvalidDataException">No such tensor, of another type, or shorter.</exception>
    public void ReadSingles(string name, long first, Span<float> target)
    {
        var entry = Entry(name);
        if (entry.Type != SafeTensorType.Float32)
            throw new InvalidDataException($"Tensor '{name}' of '{File}' is {entry.Type.HeaderName()} instead of F32.");
        if (first < 0 || first > entry.Count - target.Length)
            throw new InvalidDataException($"Tensor '{name}' of '{File}' has {entry.Count} values, too few.");
        ReadAt(entry, first * sizeof(float), MemoryMarshal.AsBytes(target));
    }

    /// <summary>An integer or boolean tensor as 64-bit integers; U64 values must fit.</summary>
    /// <exception cref="InvalidDataException">No such tensor, not of an integer type, or a value or the tensor is too large.</exception>
    public long[] ReadIntegers(string name)
    {
        var entry = Entry(name);
        long[] values = new long[Capacity(entry)];
        Seek(entry);
        if (entry.Type == SafeTensorType.Int64) stream.ReadExactly(MemoryMarshal.AsBytes(values.AsSpan()));
        else ReadConverted(entry, values);
        return values;
    }

    /// <summary>The stored bytes of any tensor.</summary>
    public byte[] ReadBytes(string name)
    {
        var entry = Entry(name);
        if (entry.End - entry.Begin > Array.MaxLength) throw TooLarge(entry);
        byte[] bytes = new byte[entry.End - entry.Begin];
        Seek(entry);
        stream.ReadExactly(bytes);
        return bytes;
    }

    /// <summary>Whether two tensors have the same shape and the same values, NaN equal to itself; read in pieces.</summary>
    internal bool HoldsSame(string name, SafeTensorsFile other, string otherName)
    {
        var (mine, its) = (Entry(name), other.Entry(otherName));
        if (!mine.Shape.SequenceEqual(its.Shape)) return false;
        if (mine.Type != its.Type) return ReadSingles(name).AsSpan().SequenceEqual(other.ReadSingles(otherName));
        byte[] one = new byte[ChunkBytes], two = new byte[ChunkBytes];
        for (long done = 0, length = mine.End - mine.Begin; done < length; done += ChunkBytes)
        {
            int count = (int)Math.Min(ChunkBytes, length - done);
            Span<byte> left = one.AsSpan(0, count), right = two.AsSpan(0, count);
            ReadAt(mine, done, left);
            other.ReadAt(its, done, right);
            if (!left.SequenceEqual(right)) return false;
        }

        return true;
    }

    public void Dispose() => stream.Dispose();

    private void ReadAt(SafeTensorEntry entry, long offset, Span<byte> target)
    {
        stream.Position = header.DataStart + entry.Begin + offset;
        stream.ReadExactly(target);
    }

    private void ReadConverted<T>(SafeTensorEntry entry, T[] values)
    {
        byte[] chunk = new byte[(int)Math.Min(ChunkBytes, entry.End - entry.Begin)];
        int width = entry.Type.Bytes();
        for (int done = 0; done < values.Length;)
        {
            int take = Math.Min(chunk.Length / width, values.Length - done);
            var bytes = chunk.AsSpan(0, take * width);
            stream.ReadExactly(bytes);
            if (!SafeTensorConversion.TryConvert<T>(entry.Type, bytes, values.AsSpan(done, take)))
                throw new InvalidDataException(
                    $"Tensor '{entry.Name}' of '{File}' is {entry.Type.HeaderName()}, or holds a value, "
                    + $"that cannot be read as {typeof(T).Name}.");
            done += take;
        }
    }

    private int Capacity(SafeTensorEntry entry) => entry.Count <= Array.MaxLength ? (int)entry.Count : throw TooLarge(entry);

    private InvalidDataException TooLarge(SafeTensorEntry entry) =>
        new($"Tensor '{entry.Name}' of '{File}' with shape {entry.ShapeText} is too large for one array.");

    private void Seek(SafeTensorEntry entry) => stream.Position = header.DataStart + entry.Begin;
}
