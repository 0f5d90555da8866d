using System.Text.Json.Nodes;
using Distill.Architecture;
using Distill.Data.Problems;
using Distill.Export;
using Distill.Export.Package;
using Distill.Generation;
using Distill.Generation.Onnx;
using Distill.Tokenization;

namespace Distill.GpuCheck.Parts;

/// <summary>
/// Exports in 16 bits on the device against the fp32 export on the processor: logits of whole sequences, likeliest tokens.
/// </summary>
internal sealed class ParityPart : ICheckPart
{
    // Names of the precisions that a card runs; one that this build does not export is said to be absent.
    private static readonly string[] Precisions = ["fp16", "bf16"];

    private static readonly Dictionary<string, double> Allowed = new() { ["fp16"] = 0.01, ["bf16"] = 0.08 };

    public string Name => "parity";

    public string Question => "do 16-bit exports say on the device what fp32 says on the processor?";

    public int Limit => 60;

    public PartResult Run(CheckContext context)
    {
        var checkpoint = Checkpoint.Open(CheckContext.Base);
        var weights = checkpoint.LoadWeights();
        var sequences = Sequences(ChatEncoder.Load(CheckContext.Base), context.IsSmall ? 4 : 50);
        var expected = Logits(Export(context, checkpoint, weights, ExportPrecision.Single), ComputeDevice.Cpu, sequences);
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

            var compared = Compare(expected, Try(context, checkpoint, weights, precision, sequences), Allowed[name]);
            figures[name] = compared;
            passed &= compared["passed"]!.GetValue<bool>();
        }

        return new(passed, figures);
    }

    private static string Export(CheckContext context, Checkpoint checkpoint, WeightSet weights, ExportPrecision precision)
    {
        string folder = Path.Combine(context.Folder, precision.Name());
        ModelPackage.Write(folder, weights, checkpoint.Tokenizer!, new PackageDescription { Name = "gpu-check" }, precision);
        return folder;
    }

    private static IReadOnlyList<float[]>? Try(
        CheckContext context, Checkpoint checkpoint, WeightSet weights, ExportPrecision precision, IReadOnlyList<int[]> sequences)
    {
        string folder = Export(context, checkpoint, weights, precision);
        try
        {
            return Logits(folder, context.Device, sequences);
        }
        catch (InvalidDataException) when (context.IsSmall)
        {
            return null; // the processor has no kernels for bf16
        }
    }

    private static List<float[]> Logits(string folder, ComputeDevice device, IReadOnlyList<int[]> sequences)
    {
        using var model = OnnxTokenModel.Load(folder, new OnnxModelOptions { Device = device });
        return [.. sequences.Select(sequence =>
        {
            using var session = model.Open(1, sequence.Length + 1);
            float[] logits = new float[sequence.Length * model.VocabularySize];
            session.Prefill(0, sequence, logits);
            return logits;
        })];
    }

    private static JsonObject Compare(IReadOnlyList<float[]> expected, IReadOnlyList<float[]>? given, double allowed)
    {
        if (given is null) return new JsonObject { ["passed"] = true, ["note"] = "not run: the processor has no kernels for it" };
        double largest = 0, difference = 0;
        foreach (var (one, other) in expected.Zip(given))
        {
            for (int i = 0; i < one.Length; i++)
            {
                largest = Math.Max(largest, Math.Abs(one[i]));
                double apart = Math.Abs(one[i] - other[i]);
                if (!(apart <= difference)) difference = double.IsNaN(apart) ? double.MaxValue : apart;
            }
        }

        return new JsonObject
        {
            ["passed"] = difference <= allowed * largest,
            ["largest_logit"] = largest,
            ["largest_difference"] = difference,
            ["allowed_share"] = allowed,
        };
    }

    private static List<int[]> Sequences(ChatEncoder encoder, int count) =>
    [
        .. ProblemSet.Generate([new("arithmetic", 2), new("words", 2)], seed: 5, Split.Test, count).Select(problem =>
            encoder.EncodeExample([ChatMessage.User(problem.Text)], problem.ReferenceSolution ?? "", problem.ReferenceAnswer).Tokens),
    ];
}
