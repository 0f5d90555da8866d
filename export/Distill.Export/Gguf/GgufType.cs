namespace Distill.Export.Gguf;

/// <summary>How the numbers of a tensor lie in a GGUF file; the values are ggml's (<c>ggml_type</c>).</summary>
internal enum GgufType : uint
{
    /// <summary>fp32.</summary>
    Single = 0,

    /// <summary>fp16.</summary>
    Half = 1,

    /// <summary>Q4_0: blocks of 32 codes of 4 bits with one fp16 scale.</summary>
    Block4 = 2,

    /// <summary>Q8_0: blocks of 32 codes of 8 bits with one fp16 scale.</summary>
    Block8 = 8,

    /// <summary>bf16.</summary>
    BFloat16 = 30,
}

/// <summary>Sizes and names of each <see cref="GgufType"/>.</summary>
internal static class GgufTypes
{
    /// <summary>Numbers that share a scale.</summary>
    public const int BlockLength = 32;

    private static readonly Row[] Table =
    [
        new(GgufType.Single, "F32", 1, 4),
        new(GgufType.Half, "F16", 1, 2),
        new(GgufType.BFloat16, "BF16", 1, 2),
        new(GgufType.Block8, "Q8_0", BlockLength, 34),
        new(GgufType.Block4, "Q4_0", BlockLength, 18),
    ];

    /// <summary>As llama.cpp prints it.</summary>
    public static string Name(this GgufType type) => Of(type).Name;

    public static bool IsKnown(this GgufType type) => Table.Any(row => row.Type == type);

    /// <summary>Whether a row of so many numbers can be cut into whole blocks.</summary>
    public static bool Divides(this GgufType type, long columns) => columns % Of(type).Numbers == 0;

    /// <summary>Bytes of a row.</summary>
    /// <param name="columns">Numbers, whole blocks of them.</param>
    public static long RowBytes(this GgufType type, long columns) => checked(columns / Of(type).Numbers * Of(type).Bytes);

    private static Row Of(GgufType type) => Table.FirstOrDefault(row => row.Type == type)
        ?? throw new ArgumentOutOfRangeException(nameof(type), type, "Not a type known here.");

    private sealed record Row(GgufType Type, string Name, int Numbers, int Bytes);
}

/// <summary>What a model is rounded to: most of its matrices; norms and biases stay fp32.</summary>
internal enum GgufPrecision
{
    Single,
    Half,
    BFloat16,

    /// <summary>Q8_0 throughout.</summary>
    Block8,

    /// <summary>Q4_0, but Q8_0 for embedding and output projection, which small models feel most.</summary>
    Block4,
}

/// <summary>Spellings and types of each <see cref="GgufPrecision"/>.</summary>
internal static class GgufPrecisions
{
    // The file types are llama.cpp's (llama_ftype); they say what most of the tensors are.
    private static readonly Row[] Table =
    [
        new(GgufPrecision.Single, "f32", GgufType.Single, GgufType.Single, 0),
        new(GgufPrecision.Half, "f16", GgufType.Half, GgufType.Half, 1),
        new(GgufPrecision.BFloat16, "bf16", GgufType.BFloat16, GgufType.BFloat16, 32),
        new(GgufPrecision.Block8, "q8_0", GgufType.Block8, GgufType.Block8, 7),
        new(GgufPrecision.Block4, "q4_0", GgufType.Block4, GgufType.Block8, 2),
    ];

    public static IReadOnlyList<string> Names { get; } = [.. Table.Select(row => row.Name)];

    /// <summary>As on the command line: f32, f16, bf16, q8_0, q4_0.</summary>
    public static string Name(this GgufPrecision precision) => Of(precision).Name;

    /// <summary>Type of the projections within the layers.</summary>
    public static GgufType Body(this GgufPrecision precision) => Of(precision).Body;

    /// <summary>Type of embedding and output projection.</summary>
    public static GgufType Ends(this GgufPrecision precision) => Of(precision).Ends;

    /// <summary><c>general.file_type</c>.</summary>
    public static uint FileType(this GgufPrecision precision) => Of(precision).FileType;

    /// <summary>Null for an unknown name.</summary>
    public static GgufPrecision? Parse(string name) => Table.FirstOrDefault(row => row.Name == name)?.Precision;

    private static Row Of(GgufPrecision precision) => Table.First(row => row.Precision == precision);

    private sealed record Row(GgufPrecision Precision, string Name, GgufType Body, GgufType Ends, uint FileType);
}
