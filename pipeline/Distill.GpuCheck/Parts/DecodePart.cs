using System.Text.Json.Nodes;
using Distill.Export;
using Distill.Generation;
using Distill.Libtorch;

namespace Distill.GpuCheck.Parts;

/// <summary>
/// Tokens a second of a decoder of 135 million parameters at 1, 8, 32 and 128 slots, cache, logits and sampling on the device, against the
/// roof that reading the weights once a step sets; and what of a step is the run, what the choice of tokens.
/// </summary>
internal sealed class DecodePart : ICheckPart
{
    public string Name => "decode";

    public string Question => "how many tokens a second at 1, 8, 32 and 128 slots, and how near the memory's roof?";

    public int Limit => 60;

    public PartResult Run(CheckContext context)
    {
        using var load = new DecodeLoad(context);
        double reading = DeviceRates.Reading(context, context.Device.ToTorch());
        long parameters = Workload.Shape(context.IsSmall).ParameterCount;
        double weightBytes = parameters * (context.IsSmall ? sizeof(float) : sizeof(ushort));
        var slots = new JsonObject();
        foreach (int count in context.IsSmall ? (int[])[1, 4] : [1, 8, 32, 128])
        {
            int tokens = context.IsSmall ? 8 : 128;
            var sampling = new SamplingOptions { Temperature = 1 };
            load.Complete(count, tokens: 4, sampling); // kernels are chosen in the first runs
            double rate = load.Complete(count, tokens, sampling).Rate, roof = count * reading / weightBytes;
            var (run, choice) = load.Parts(count, tokens);
            slots[$"{count}"] = context.Noted($"{count} slots", new JsonObject
            {
                ["tokens_per_second"] = Math.Round(rate, 1), ["share_of_roof"] = Math.Round(rate / roof, 3),
                ["milliseconds_of_a_run"] = run, ["milliseconds_of_choosing"] = choice,
            });
        }

        return new(null, new JsonObject
        {
            ["parameters"] = parameters,
            ["precision"] = load.Precision.Name(),
            ["reading_gigabytes_per_second"] = Math.Round(reading / 1e9, 1),
            ["slots"] = slots,
        });
    }
}
