using System.Globalization;
using System.Text;
using System.Text.Json;
using System.Text.Json.Serialization;

namespace Distill.Storage;

/// <summary>A committed file as a manifest names it.</summary>
/// <param name="Path">Relative to the manifest's folder, with forward slashes.</param>
/// <param name="Bytes">Length.</param>
/// <param name="Sha256">64 lower-case hexadecimal digits.</param>
/// <param name="Rows">Rows of a table; null for other files.</param>
public sealed record ArtifactFile(string Path, long Bytes, string Sha256, long? Rows = null);

/// <summary>
/// What a folder holds, exactly: readers use the files named here and nothing else. Written last, so its presence means the
/// artefact is finished. Its bytes are canonical (files by name, parents by digest), so equal artefacts have equal digests.
/// </summary>
public sealed record ArtifactManifest
{
    /// <summary>Bounds on a manifest read from disk.</summary>
    public const int MaxBytes = 64 << 20, MaxFiles = 1_000_000;

    private const string ObjectEnd = "\n}\n", ChecksumStart = ",\n  \"checksum\": \"", ChecksumEnd = "\"" + ObjectEnd;

    private static readonly JsonSerializerOptions Json = new()
    {
        PropertyNamingPolicy = JsonNamingPolicy.SnakeCaseLower,
        DefaultIgnoreCondition = JsonIgnoreCondition.WhenWritingNull,
        UnmappedMemberHandling = JsonUnmappedMemberHandling.Disallow,
        AllowDuplicateProperties = false,
        RespectNullableAnnotations = true,
        RespectRequiredConstructorParameters = true,
        MaxDepth = 8,
        WriteIndented = true,
        NewLine = "\n",
    };

    /// <summary>What it is: <c>traces</c>, <c>checkpoint</c>, …</summary>
    public required string Kind { get; init; }

    /// <summary>Version of the stage code that made it (an integer in the code, part of cache keys).</summary>
    public required int StageVersion { get; init; }

    /// <summary>Digests of the artefacts it was made from.</summary>
    public IReadOnlyList<string> Parents { get; init; } = [];

    public required IReadOnlyList<ArtifactFile> Files { get; init; }

    /// <summary>Facts about the content that later stages or people need; never times or paths of the machine.</summary>
    public IReadOnlyDictionary<string, string> Facts { get; init; } = new Dictionary<string, string>();

    /// <summary>SHA-256 of <see cref="ToBytes"/>: the name of the artefact.</summary>
    [JsonIgnore]
    public string Digest => FileDigest.Of(ToBytes());

    /// <summary>Rows of all tables together.</summary>
    [JsonIgnore]
    public long Rows => Files.Sum(file => file.Rows ?? 0);

    /// <summary>Canonical JSON, UTF-8, ending in a line feed.</summary>
    public byte[] ToBytes()
    {
        var canonical = this with
        {
            Parents = [.. Parents.Order(StringComparer.Ordinal)],
            Files = [.. Files.OrderBy(file => file.Path, StringComparer.Ordinal)],
            Facts = new SortedDictionary<string, string>(Facts.ToDictionary(), StringComparer.Ordinal),
        };
        return [.. JsonSerializer.SerializeToUtf8Bytes(canonical, Json), (byte)'\n'];
    }

    /// <summary>
    /// What a manifest file holds: <see cref="ToBytes"/> with the checksum of those bytes as one more property, so that a flipped bit is
    /// damage and not another artefact.
    /// </summary>
    internal byte[] ToFile()
    {
        byte[] content = ToBytes();
        return [.. content.AsSpan()[..^ObjectEnd.Length], .. Encoding.ASCII.GetBytes(ChecksumStart + FileDigest.Of(content) + ChecksumEnd)];
    }

    /// <exception cref="InvalidDataException">No checksum, or not that of the content.</exception>
    internal static ArtifactManifest ParseFile(ReadOnlySpan<byte> file, string source)
    {
        int length = Math.Max(0, file.Length - ChecksumStart.Length - FileDigest.Length - ChecksumEnd.Length);
        byte[] content = [.. file[..length], .. Encoding.ASCII.GetBytes(ObjectEnd)];
        if (Encoding.ASCII.GetString(file[length..]) != ChecksumStart + FileDigest.Of(content) + ChecksumEnd)
            throw new InvalidDataException($"'{source}' is damaged: its checksum is not that of its content.");
        return Parse(content, source);
    }

    /// <param name="source">Named in the message when the content is not a manifest.</param>
    /// <exception cref="InvalidDataException">Not a manifest, or one that names impossible files.</exception>
    public static ArtifactManifest Parse(ReadOnlySpan<byte> json, string source)
    {
        if (json.Length > MaxBytes)
            throw new InvalidDataException($"'{source}' has {json.Length} bytes; a manifest has at most {MaxBytes}.");
        ArtifactManifest? manifest;
        try
        {
            manifest = JsonSerializer.Deserialize<ArtifactManifest>(json, Json);
        }
        catch (JsonException fault)
        {
            throw new InvalidDataException($"'{source}' is not an artefact manifest: {fault.Message}", fault);
        }

        if (manifest is null) throw new InvalidDataException($"'{source}' is not an artefact manifest: it is null.");
        string? problem = manifest.FindProblem();
        return problem is null ? manifest : throw new InvalidDataException($"'{source}' is not a valid artefact manifest: {problem}.");
    }

    /// <summary>The first impossible value, or null.</summary>
    internal string? FindProblem()
    {
        if (Files.Count > MaxFiles) return $"it names {Files.Count} files, more than {MaxFiles}";
        var names = new HashSet<string>(StringComparer.Ordinal);
        foreach (var file in Files)
        {
            if (file is null) return "a file entry is null";
            if (!IsInside(file.Path)) return $"the path '{file.Path}' leaves the folder or is not plain";
            if (!names.Add(file.Path)) return $"it names '{file.Path}' twice";
            if (file.Bytes < 0 || file.Rows < 0) return $"'{file.Path}' has a negative size";
            if (!FileDigest.IsValid(file.Sha256)) return $"'{file.Path}' has the digest '{file.Sha256}'";
        }

        return Parents.FirstOrDefault(parent => !FileDigest.IsValid(parent)) is { } wrong ? $"it has the parent digest '{wrong}'" : null;
    }

    /// <summary>Whether a name stays below the folder on every platform.</summary>
    internal static bool IsInside(string path) =>
        path.Length is > 0 and <= 1024
        && !path.Any(c => c is '\\' or ':' || char.IsControl(c))
        && path.Split('/').All(part => part is not ("" or "." or ".."));
}

/// <summary>The manifests of a folder: <c>manifest-0001.json</c>, …; the highest number is the newest.</summary>
internal static class ManifestFile
{
    private const string Prefix = "manifest-", Extension = ".json";

    public static string PathFor(string folder, int number) =>
        Path.Combine(folder, string.Create(CultureInfo.InvariantCulture, $"{Prefix}{number:D4}{Extension}"));

    public static bool IsManifest(string path) =>
        path.StartsWith(Prefix, StringComparison.Ordinal) && path.EndsWith(Extension, StringComparison.Ordinal);

    /// <summary>Newest manifest by number; null when there is none.</summary>
    public static (int Number, string Path)? Newest(string folder)
    {
        (int Number, string Path)? newest = null;
        foreach (string path in OptionalFolder.Files(folder, Prefix + "*" + Extension))
        {
            string digits = Path.GetFileName(path)[Prefix.Length..^Extension.Length];
            if (int.TryParse(digits, NumberStyles.None, CultureInfo.InvariantCulture, out int number)
                && (newest is null || number > newest.Value.Number))
                newest = (number, path);
        }

        return newest;
    }

    public static ArtifactManifest Read(string path)
    {
        long length = new FileInfo(path).Length;
        if (length > ArtifactManifest.MaxBytes)
            throw new InvalidDataException($"'{path}' has {length} bytes; a manifest has at most {ArtifactManifest.MaxBytes}.");
        return ArtifactManifest.ParseFile(File.ReadAllBytes(path), path);
    }
}
