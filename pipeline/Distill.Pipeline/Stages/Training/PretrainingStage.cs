using System.Text;
using System.Text.Json.Nodes;
using Distill.Architecture;
using Distill.Export.Package;
using Distill.Pipeline.Graph;
using Distill.Pipeline.Planning;
using Distill.Pipeline.Recipes;
using Distill.Pipeline.Runs;
using Distill.Storage;
using Distill.Student.Model;
using Distill.Student.Pretraining;
using Distill.Tokenization;
using Distill.Tokenization.Training;

namespace Distill.Pipeline.Stages.Training;

/// <summary>
/// A small model from nothing: trains a tokenizer, then a decoder, and leaves the model folder. The unfinished work keeps tokenizer,
/// state and curve, so that a killed training continues exactly.
/// </summary>
internal sealed class PretrainingStage(PretrainRecipe recipe) : IStage
{
    public const string StageName = "pretrain", ModelFolder = "model";

    private const string LogName = "training.jsonl";
    private const int CorpusProblems = 20_000, Window = 100;

    private const double LikelyTokens = 100; // of a sequence: 121 of the base and 87 of the teacher that the project has made

    public StageDeclaration Declaration { get; } = new()
    {
        Name = StageName,
        Folder = "1-pretrained",
        Kind = "pretrained",
        Version = 5, // 5: the fused passes round otherwise
        Inputs =
        [
            .. recipe.Start is null ? Array.Empty<string>() : [ExternalInputs.Start],
            .. recipe.Tokenizer.From is null ? Array.Empty<string>() : [ExternalInputs.TokenizerFolder],
        ],
        Options = OptionsOf(recipe),
        Resource = StageResource.Model,
    };

    public string Work => $"{recipe.Training.Steps:N0} steps of {recipe.Training.SequencesPerStep} sequences";

    public StageLoad Load(Foresight earlier) => new(WorkKind.Training, (long)recipe.Training.Steps * recipe.Training.SequencesPerStep)
    {
        Setting = TrainingLoad.SettingOf(recipe.Training.Precision, recipe.Training.Threads, recipe.Training.Optimizer)
            + $", {recipe.Architecture.Layers} layers of {recipe.Architecture.HiddenSize}",
        Steps = recipe.Training.Steps,
        LikelyTokens = LikelyTokens,
        Parameters = recipe.Architecture.ToDecoder(VocabularySize).ParameterCount,
    };

    // Of a tokenizer that is taken over, what the model beside it says; else nobody knows before it is read.
    private int VocabularySize => (recipe.Tokenizer.From is { } folder ? WorkingModels.ArchitectureOf(folder)?.VocabularySize : null)
        ?? recipe.Tokenizer.VocabularySize;

    public string? Continuation(string folder) => TrainedStudent.Continuation(folder);

    public string Run(StageContext context)
    {
        var encoder = LoadEncoder(context.Folder);
        using var parameters = new FlatParameters(recipe.Architecture.ToDecoder(encoder), recipe.Devices.TrainingDevice(recipe));
        using var curve = new TrainingCurve(context, new TrainingSpeed(parameters.Architecture.ParameterCount, context.Clock));
        var options = recipe.Training.ToOptions((ulong)recipe.Seed, recipe.Data.ToMixture());
        Student.Pretraining.Pretraining.Run(
            parameters, StartWeights(context, parameters.Architecture), encoder, options, TrainedStudent.StatePath(context), context.Clock,
            report => curve.Add(report), context.Cancellation, context.Warning);
        context.Worked(curve.Done((long)recipe.Training.Steps * recipe.Training.SequencesPerStep));
        Fill(Path.Combine(context.Folder, ModelFolder), parameters.ToWeightSet(), TokenizerFiles.Read(context.Folder), curve);
        context.AddFolder(ModelFolder);
        return $"{recipe.Training.Steps:N0} steps, loss {curve.Values("loss").Last().Value:F4}";
    }

    /// <summary>Puts the finished model where the recipe wants it, with the recipe beside it.</summary>
    /// <exception cref="RunRefusedException">The place holds something that this command did not make.</exception>
    public static void Publish(PretrainRecipe recipe, Artifact finished)
    {
        RequireFreeOutput(recipe.Output);
        ReplacedFolder.Write(recipe.Output, fresh =>
        {
            foreach (var file in finished.Manifest.Files)
            {
                string target = Path.Combine(fresh, Path.GetRelativePath(ModelFolder, file.Path));
                Directory.CreateDirectory(Path.GetDirectoryName(target)!);
                File.Copy(finished.PathOf(file.Path), target);
                if (!OperatingSystem.IsWindows()) File.SetUnixFileMode(target, File.GetUnixFileMode(target) | UnixFileMode.UserWrite);
            }

            File.WriteAllText(Path.Combine(fresh, RecipeName), RecipeWriter.ToYaml(recipe, recipe.Output));
        });
    }

    /// <summary>What is replaced at the end must be a model that this command made, never a folder of something else.</summary>
    /// <exception cref="RunRefusedException">It is not.</exception>
    public static void RequireFreeOutput(string output)
    {
        if (!Directory.Exists(output) || !Directory.EnumerateFileSystemEntries(output).Any()) return;
        if (File.Exists(Path.Combine(output, RecipeName)) && File.Exists(Path.Combine(output, DecoderConfigJson.FileName))) return;
        throw new RunRefusedException(
            $"The output '{output}' holds something that 'distill pretrain' did not make. "
            + "Give another place with --set output=FOLDER, or empty it.");
    }

    private const string RecipeName = "recipe.yaml";

    // Where the model goes decides nothing of it.
    private static JsonObject OptionsOf(PretrainRecipe recipe)
    {
        var options = RecipeWriter.ToJson(recipe, _ => "");
        options.Remove("output");
        options.Remove("start");
        options.Remove("device");
        if (recipe.Devices.TrainingKey(recipe) is { } device) options["device"] = device;
        options["training"] = recipe.Training.ToKey(recipe);
        var decoder = recipe.Architecture.ToDecoder(recipe.Tokenizer.VocabularySize);
        var training = recipe.Training.ToOptions((ulong)recipe.Seed, recipe.Data.ToMixture()).Training;
        if (TrainedStudent.PassesKey(decoder, training, options.ContainsKey("device")) is { } passes) options["passes"] = passes;
        return options;
    }

    private ChatEncoder LoadEncoder(string work)
    {
        if (recipe.Tokenizer.From is { } from) TokenizerFiles.Read(from).Write(work);
        else
        {
            var options = new BytePairTrainerOptions
            {
                VocabularySize = recipe.Tokenizer.VocabularySize,
                ContextLength = recipe.Architecture.MaxPositions,
            };
            var corpus = PretrainingSource.Corpus(recipe.Data.ToMixture(), (ulong)recipe.Seed, CorpusProblems);
            BytePairTrainer.Train(corpus, options).Save(work);
        }

        return ChatEncoder.Load(work);
    }

    private static WeightSet? StartWeights(StageContext context, DecoderArchitecture architecture)
    {
        if (!context.HasInput(ExternalInputs.Start)) return null;
        var checkpoint = Checkpoint.Open(context.Input(ExternalInputs.Start).Folder);
        return checkpoint.Architecture == architecture
            ? checkpoint.LoadWeights()
            : throw new InvalidDataException(
                $"'{checkpoint.Folder}' is a decoder of another shape or vocabulary than the recipe describes.");
    }

    private void Fill(string folder, WeightSet weights, TokenizerFiles tokenizer, TrainingCurve curve)
    {
        if (recipe.Export) ModelPackage.Write(folder, weights, tokenizer, Description());
        else
        {
            Checkpoint.Save(folder, weights, tokenizer);
            File.WriteAllText(Path.Combine(folder, "README.md"), CheckpointCard(weights.Architecture), new UTF8Encoding(false));
        }

        File.WriteAllText(Path.Combine(folder, LogName), LogOf(curve));
    }

    // Means over every hundred steps as JSON lines: what lies beside a finished model.
    private string LogOf(TrainingCurve curve) => string.Concat(curve.Points.Chunk(Window).Select(chunk =>
    {
        double Mean(string name) => chunk.Average(point => point.Values[name]);
        return CanonicalJson.ToNode(new
        {
            chunk[^1].Step,
            recipe.Training.Steps,
            Loss = Math.Round(Mean("loss"), 5),
            GradientNorm = Math.Round(Mean("gradient_norm"), 4),
            LearningRate = Math.Round(chunk[^1].Values["learning_rate"], 7),
            Tokens = (long)chunk.Sum(point => point.Values["tokens"]),
        }).ToJsonString(CanonicalJson.Spelling) + "\n";
    }));

    private PackageDescription Description() => new()
    {
        Name = recipe.Name,
        Summary = "A small decoder that solves the problem families of Distill step by step "
            + "between `<think>` and `</think>` and answers after it. "
            + "Made by `distill pretrain`; `recipe.yaml` and `training.jsonl` beside it say how.",
        Digests = new Dictionary<string, string> { ["recipe"] = CanonicalJson.Digest(RecipeWriter.ToJson(recipe, Path.GetFileName)) },
    };

    private string CheckpointCard(DecoderArchitecture architecture) =>
        $"""
         # {recipe.Name}

         A checkpoint of {architecture.ParameterCount:N0} parameters in the layout of Hugging Face transformers: `config.json`, safetensors,
         `tokenizer.json`. It has read the language of the problem families of Distill, but no solution: a student to be trained.
         Made by `distill pretrain`; `recipe.yaml` and `training.jsonl` beside it say how.

         """;
}
