using System.Text.Json.Nodes;
using Distill.Export;
using Distill.Generation;
using Distill.Libtorch;

namespace Distill.GpuCheck.Parts;

/// <summary>
/// Tokens a second of a decoder of 135 million parameters at 1, 8, 32 and 128 slots, cache, logits and sampling on the device, against the
/// roof that reading the weights once a step sets; what of a step is the run, what the choice of tokens; and what a prompt takes whose
/// length has not been read before, by how ONNX Runtime's arena grows.
/// </summary>
internal sealed class DecodePart : ICheckPart
{
    public string Name => "decode";

    public string Question => "how many tokens a second at 1, 8, 32 and 128 slots, and how near the memory's roof?";

    public int Limit => 60;

    public PartResult Run(CheckContext context)
    {
        double reading = DeviceRates.Reading(context, context.Device.ToTorch());
        long parameters = Workload.Shape(context.IsSmall).ParameterCount;
        double weightBytes = parameters * (context.IsSmall ? sizeof(float) : sizeof(ushort));
        var figures = new JsonObject
        {
            ["parameters"] = parameters,
            ["precision"] = DecodeLoad.PrecisionOf(context).Name(),
            ["reading_gigabytes_per_second"] = Math.Round(reading / 1e9, 1),
            ["slots"] = Slots(context, reading / weightBytes),
            ["prompts"] = Prompts(context),
        };
        return new(null, figures);
    }

    /// <param name="roof">Steps a second that reading the weights allows.</param>
    private static JsonObject Slots(CheckContext context, double roof)
    {
        using var load = new DecodeLoad(context);
        var slots = new JsonObject();
        foreach (int count in context.IsSmall ? (int[])[1, 4] : [1, 8, 32, 128])
        {
            int tokens = context.IsSmall ? 8 : 128;
            var sampling = new SamplingOptions { Temperature = 1 };
            load.Complete(count, tokens: 4, sampling); // kernels are chosen in the first runs
            double rate = load.Complete(count, tokens, sampling).Rate;
            var (run, choice) = load.Parts(count, tokens);
            slots[$"{count}"] = context.Noted($"{count} slots", new JsonObject
            {
                ["tokens_per_second"] = Math.Round(rate, 1), ["share_of_roof"] = Math.Round(rate / (count * roof), 3),
                ["milliseconds_of_a_run"] = run, ["milliseconds_of_choosing"] = choice,
            });
        }

        return slots;
    }

    private static JsonObject Prompts(CheckContext context)
    {
        var prompts = new JsonObject();
        foreach (bool doubles in (bool[])[false, true])
        {
            using var load = new DecodeLoad(context, new() { DoublesArena = doubles });
            var (fresh, again) = load.Prompts(context.IsSmall ? 8 : 128);
            string arena = doubles ? "arena_that_doubles" : "arena_as_requested";
            prompts[arena] = context.Noted(arena, new() { ["milliseconds_of_a_new_length"] = fresh, ["of_a_known_one"] = again });
        }

        return prompts;
    }
}
