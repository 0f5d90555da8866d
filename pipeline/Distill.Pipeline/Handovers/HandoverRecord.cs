using System.Text;
using System.Text.Json;
using System.Text.Json.Nodes;
using Distill.Architecture;
using Distill.Pipeline.Recipes;
using Distill.Pipeline.Stages.Training;
using Distill.Storage;

namespace Distill.Pipeline.Handovers;

/// <summary><c>handover.json</c>: what was handed over, so that what comes back can be told from anything else.</summary>
/// <param name="Run">Name of the run.</param>
/// <param name="Stage">The training that another trainer does.</param>
/// <param name="Start">Digest of the student that the training begins with.</param>
/// <param name="Tokenizer">Fingerprint of its tokenizer.</param>
/// <param name="Template">Digest of its chat template's text; null where it has none.</param>
/// <param name="Recipe">The recipe's digest, whatever folders its models lie in.</param>
/// <param name="Options">What the trainer was told.</param>
/// <param name="Files">Digests of the tokenizer's files and of the data.</param>
internal sealed record HandoverRecord(
    int Format, string Run, string Stage, string Trainer, string Read, string Start, string Tokenizer, string? Template, string Recipe,
    JsonObject Options, IReadOnlyDictionary<string, string> Files)
{
    public const string FileName = "handover.json", CheckpointFolder = "checkpoint";

    private const int CurrentFormat = 1, MaxBytes = 4 << 20;

    private static readonly JsonSerializerOptions Spelling = new(CanonicalJson.Spelling) { WriteIndented = true, NewLine = "\n" };

    /// <param name="folder">With the checkpoint and everything else.</param>
    public static HandoverRecord Of(HandedTraining training, ITrainer trainer, OptionMap options, string recipe, string folder)
    {
        string[] kept = [TokenizerFiles.TokenizerName, TokenizerFiles.ConfigName, TokenizerFiles.TemplateName, DecoderConfigJson.FileName];
        var files = Directory.EnumerateFiles(folder, "*", SearchOption.AllDirectories)
            .Select(path => Path.GetRelativePath(folder, path).Replace(Path.DirectorySeparatorChar, '/'))
            .Where(path => path.EndsWith(".jsonl", StringComparison.Ordinal) || kept.Contains(Path.GetFileName(path)))
            .Order(StringComparer.Ordinal).ToDictionary(path => path, path => FileDigest.OfFile(Path.Combine(folder, path)));
        return new HandoverRecord(
            CurrentFormat, training.Run, training.Stage, trainer.Name, trainer.Read, training.StartDigest,
            training.Student.Encoder.Tokenizer.Fingerprint, TemplateOf(training.Student), recipe,
            options.Configuration.DeepClone().AsObject(), files);
    }

    /// <exception cref="InvalidDataException">The folder holds no hand-over, or one that was changed.</exception>
    public static HandoverRecord Open(string folder)
    {
        string path = Path.Combine(folder, FileName);
        if (!File.Exists(path))
            throw new InvalidDataException(
                $"'{folder}' is no hand-over: it has no {FileName}. Give the folder that 'distill handover' wrote.");
        if (new FileInfo(path).Length > MaxBytes) throw new InvalidDataException($"'{path}' is larger than {MaxBytes:N0} bytes.");
        HandoverRecord? record;
        try
        {
            record = JsonSerializer.Deserialize<HandoverRecord>(File.ReadAllBytes(path), CanonicalJson.Spelling);
        }
        catch (JsonException fault)
        {
            throw new InvalidDataException($"'{path}' cannot be read: {fault.Message}", fault);
        }

        if (record is not { Format: CurrentFormat, Run.Length: > 0, Stage.Length: > 0, Files: not null })
            throw new InvalidDataException($"'{path}' is of another version of this program. Hand the training over again.");
        return RunName.IsValid(record.Run) && HandedTraining.Stages.Contains(record.Stage)
            ? record : throw new InvalidDataException($"'{path}' names no run or training.");
    }

    /// <summary>Refuses a folder whose tokenizer or configuration is not the one that was handed over.</summary>
    /// <exception cref="InvalidDataException">A file was changed or is missing; named.</exception>
    public void RequireUnchanged(string folder)
    {
        foreach (var (name, digest) in Files.Where(file => file.Key.StartsWith(CheckpointFolder + "/", StringComparison.Ordinal)))
        {
            string path = Path.GetFullPath(Path.Combine(folder, name));
            if (!path.StartsWith(Path.GetFullPath(folder) + Path.DirectorySeparatorChar, StringComparison.Ordinal) || !File.Exists(path)
                || FileDigest.OfFile(path) != digest)
            {
                throw new InvalidDataException(
                    $"'{Path.Combine(folder, name)}' is not what was handed over: what comes back is compared with it. "
                    + "Hand the training over again, with the same options, into another folder.");
            }
        }
    }

    public void Write(string folder) => File.WriteAllText(
        Path.Combine(folder, FileName),
        JsonSerializer.Serialize(this, Spelling) + "\n",
        new UTF8Encoding(false));

    private static string? TemplateOf(StudentStart student) => TextOf(student.Tokenizer) is { } text
        ? FileDigest.Of(Encoding.UTF8.GetBytes(text)) : null;

    private static string? TextOf(TokenizerFiles? files) => files?.ChatTemplate is { } template ? Encoding.UTF8.GetString(template)
        : files?.TokenizerConfig is { } config && JsonNode.Parse(config)?["chat_template"] is JsonValue value
            && value.TryGetValue(out string? text) ? text : null;
}
