using System.Numerics.Tensors;
using Distill.Architecture;
using Distill.Pipeline.Graph;
using Distill.Pipeline.Handovers;
using Distill.Pipeline.Recipes;
using Distill.Pipeline.Runs;
using Distill.Tokenization;

namespace Distill.Pipeline.Stages.Training;

/// <summary>
/// Takes back what another trainer made of a hand-over: the same architecture, tokenizer and chat template, other weights. Keeps them with
/// the tokenizer that was handed over, for trainers write theirs anew.
/// </summary>
/// <param name="start">Stage or model whose student was handed over.</param>
internal sealed class ReturnedStage(DistillationRecipe recipe, ReturnedSection section, string start) : IStage
{
    public const string StageName = "returned";

    public StageDeclaration Declaration { get; } = new()
    {
        Name = StageName,
        Folder = "5-returned",
        Kind = "checkpoint",
        Version = 1,
        Inputs = [start, ExternalInputs.Returned, ExternalInputs.HandedOver],
        Options = StageDeclaration.OptionsOf(("stage", section.Stage)),
        Student = new StudentDeclaration(StageName, "returned", $"trained elsewhere ({section.Stage})", Note: "Elsewhere"),
    };

    public string Work => $"{section.Stage}, trained elsewhere, is taken back";

    public string Run(StageContext context)
    {
        string back = context.Input(ExternalInputs.Returned).Folder, handed = context.Input(ExternalInputs.HandedOver).Folder;
        var record = HandoverRecord.Open(handed);
        record.RequireUnchanged(handed);
        if (record.Stage != section.Stage)
            throw new InvalidDataException($"'{handed}' handed over '{record.Stage}', and returned.stage is '{section.Stage}'.");
        string original = Path.Combine(handed, HandoverRecord.CheckpointFolder);
        var tokenizer = TokenizerFiles.Read(original);
        var wanted = DecoderConfigJson.Read(Path.Combine(original, DecoderConfigJson.FileName));
        var weights = Weights(back, wanted);
        RequireSameWords(back, original);
        var student = new WeightSet(wanted, ParameterMap.For(wanted).ToDictionary(p => p.Name, p => weights[p.Name]));
        Checkpoint.Save(Path.Combine(context.Folder, TrainedStudent.CheckpointFolder), student, tokenizer);
        context.AddFolder(TrainedStudent.CheckpointFolder);
        return $"{section.Stage} by {record.Trainer}, handed over from {record.Run}";
    }

    private static WeightSet Weights(string folder, DecoderArchitecture wanted)
    {
        if (!Directory.EnumerateFiles(folder, "model*.safetensors").Any() && File.Exists(Path.Combine(folder, "adapter_config.json")))
        {
            throw new InvalidDataException(
                $"'{folder}' holds adapters without their weights: merge them (peft's merge_and_unload) and give that folder.");
        }

        var checkpoint = Checkpoint.Open(folder);
        // Trainers write their own ids for begin, end and padding; those that were handed over are kept.
        var found = checkpoint.Architecture with
        {
            BosTokenId = wanted.BosTokenId, EndTokenIds = wanted.EndTokenIds, PadTokenId = wanted.PadTokenId,
        };
        if (found != wanted)
        {
            throw new InvalidDataException(
                $"'{folder}' is another model than was handed over: {Differences(found, wanted)}. "
                + "Give the folder that the trainer saved after it began with the handed-over checkpoint.");
        }

        var weights = checkpoint.LoadWeights();
        foreach (var parameter in ParameterMap.For(wanted))
        {
            if (!TensorPrimitives.IsFiniteAll<float>(weights[parameter.Name].Span))
                throw new InvalidDataException($"'{folder}': the weight '{parameter.Name}' is not finite: that training came to nothing.");
        }

        return weights;
    }

    private static string Differences(DecoderArchitecture found, DecoderArchitecture wanted) => string.Join(
        ", ", typeof(DecoderArchitecture).GetProperties()
        .Where(property => property.CanWrite && !Equals(property.GetValue(found), property.GetValue(wanted)))
        .Select(property => $"{property.Name} is {property.GetValue(found)} and was {property.GetValue(wanted)}"));

    // By what they do, not by their bytes: every library spells a tokenizer's file its own way.
    private void RequireSameWords(string back, string original)
    {
        if (!TokenizerFiles.Exist(back)) return; // weights alone were saved
        ChatEncoder found = ChatEncoder.Load(back), wanted = ChatEncoder.Load(original);
        string? other = Probes.FirstOrDefault(text =>
            !found.Tokenizer.Encode(text, allowSpecial: true).AsSpan().SequenceEqual(wanted.Tokenizer.Encode(text, allowSpecial: true)));
        if (found.Tokenizer.VocabularySize != wanted.Tokenizer.VocabularySize || other is not null)
        {
            throw new InvalidDataException(
                $"'{back}' has another tokenizer than was handed over, so its weights mean other tokens. Train with the handed-over one.");
        }

        var style = recipe.Prompt.ToStudentStyle();
        if (found.HasTemplate && !PromptProbe.IsSamePrompt(found.With(style), wanted.With(style)))
        {
            throw new InvalidDataException(
                $"'{back}' has another chat template than was handed over, so it was trained on other prompts. "
                + "Train with the handed-over one.");
        }
    }

    private static readonly string[] Probes =
    [
        "What is 17 + 4·5? <think>17 + 20 = 37</think>\\boxed{37}", "Ünïcödé, 日本語 and 🙂: 1.234,56 €\n\n\tif (x > 0) { return x; }",
        "<|im_start|>user\n<|endoftext|><|eot_id|></s>",
    ];
}
