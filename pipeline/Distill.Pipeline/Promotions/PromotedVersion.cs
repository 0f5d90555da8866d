using System.Text;
using System.Text.Json;
using System.Text.Json.Serialization;
using Distill.Data.Problems;
using Distill.Storage;

namespace Distill.Pipeline.Promotions;

/// <summary>What a version holds besides the model: everything that the next night needs, so that the store may forget it.</summary>
/// <param name="Number">Counts from 1; never used twice in a place.</param>
/// <param name="Model">Digest of what decides how the model answers, not of its card.</param>
/// <param name="Run">The run that made it.</param>
/// <param name="RunsFolder">Where that run lay.</param>
/// <param name="Promoted">When it was put in place.</param>
/// <param name="EvaluatedBy">The text of the key of its answers in <see cref="AnswersName"/>.</param>
/// <param name="Answers">SHA-256 of that file.</param>
/// <param name="Report">Why it was promoted.</param>
internal sealed record PromotedVersion(
    int Number, string Model, string Run, string RunsFolder, DateTimeOffset Promoted, string EvaluatedBy, string Answers,
    PromotionReport Report)
{
    /// <summary>What applications load.</summary>
    public const string ModelFolder = "model";

    /// <summary>The checkpoint that was exported: what the next training may go on from.</summary>
    public const string StudentFolder = "student";

    /// <summary>Graded traces that it was trained on.</summary>
    public const string TracesFolder = "traces";

    /// <summary>Digests of the problems that it and those that it goes on from were trained on, a line each.</summary>
    public const string ProblemsName = "problems.txt";

    /// <summary>Its answers to the test problems.</summary>
    public const string AnswersName = "answers.jsonl";

    public const string FileName = "promotion.json";

    private const int CurrentFormat = 1;

    private static readonly JsonSerializerOptions Spelling = new(JsonSerializerDefaults.Web)
    {
        WriteIndented = true,
        NewLine = "\n",
        Converters = { new JsonStringEnumConverter(JsonNamingPolicy.CamelCase) },
        Encoder = System.Text.Encodings.Web.JavaScriptEncoder.UnsafeRelaxedJsonEscaping,
    };

    public int Format { get; init; } = CurrentFormat;

    /// <exception cref="InvalidDataException">It cannot be read, or is of another version of this program.</exception>
    public static PromotedVersion Read(string folder)
    {
        string path = Path.Combine(folder, FileName);
        try
        {
            return JsonSerializer.Deserialize<PromotedVersion>(File.ReadAllBytes(path), Spelling) is { Format: CurrentFormat } version
                ? version : throw new InvalidDataException($"'{path}' was written by another version of this program.");
        }
        catch (JsonException fault)
        {
            throw new InvalidDataException($"'{path}' is damaged: {fault.Message}", fault);
        }
    }

    public void Write(string folder) =>
        ReplacedFile.Write(Path.Combine(folder, FileName), JsonSerializer.SerializeToUtf8Bytes(this, Spelling));
}

/// <summary>Problems that a promoted model was trained on, each by a digest of its text: a problem keeps it from night to night, whatever
/// file it is read from.</summary>
internal static class KnownProblems
{
    private const int Length = 32; // 128 bits: no two problems share them by chance

    public static string DigestOf(Problem problem) => FileDigest.Of(Encoding.UTF8.GetBytes(problem.Text))[..Length];

    public static void Write(string path, IEnumerable<string> digests) =>
        ReplacedFile.Write(path, stream =>
        {
            using var writer = new StreamWriter(stream, new UTF8Encoding(false), leaveOpen: true) { NewLine = "\n" };
            foreach (string digest in digests.Distinct().Order(StringComparer.Ordinal)) writer.WriteLine(digest);
        });

    public static IReadOnlySet<string> Read(string path) => File.ReadLines(path).ToHashSet(StringComparer.Ordinal);
}

/// <summary>Files of the store in a second place: one file with two names where both lie on one file system, else a copy.</summary>
internal static class PlacedFiles
{
    /// <summary>Takes a file in. Its folder is made; the name must be free.</summary>
    public static void Take(string source, string target)
    {
        string folder = Path.GetDirectoryName(target)!;
        Directory.CreateDirectory(folder);
        if (AreTogether(source, folder))
        {
            if (!NativeFile.LinkExclusively(source, target)) throw new IOException($"'{target}' exists already.");
            return;
        }

        using var from = new FileStream(source, FileMode.Open, FileAccess.Read, FileShare.Read);
        using var to = new FileStream(target, FileMode.CreateNew, FileAccess.Write, FileShare.None);
        from.CopyTo(to);
        to.Flush(flushToDisk: true);
    }

    /// <summary>Takes in everything of a folder, whatever lies how deep.</summary>
    public static void TakeFolder(string source, string target)
    {
        foreach (string path in Directory.EnumerateFiles(source, "*", SearchOption.AllDirectories).Order(StringComparer.Ordinal))
            Take(path, Path.Combine(target, Path.GetRelativePath(source, path)));
    }

    /// <summary>Makes the names in a folder and in those below it survive a power failure.</summary>
    public static void Sync(string folder)
    {
        foreach (string below in Directory.EnumerateDirectories(folder, "*", SearchOption.AllDirectories)) NativeFile.SyncFolder(below);
        NativeFile.SyncFolder(folder);
    }

    // Files of links are meant themselves; where the system cannot tell, a copy is never wrong.
    private static bool AreTogether(string source, string folder) =>
        NativeFile.Status(source) is { } file && NativeFile.Status(folder) is { } place && file.Device == place.Device;
}
