using System.Text.Json.Nodes;
using Distill.Export;
using Distill.Generation;
using Distill.Generation.Torch;
using Distill.Libtorch;

namespace Distill.GpuCheck.Parts;

/// <summary>
/// Tokens a second of a decoder of 135 million parameters at 1, 8, 32 and 128 slots, cache, logits and sampling on the device, against the
/// roof that reading the weights once a step sets.
/// </summary>
internal sealed class DecodePart : ICheckPart
{
    private const int Prompt = 4;

    public string Name => "decode";

    public string Question => "how many tokens a second at 1, 8, 32 and 128 slots, and how near the memory's roof?";

    public int Limit => 75;

    public PartResult Run(CheckContext context)
    {
        // The processor has no attention in 16 bits.
        var precision = context.IsSmall ? ExportPrecision.Single : ExportPrecision.Half;
        var shape = Workload.Shape(context.IsSmall);
        using var model = Open(context, precision);
        double reading = DeviceRates.Reading(context, context.Device.ToTorch());
        double weightBytes = shape.ParameterCount * (context.IsSmall ? sizeof(float) : sizeof(ushort));
        var slots = new JsonObject();
        foreach (int count in context.IsSmall ? (int[])[1, 4] : [1, 8, 32, 128])
        {
            int tokens = context.IsSmall ? 8 : 128;
            Rate(context, model, count, tokens: 4); // kernels are chosen in the first runs
            double rate = Rate(context, model, count, tokens), roof = count * reading / weightBytes;
            slots[$"{count}"] = new JsonObject
                { ["tokens_per_second"] = Math.Round(rate, 1), ["share_of_roof"] = Math.Round(rate / roof, 3) };
        }

        return new(null, new JsonObject
        {
            ["parameters"] = shape.ParameterCount,
            ["precision"] = precision.Name(),
            ["reading_gigabytes_per_second"] = Math.Round(reading / 1e9, 1),
            ["slots"] = slots,
        });
    }

    private static TorchTokenModel Open(CheckContext context, ExportPrecision precision)
    {
        var shape = Workload.Shape(context.IsSmall);
        using var weights = Workload.RandomWeights(shape);
        byte[] graph = new DecoderGraph(shape, new ExportOptions { Precision = precision }).ToBytes(weights.View());
        return TorchTokenModel.FromBytes(graph, shape.MaxPositions, context.Decoding);
    }

    private static double Rate(CheckContext context, TorchTokenModel model, int slots, int tokens)
    {
        var requests = Enumerable.Range(0, slots).Select(row => new GenerationRequest
        {
            Prompt = [.. Enumerable.Range(0, Prompt).Select(i => (row + i) % model.VocabularySize)],
            MaxNewTokens = tokens,
            Sampling = new SamplingOptions { Temperature = 1 },
            Seeds = [(ulong)row],
        }).ToList();
        long made = 0;
        double seconds = context.Seconds(() =>
            new BatchGenerator(model, slots).Run(requests, (_, _, completion) => made += completion.Tokens.Count));
        return made / seconds;
    }
}
