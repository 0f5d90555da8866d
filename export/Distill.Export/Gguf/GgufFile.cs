using System.Buffers.Binary;
using System.Text;

namespace Distill.Export.Gguf;

/// <summary>A tensor as a file describes it.</summary>
/// <param name="Shape">[out, in].</param>
/// <param name="Offset">In bytes from the start of the file.</param>
internal sealed record GgufEntry(string Name, GgufType Type, IReadOnlyList<long> Shape, long Offset, long Bytes);

/// <summary>
/// What a GGUF file says: its keys and where its tensors lie. Nothing in the file is believed before it is checked against the file's
/// length and a bound, so a broken or hostile one costs memory in proportion to what it holds. Immutable, thread-safe; the file is opened
/// anew for each tensor.
/// </summary>
internal sealed class GgufFile
{
    private const int MaxDimensions = 4, MaxKeys = 1 << 16, MaxTensors = 1 << 20;
    private const int LeastKey = 8 + 4 + 1, LeastTensor = 8 + 4 + 8 + 4 + 8;

    private readonly string path;

    private GgufFile(string path, IReadOnlyDictionary<string, object> metadata, IReadOnlyList<GgufEntry> tensors) =>
        (this.path, Metadata, Tensors) = (path, metadata, tensors);

    /// <summary>
    /// Numbers as ulong, long or double, truth values as bool, texts as string, lists as <see cref="IReadOnlyList{T}"/> of object.
    /// </summary>
    public IReadOnlyDictionary<string, object> Metadata { get; }

    public IReadOnlyList<GgufEntry> Tensors { get; }

    /// <exception cref="InvalidDataException">Not a GGUF file of version 3 that can be read here; says where and why.</exception>
    /// <exception cref="IOException">The file cannot be read.</exception>
    public static GgufFile Open(string path)
    {
        using var stream = new FileStream(path, FileMode.Open, FileAccess.Read, FileShare.Read, 1 << 16);
        return Read(path, stream);
    }

    /// <param name="path">What the file is called, or will be; tensors are read from there.</param>
    /// <param name="stream">Of its content, at the beginning; left open.</param>
    /// <inheritdoc cref="Open"/>
    public static GgufFile Read(string path, Stream stream)
    {
        try
        {
            return Read(path, new GgufCursor(stream));
        }
        catch (InvalidDataException wrong)
        {
            throw new InvalidDataException($"'{path}' is not a GGUF file that can be read: {wrong.Message}", wrong);
        }
    }

    /// <summary>The numbers of a tensor, row by row.</summary>
    /// <exception cref="InvalidDataException">There is no such tensor, or the file has become shorter.</exception>
    public float[] ReadSingles(string name)
    {
        var entry = Tensors.FirstOrDefault(tensor => tensor.Name == name)
            ?? throw new InvalidDataException($"'{path}' has no tensor '{name}'.");
        return GgufNumbers.Read(ReadBytes(entry), entry.Type, checked((int)entry.Shape.Aggregate(1L, (product, size) => product * size)));
    }

    /// <summary>A tensor as it is stored.</summary>
    public byte[] ReadBytes(GgufEntry entry)
    {
        byte[] bytes = new byte[checked((int)entry.Bytes)];
        using var file = File.OpenHandle(path);
        for (int done = 0; done < bytes.Length;)
        {
            int read = RandomAccess.Read(file, bytes.AsSpan(done), entry.Offset + done);
            if (read == 0) throw new InvalidDataException($"'{path}' ends within tensor '{entry.Name}'.");
            done += read;
        }

        return bytes;
    }

    private static GgufFile Read(string path, GgufCursor cursor)
    {
        if (cursor.UInt32() != 0x46554747) throw new InvalidDataException("it does not begin with GGUF.");
        uint version = cursor.UInt32();
        if (version != GgufWriter.Version) throw new InvalidDataException($"its version is {version}, and only 3 is read.");
        int tensors = cursor.Count(MaxTensors, LeastTensor, "tensors"), keys = cursor.Count(MaxKeys, LeastKey, "keys");
        var metadata = new Dictionary<string, object>(keys);
        for (int i = 0; i < keys; i++)
        {
            string key = cursor.Text();
            if (!metadata.TryAdd(key, cursor.Value(cursor.UInt32(), mayBeList: true)))
                throw new InvalidDataException($"it has key '{key}' twice.");
        }

        var infos = new List<(string Name, GgufType Type, long[] Shape, ulong Offset)>(tensors);
        for (int i = 0; i < tensors; i++) infos.Add(TensorInfo(cursor));
        long alignment = AlignmentOf(metadata), start = (cursor.Position + alignment - 1) / alignment * alignment;
        GgufEntry[] entries = [.. infos.Select(info => Placed(info, start, alignment, cursor.Length))];
        if (entries.Select(entry => entry.Name).Distinct().Count() < entries.Length)
            throw new InvalidDataException("two of its tensors have one name.");
        return new(path, metadata, entries);
    }

    private static (string Name, GgufType Type, long[] Shape, ulong Offset) TensorInfo(GgufCursor cursor)
    {
        string name = cursor.Text();
        uint dimensions = cursor.UInt32();
        if (dimensions is 0 or > MaxDimensions) throw new InvalidDataException($"tensor '{name}' has {dimensions} dimensions.");
        long[] shape = new long[dimensions];
        for (int i = shape.Length - 1; i >= 0; i--)
        {
            ulong size = cursor.UInt64();
            if (size is 0 or > int.MaxValue) throw new InvalidDataException($"tensor '{name}' has a dimension of {size}.");
            shape[i] = (long)size;
        }

        var type = (GgufType)cursor.UInt32();
        if (!type.IsKnown()) throw new InvalidDataException($"tensor '{name}' has type {(uint)type}, which is not read here.");
        if (!type.Divides(shape[^1])) throw new InvalidDataException($"rows of tensor '{name}' are no whole blocks.");
        return (name, type, shape, cursor.UInt64());
    }

    private static GgufEntry Placed((string Name, GgufType Type, long[] Shape, ulong Offset) info, long start, long alignment, long length)
    {
        Int128 bytes = info.Type.RowBytes(info.Shape[^1]);
        foreach (long size in info.Shape[..^1]) bytes *= size;
        if (info.Offset % (ulong)alignment != 0) throw new InvalidDataException($"tensor '{info.Name}' is not aligned.");
        if (start + (Int128)info.Offset + bytes > length)
            throw new InvalidDataException($"tensor '{info.Name}' lies beyond the end of the file.");
        return new(info.Name, info.Type, info.Shape, start + (long)info.Offset, (long)bytes);
    }

    private static long AlignmentOf(Dictionary<string, object> metadata) => !metadata.TryGetValue("general.alignment", out object? given)
        ? GgufWriter.Alignment
        : given is ulong number && number is >= 8 and <= 1 << 20 && number % 8 == 0
            ? (long)number
            : throw new InvalidDataException($"general.alignment {given} is no multiple of 8.");
}

/// <summary>Reads the head of a GGUF file forwards; whatever asks for more than is left is refused before memory is taken.</summary>
internal sealed class GgufCursor(Stream stream)
{
    private const int MaxTextBytes = 64 << 20, MaxListed = 1 << 24; // published vocabularies have up to 300,000 tokens

    private static readonly UTF8Encoding s_strict = new(encoderShouldEmitUTF8Identifier: false, throwOnInvalidBytes: true);
    private int listed;

    public long Length { get; } = stream.Length;

    public long Position { get; private set; }

    public uint UInt32() => BinaryPrimitives.ReadUInt32LittleEndian(Take(stackalloc byte[4]));

    public ulong UInt64() => BinaryPrimitives.ReadUInt64LittleEndian(Take(stackalloc byte[8]));

    /// <summary>A number of things, each of which takes at least some bytes.</summary>
    public int Count(int most, int leastBytes, string what)
    {
        ulong count = UInt64();
        return count <= (ulong)most && count <= (ulong)(Length - Position) / (ulong)leastBytes
            ? (int)count
            : throw new InvalidDataException($"it claims to have {count} {what}.");
    }

    public string Text()
    {
        byte[] bytes = new byte[Count(MaxTextBytes, 1, "bytes in a text")];
        Take(bytes);
        try
        {
            return s_strict.GetString(bytes);
        }
        catch (DecoderFallbackException wrong)
        {
            throw new InvalidDataException($"the text that ends at byte {Position} is no UTF-8.", wrong);
        }
    }

    public object Value(uint kind, bool mayBeList) => (GgufValueKind)kind switch
    {
        GgufValueKind.UInt8 => (ulong)Take(stackalloc byte[1])[0],
        GgufValueKind.Int8 => (long)(sbyte)Take(stackalloc byte[1])[0],
        GgufValueKind.UInt16 => (ulong)BinaryPrimitives.ReadUInt16LittleEndian(Take(stackalloc byte[2])),
        GgufValueKind.Int16 => (long)BinaryPrimitives.ReadInt16LittleEndian(Take(stackalloc byte[2])),
        GgufValueKind.UInt32 => (ulong)UInt32(),
        GgufValueKind.Int32 => (long)(int)UInt32(),
        GgufValueKind.UInt64 => UInt64(),
        GgufValueKind.Int64 => (long)UInt64(),
        GgufValueKind.Single => (double)BitConverter.UInt32BitsToSingle(UInt32()),
        GgufValueKind.Double => BitConverter.UInt64BitsToDouble(UInt64()),
        GgufValueKind.Bool => Take(stackalloc byte[1])[0] != 0,
        GgufValueKind.Text => Text(),
        GgufValueKind.List when mayBeList => List(),
        _ => throw new InvalidDataException($"a value before byte {Position} is of kind {kind}, which is not read here."),
    };

    private object[] List()
    {
        uint kind = UInt32();
        object[] values = new object[Count(MaxListed - listed, 1, "values in a list")];
        listed += values.Length;
        for (int i = 0; i < values.Length; i++) values[i] = Value(kind, mayBeList: false);
        return values;
    }

    private ReadOnlySpan<byte> Take(Span<byte> target)
    {
        if (stream.ReadAtLeast(target, target.Length, throwOnEndOfStream: false) < target.Length)
            throw new InvalidDataException($"it ends at byte {Length}, within its head.");
        Position += target.Length;
        return target;
    }
}
