using System.Globalization;
using System.Text.Json.Nodes;
using Distill.Architecture;
using Distill.Pipeline.Graph;
using Distill.Pipeline.Recipes;
using Distill.Storage;
using Distill.Student.Model;
using Distill.Student.Training;
using Distill.Tokenization;

namespace Distill.Pipeline.Stages.Training;

/// <summary>What every training leaves, and where its unfinished work lies.</summary>
internal static class TrainedStudent
{
    /// <summary>The checkpoint in a training's artefact.</summary>
    public const string CheckpointFolder = "checkpoint";

    private const string StateName = "state.safetensors";

    /// <summary>How far an unfinished training is.</summary>
    /// <param name="updates">Updates of the optimiser in a step.</param>
    public static string? Continuation(string folder, int updates = 1)
    {
        string state = Path.Combine(folder, StateName);
        if (!File.Exists(state) || TrainingState.StepsOf(state) is not { } steps) return null;
        string of = TrainingCurve.PlannedSteps(folder) is { } planned ? $" of {planned:N0}" : "";
        return $"step {(steps / updates) + 1:N0}{of}";
    }

    public static string StatePath(StageContext context) => Path.Combine(context.Folder, StateName);

    /// <summary>
    /// Part of a training's options where other passes than the fused ones compute its gradients: when those compute other bits, what they
    /// trained is stale. Null for the fused ones, and for a base that cannot be read, which running will say.
    /// </summary>
    /// <param name="always">Whatever the base, the others are taken.</param>
    public static JsonNode? PassesKey(DistillationRecipe recipe, TrainingOptions options, bool always = false)
    {
        always |= recipe.Devices.TrainingKey(recipe) is not null;
        try
        {
            return FolderFile.Find(recipe.Student.Base, DecoderConfigJson.FileName) is { } config
                ? PassesKey(DecoderConfigJson.Read(config), options, always) : null;
        }
        catch (InvalidDataException)
        {
            return null;
        }
    }

    /// <inheritdoc cref="PassesKey(DistillationRecipe, TrainingOptions, bool)"/>
    public static JsonNode? PassesKey(DecoderArchitecture architecture, TrainingOptions options, bool always) =>
        always || !GradientModels.IsFused(architecture, options) ? JsonValue.Create(GradientModels.AutogradVersion) : null;

    public static void Save(StageContext context, FlatParameters parameters, TokenizerFiles? tokenizer)
    {
        Checkpoint.Save(Path.Combine(context.Folder, CheckpointFolder), parameters.ToWeightSet(), tokenizer);
        context.AddFolder(CheckpointFolder);
    }

    public static DecoderArchitecture ArchitectureOf(Artifact training) =>
        DecoderConfigJson.Read(training.PathOf($"{CheckpointFolder}/{DecoderConfigJson.FileName}"));
}

/// <summary>The student that a training goes on from: weights, tokenizer, and how it is spoken to. Immutable.</summary>
internal sealed record StudentStart(WeightSet Weights, TokenizerFiles? Tokenizer, ChatEncoder Encoder)
{
    public DecoderArchitecture Architecture => Weights.Architecture;

    /// <param name="name">Stage, or the base. A base without the marks of reasoning gets them here, where the recipe says so.</param>
    public static StudentStart Open(StageContext context, DistillationRecipe recipe, string name) =>
        Open(context.Input(name), recipe, name, context.Folder, context.Warning);

    /// <param name="folder">Where a tokenizer that is given tokens is written.</param>
    /// <param name="warning">Told what is worth knowing.</param>
    /// <inheritdoc cref="Open(StageContext, DistillationRecipe, string)"/>
    public static StudentStart Open(StageInput input, DistillationRecipe recipe, string name, string folder, Action<string> warning)
    {
        var checkpoint = Checkpoint.Open(input.CheckpointFolder);
        foreach (string sentence in checkpoint.Warnings) warning(sentence);
        var style = recipe.Prompt.ToStudentStyle();
        var encoder = ChatEncoder.Load(checkpoint.Folder).With(style);
        if (!AddsTokens(recipe, name) || !Marks.Any(mark => encoder.Tokenizer.IdOf(mark) is null))
            return new StudentStart(checkpoint.LoadWeights(), checkpoint.Tokenizer, encoder);
        var files = checkpoint.Tokenizer
            ?? throw new InvalidDataException($"'{checkpoint.Folder}' has no tokenizer.json to add tokens to.");
        var added = TokenAddition.Add(checkpoint.LoadWeights(), files, Marks, (ulong)recipe.Seed);
        warning(added.Summary);
        added.Tokenizer.Write(folder);
        return new StudentStart(added.Weights, added.Tokenizer, ChatEncoder.Load(folder).With(style));
    }

    /// <summary>Part of a training's options where tokens may be added; null where none are.</summary>
    public static JsonNode? KeyOf(DistillationRecipe recipe, string name) =>
        AddsTokens(recipe, name) ? JsonValue.Create(recipe.Seed) : null;

    private static string[] Marks => [ThinkMarks.Open, ThinkMarks.Close];

    private static bool AddsTokens(DistillationRecipe recipe, string name) => recipe.Student.AddTokens && name == ExternalInputs.Base;
}

/// <summary>
/// Checkpoints of the last looks at held-out data. A look that is done again after a restart writes the same folder again.
/// </summary>
/// <param name="keep">How many; 0 keeps none.</param>
internal sealed class KeptCheckpoints(StageContext context, int keep, TokenizerFiles? tokenizer)
{
    public const string FolderName = "kept";

    private readonly string root = Path.Combine(context.Folder, FolderName);

    public void Add(int step, FlatParameters parameters)
    {
        if (keep == 0) return;
        string folder = Path.Combine(root, string.Create(CultureInfo.InvariantCulture, $"step-{step:D7}"));
        Checkpoint.Save(folder, parameters.ToWeightSet(), tokenizer);
        foreach (string old in Directory.EnumerateDirectories(root).Order(StringComparer.Ordinal).SkipLast(keep).ToList())
            Directory.Delete(old, recursive: true);
    }

    public void AddToArtifact()
    {
        if (Directory.Exists(root)) context.AddFolder(FolderName);
    }
}
