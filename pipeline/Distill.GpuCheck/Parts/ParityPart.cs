using System.Text.Json.Nodes;
using Distill.Architecture;
using Distill.Data.Problems;
using Distill.Export;
using Distill.Export.Package;
using Distill.Generation.Onnx;
using Distill.Generation.Torch;
using Distill.Tokenization;

namespace Distill.GpuCheck.Parts;

/// <summary>
/// Exports in 16 bits on the device against the fp32 export on the processor: logits of whole sequences and
/// of steps, scores, and the tokens that are chosen.
/// </summary>
internal sealed class ParityPart : ICheckPart
{
    // Names of the precisions that a card runs; one that this build does not export is said to be absent.
    private static readonly string[] Precisions = ["fp16", "bf16"];

    private static readonly Dictionary<string, double> Allowed = new() { ["fp16"] = 0.01, ["bf16"] = 0.08 };

    public string Name => "parity";

    public string Question => "do 16-bit exports say on the device what fp32 says on the processor?";

    public int Limit => 45;

    public PartResult Run(CheckContext context)
    {
        var checkpoint = Checkpoint.Open(CheckContext.Base);
        var weights = checkpoint.LoadWeights();
        var sequences = Sequences(ChatEncoder.Load(CheckContext.Base), context.IsSmall ? 4 : 50);
        var expected = Reference(Export(context, checkpoint, weights, ExportPrecision.Single), sequences);
        var figures = new JsonObject { ["sequences"] = sequences.Count };
        bool passed = true;
        foreach (string name in Precisions)
        {
            if (ExportPrecisions.Parse(name) is not { } precision)
            {
                figures[name] = "this build does not export it";
                passed &= context.IsSmall; // there it could not be run either
                continue;
            }

            string folder = Export(context, checkpoint, weights, precision);
            var compared = Compare(context, folder, new SequenceParity(sequences, expected, Allowed[name]));
            figures[name] = context.Noted(name, compared);
            passed &= compared["passed"]!.GetValue<bool>();
        }

        return new(passed, figures);
    }

    private static string Export(CheckContext context, Checkpoint checkpoint, WeightSet weights, ExportPrecision precision)
    {
        string folder = Path.Combine(context.Folder, precision.Name());
        ModelPackage.Write(folder, weights, checkpoint.Tokenizer!, new PackageDescription { Name = "gpu-check" },
            new ExportOptions { Precision = precision });
        return folder;
    }

    // The way of a person's model on a card: memory of torch's. On the processor it is the same code over other memory.
    private static JsonObject Compare(CheckContext context, string folder, SequenceParity parity)
    {
        try
        {
            using var model = TorchTokenModel.Load(ModelFolder.Open(folder), context.Decoding);
            return parity.Compare(model);
        }
        catch (InvalidDataException) when (context.IsSmall && folder.EndsWith("bf16", StringComparison.Ordinal))
        {
            return new JsonObject { ["passed"] = true, ["note"] = "not run: the processor has no kernels for it" };
        }
    }

    private static List<float[]> Reference(string folder, IReadOnlyList<int[]> sequences)
    {
        using var model = OnnxTokenModel.Load(folder);
        return [.. sequences.Select(sequence =>
        {
            using var session = model.Open(1, sequence.Length + 1);
            float[] logits = new float[sequence.Length * model.VocabularySize];
            session.Prefill(0, sequence, logits);
            return logits;
        })];
    }

    private static List<int[]> Sequences(ChatEncoder encoder, int count) =>
    [
        .. ProblemSet.Generate([new("arithmetic", 2), new("words", 2)], seed: 5, Split.Test, count).Select(problem =>
            encoder.EncodeExample([ChatMessage.User(problem.Text)], problem.ReferenceSolution ?? "", problem.ReferenceAnswer).Tokens),
    ];
}
