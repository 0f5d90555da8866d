using System.Text.Json;
using System.Text.Json.Serialization;
using Distill.Data.Storage;

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
