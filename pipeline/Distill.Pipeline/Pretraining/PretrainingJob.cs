using System.Text;
using Distill.Architecture;
using Distill.Export.Package;
using Distill.Pipeline.Recipes;
using Distill.Pipeline.Runs;
using Distill.Pipeline.Storage;
using Distill.Student.Model;
using Distill.Student.Pretraining;
using Distill.Student.Training;
using Distill.Tokenization;
using Distill.Tokenization.Training;

namespace Distill.Pipeline.Pretraining;

/// <summary>
/// A small model from nothing (<c>distill pretrain</c>): trains a tokenizer, then a decoder, and puts the model folder where the recipe
/// says. The work folder keeps tokenizer, state and log, so that a killed run continues exactly. One thread calls it.
/// </summary>
/// <param name="workFolder">Kept between runs of the same recipe.</param>
internal sealed class PretrainingJob(PretrainRecipe recipe, string workFolder, TimeProvider clock)
{
    /// <summary>Raised whenever the same recipe could give another model.</summary>
    private const int Version = 4;

    private const string RecipeName = "recipe.yaml", StateName = "state.safetensors", LogName = "training.jsonl";
    private const int CorpusProblems = 20_000;

    private string StatePath => Path.Combine(workFolder, StateName);

    /// <param name="afterStep">Sees every step.</param>
    /// <param name="warning">Told of a state that cannot be continued from, which is set aside.</param>
    /// <exception cref="OperationCanceledException">Between two steps, after saving the state.</exception>
    /// <exception cref="RunRefusedException">The work or output folder holds something else, or another process works there.</exception>
    /// <exception cref="InvalidDataException">The tokenizer folder or the start cannot be used.</exception>
    public void Run(Action<StepReport> afterStep, CancellationToken cancellation, Action<string>? warning = null)
    {
        RequireFreeOutput();
        using var held = new RunFolder(Path.GetDirectoryName(workFolder)!, Path.GetFileName(workFolder)).Lock();
        Prepare();
        var encoder = LoadEncoder();
        using var parameters = new FlatParameters(recipe.Architecture.ToDecoder(encoder));
        using var log = new TrainingLog(Path.Combine(workFolder, LogName));
        Student.Pretraining.Pretraining.Run(parameters, StartWeights(parameters.Architecture), encoder, recipe.Training.ToOptions((ulong)recipe.Seed, recipe.Data.ToMixture()), StatePath, clock, report =>
        {
            log.Add(report);
            afterStep(report);
        }, cancellation, warning);
        FolderExchange.Write(recipe.Output, fresh => Fill(fresh, parameters.ToWeightSet(), log));
    }

    // What is replaced at the end must be a model that this command made, never a folder of something else.
    private void RequireFreeOutput()
    {
        if (!Directory.Exists(recipe.Output) || !Directory.EnumerateFileSystemEntries(recipe.Output).Any()) return;
        bool isOurs = File.Exists(Path.Combine(recipe.Output, RecipeName)) && File.Exists(Path.Combine(recipe.Output, DecoderConfigJson.FileName));
        if (!isOurs) throw new RunRefusedException($"The output '{recipe.Output}' holds something that 'distill pretrain' did not make. Give another place with --set output=FOLDER, or empty it.");
    }

    // The state of another recipe, start or tokenizer must be neither continued nor silently lost.
    private void Prepare()
    {
        string path = Path.Combine(workFolder, RecipeName), text = RecipeWriter.ToYaml(recipe, workFolder) + Origins();
        if (File.Exists(path) && File.ReadAllText(path) == text) return;
        if (File.Exists(StatePath))
            throw new RunRefusedException($"'{workFolder}' holds the unfinished or finished training of another recipe. Remove it, or train under another name with --set name=NAME.");
        RunFolder.Replace(path, Encoding.UTF8.GetBytes(text));
    }

    private string Origins()
    {
        string text = $"# version: {Version}\n";
        if (recipe.Start is { } start) text += $"# start: {ExternalInputs.DigestOf(start)}\n";
        if (recipe.Tokenizer.From is { } from) text += $"# tokenizer: {Tokenizer.Load(from).Fingerprint}\n";
        return text;
    }

    private ChatEncoder LoadEncoder()
    {
        if (recipe.Tokenizer.From is { } from) TokenizerFiles.Read(from).Write(workFolder);
        else
        {
            var options = new BytePairTrainerOptions { VocabularySize = recipe.Tokenizer.VocabularySize, ContextLength = recipe.Architecture.MaxPositions };
            BytePairTrainer.Train(PretrainingSource.Corpus(recipe.Data.ToMixture(), (ulong)recipe.Seed, CorpusProblems), options).Save(workFolder);
        }

        return ChatEncoder.Load(workFolder);
    }

    private WeightSet? StartWeights(DecoderArchitecture architecture)
    {
        if (recipe.Start is null) return null;
        var checkpoint = Checkpoint.Open(recipe.Start);
        return checkpoint.Architecture == architecture
            ? checkpoint.LoadWeights()
            : throw new InvalidDataException($"'{recipe.Start}' is a decoder of another shape or vocabulary than the recipe describes.");
    }

    private void Fill(string folder, WeightSet weights, TrainingLog log)
    {
        File.WriteAllText(Path.Combine(folder, LogName), log.Summary());
        File.WriteAllText(Path.Combine(folder, RecipeName), RecipeWriter.ToYaml(recipe, recipe.Output));
        var tokenizer = TokenizerFiles.Read(workFolder);
        if (recipe.Export) ModelPackage.Write(folder, weights, tokenizer, Description());
        else
        {
            Checkpoint.Save(folder, weights, tokenizer);
            File.WriteAllText(Path.Combine(folder, "README.md"), CheckpointCard(weights.Architecture), new UTF8Encoding(false));
        }
    }

    private PackageDescription Description() => new()
    {
        Name = recipe.Name,
        Summary = "A small decoder that solves the problem families of Distill step by step between `<think>` and `</think>` and answers after it. "
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
