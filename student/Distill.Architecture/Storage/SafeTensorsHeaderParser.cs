using System.Text.Json;

namespace Distill.Architecture;

/// <summary>The JSON of a safetensors header, token by token, so that memory follows what is kept and not what is written.</summary>
internal ref struct SafeTensorsHeaderParser
{
    private const int MaxRank = 16;
    private readonly string file;
    private Utf8JsonReader reader;

    public SafeTensorsHeaderParser(ReadOnlySpan<byte> header, string file)
    {
        this.file = file;
        reader = new Utf8JsonReader(header, new JsonReaderOptions { MaxDepth = 4 });
    }

    public List<SafeTensorEntry> Entries { get; } = [];

    public Dictionary<string, string> Metadata { get; } = [];

    public void Parse()
    {
        var names = new HashSet<string>();
        Expect(JsonTokenType.StartObject, "an object");
        while (NextProperty() is { } name)
        {
            if (!names.Add(name)) throw Bad($"the name '{Short(name)}' occurs twice");
            if (name == "__metadata__") ReadMetadata();
            else Entries.Add(ReadEntry(name));
        }

        if (reader.Read()) throw Bad("there is something after the header's object");
    }

    private void ReadMetadata()
    {
        Expect(JsonTokenType.StartObject, "an object for __metadata__");
        while (NextProperty() is { } key)
        {
            Expect(JsonTokenType.String, $"a string for metadata '{Short(key)}'");
            if (!Metadata.TryAdd(key, reader.GetString()!)) throw Bad($"the metadata key '{Short(key)}' occurs twice");
        }
    }

    private SafeTensorEntry ReadEntry(string name)
    {
        Expect(JsonTokenType.StartObject, $"an object for tensor '{Short(name)}'");
        SafeTensorType? type = null;
        long[]? shape = null, offsets = null;
        while (NextProperty() is { } key)
        {
            switch (key)
            {
                case "dtype" when type is null:
                    Expect(JsonTokenType.String, $"a string for the dtype of '{Short(name)}'");
                    string spelled = reader.GetString()!;
                    type = SafeTensorTypes.Parse(spelled) ?? throw Bad($"tensor '{Short(name)}' has the unknown dtype '{Short(spelled)}'");
                    break;
                case "shape" when shape is null:
                    shape = ReadNumbers(name, key);
                    break;
                case "data_offsets" when offsets is null:
                    offsets = ReadNumbers(name, key);
                    break;
                default:
                    throw Bad($"tensor '{Short(name)}' has a repeated or unknown property '{Short(key)}'");
            }
        }

        if (type is null || shape is null || offsets is not [var begin, var end])
            throw Bad($"tensor '{Short(name)}' needs dtype, shape and two data_offsets");
        return Checked(new(name, type.Value, shape, begin, end));
    }

    private readonly SafeTensorEntry Checked(SafeTensorEntry entry)
    {
        if (entry.End < entry.Begin) throw Bad($"tensor '{Short(entry.Name)}' ends before it begins ({entry.Begin}, {entry.End})");
        long bytes = entry.Type.Bytes();
        foreach (long size in entry.Shape)
        {
            if (size != 0 && bytes > long.MaxValue / size) throw Bad($"the size of tensor '{Short(entry.Name)}' overflows");
            bytes *= size;
        }

        if (bytes != entry.End - entry.Begin)
            throw Bad($"tensor '{Short(entry.Name)}' of shape {entry.ShapeText} and type {entry.Type.HeaderName()} needs {bytes} bytes; "
                + $"its offsets span {entry.End - entry.Begin}");
        return entry;
    }

    private long[] ReadNumbers(string name, string key)
    {
        Expect(JsonTokenType.StartArray, $"an array for {key} of '{Short(name)}'");
        Span<long> numbers = stackalloc long[MaxRank];
        int count = 0;
        while (reader.Read() && reader.TokenType != JsonTokenType.EndArray)
        {
            if (count == MaxRank) throw Bad($"{key} of '{Short(name)}' has more than {MaxRank} numbers");
            if (reader.TokenType != JsonTokenType.Number || !reader.TryGetInt64(out long number) || number < 0)
                throw Bad($"{key} of '{Short(name)}' holds something that is not a whole number from 0 to 2^63-1");
            numbers[count++] = number;
        }

        return numbers[..count].ToArray();
    }

    private string? NextProperty()
    {
        if (!reader.Read()) throw Bad("the header ends too early");
        return reader.TokenType == JsonTokenType.PropertyName ? reader.GetString() : null;
    }

    private void Expect(JsonTokenType type, string what)
    {
        if (!reader.Read() || reader.TokenType != type) throw Bad($"{what} was expected");
    }

    private static string Short(string text) => text.Length <= 80 ? text : text[..80] + "…";

    private readonly InvalidDataException Bad(string reason) => SafeTensorsHeader.Bad(file, reason);
}
