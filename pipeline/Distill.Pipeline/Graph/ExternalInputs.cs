using System.Text;
using Distill.Pipeline.Handovers;
using Distill.Pipeline.Problems;
using Distill.Pipeline.Promotions;
using Distill.Pipeline.Recipes;
using Distill.Pipeline.Recipes.Sections;
using Distill.Pipeline.Stages.Data;
using Distill.Pipeline.Stages.Data.Teachers;
using Distill.Storage;
using Distill.Teacher.Remote.Collection;

namespace Distill.Pipeline.Graph;

/// <summary>
/// The models and problem files that a recipe brings along. Their digest covers what decides what they say, not their cards and logs.
/// </summary>
internal static class ExternalInputs
{
    public const string Teacher = "teacher-model", Base = "base-model", Start = "start-model", TokenizerFolder = "tokenizer",
        ProblemFiles = "problem-files", Traces = "given-traces",
        Promoted = "promoted-model", Known = "known-problems", Replayed = "replayed-traces",
        Returned = "returned-model", HandedOver = "handed-over";

    private static readonly Dictionary<string, string> Options = new()
    {
        [Teacher] = "teacher.model", [Base] = "student.base", [Start] = "start", [TokenizerFolder] = "tokenizer.from",
        [Traces] = "traces.from",
    };

    private static readonly string[] Descriptions = [".md", ".jsonl", ".yaml", "distill.json"];

    /// <summary>Those that some stages need, and no others: a data set needs no student.</summary>
    /// <param name="except">One that is not wanted.</param>
    public static IReadOnlyDictionary<string, StageInput> Of(
        Recipe recipe, IEnumerable<IStage> stages, DigestMemory memory, string? except = null) => stages
        .SelectMany(stage => stage.Declaration.Inputs).Distinct().Where(name => name != except)
        .Select(name => (Name: name, Input: Of(recipe, name, memory)))
        .Where(input => input.Input is not null)
        .ToDictionary(input => input.Name, input => input.Input!);

    /// <param name="files">Those that count, with slashes; null for all. A cache's folder may hold more than was asked for.</param>
    public static string DigestOf(string folder, DigestMemory memory, IReadOnlyList<string>? files = null)
    {
        var lines = (files ?? [.. Directory.EnumerateFiles(folder, "*", SearchOption.AllDirectories)
                .Select(path => Path.GetRelativePath(folder, path).Replace(Path.DirectorySeparatorChar, '/'))])
            .Where(path => !Descriptions.Any(ending => path.EndsWith(ending, StringComparison.Ordinal)))
            .Select(path => $"{path}\0{memory.Of(Path.Combine(folder, path))}\n")
            .Order(StringComparer.Ordinal);
        return FileDigest.Of(Encoding.UTF8.GetBytes(string.Concat(lines)));
    }

    /// <summary>Where on the Hub an input came from, with its commit; null for everything else.</summary>
    public static string? OriginOf(Recipe recipe, string name) =>
        OptionOf(recipe, name) is { } option ? recipe.Pulled.OriginOf(option) : null;

    private static string? OptionOf(Recipe recipe, string name) =>
        recipe is DistillationRecipe distillation && TeacherRole.Find(distillation, name) is { } role ? role.Place(Options[Teacher])
            : Options.GetValueOrDefault(name);

    // Null for what an earlier stage makes.
    private static StageInput? Of(Recipe recipe, string name, DigestMemory memory) => (recipe, name) switch
    {
        (DistillationRecipe distillation, _) when TeacherRole.Find(distillation, name) is { } role => TeacherOf(role, memory),
        (DistillationRecipe { Traces.From: { } traces }, Traces) => GivenTraces.Open(traces, memory),
        (DistillationRecipe distillation, Base) => Open(recipe, Base, distillation.Student.Base, memory),
        (DistillationRecipe distillation, ProblemFiles) =>
            new StageInput("", RecipeProblems.Of(distillation.Problems).DigestOf(memory), null),
        (DistillationRecipe { ContinueFrom.VersionFolder: { } version }, Known) => KnownOf(version, memory),
        (DistillationRecipe { ContinueFrom.VersionFolder: { } version }, Replayed) =>
            Folder(Path.Combine(version, PromotedVersion.TracesFolder), memory),
        (DistillationRecipe { Returned: { } returned }, Returned) => FilesOf(returned.Checkpoint, memory, "*.safetensors", "config.json"),
        (DistillationRecipe { Returned: { } returned }, HandedOver) => FilesOf(returned.Handover, memory, HandoverRecord.FileName),
        (PretrainRecipe pretraining, Start) => Open(recipe, Start, pretraining.Start!, memory),
        (PretrainRecipe pretraining, TokenizerFolder) => TokenizerOf(pretraining.Tokenizer.From!, memory),
        _ => null,
    };

    private static StageInput KnownOf(string version, DigestMemory memory)
    {
        string path = Path.Combine(version, PromotedVersion.ProblemsName);
        return new StageInput(path, memory.Of(path), null);
    }

    // What else a trainer leaves there (optimiser states, logs, earlier checkpoints in folders of their own) decides nothing.
    private static StageInput FilesOf(string folder, DigestMemory memory, params IReadOnlyList<string> patterns) => new(
        folder, DigestOf(folder, memory, [.. patterns.SelectMany(pattern => Directory.EnumerateFiles(folder, pattern))
            .Select(path => Path.GetFileName(path))]), null);

    private static StageInput Folder(string folder, DigestMemory memory) => new(folder, DigestOf(folder, memory), null);

    // What pretraining takes over: the template decides what is trained on as much as the tokens do.
    private static StageInput TokenizerOf(string folder, DigestMemory memory)
    {
        string[] files = ["tokenizer.json", "tokenizer_config.json", "chat_template.jinja"];
        var lines = files.Select(file => Path.Combine(folder, file)).Select(path => File.Exists(path) ? memory.Of(path) : "-");
        return new StageInput(folder, FileDigest.Of(Encoding.UTF8.GetBytes(string.Join('\n', lines))), null);
    }

    private static StageInput TeacherOf(TeacherRole role, DigestMemory memory) => role.Teacher.Remote is { } remote
        ? new StageInput("", DigestOf(remote, role.Teacher.Model, memory), null)
        : new(role.Teacher.Model, DigestOf(role.Teacher.Model, memory, role.Recipe.Pulled.FilesOf(role.Place(Options[Teacher]))), null);

    // Where token ids are asked for, the tokenizer decides what they are taken for.
    private static string DigestOf(RemoteTeacherSection remote, string model, DigestMemory memory)
    {
        string digest = TeacherIdentity.OfModel(remote.Endpoint, model);
        return remote is { TokenIds: true, Tokenizer: { } folder }
            ? FileDigest.Of(Encoding.UTF8.GetBytes(digest + memory.Of(Path.Combine(folder, "tokenizer.json"))))
            : digest;
    }

    private static StageInput Open(Recipe recipe, string name, string folder, DigestMemory memory) =>
        new(folder, DigestOf(folder, memory, recipe.Pulled.FilesOf(Options[name])), null);
}
