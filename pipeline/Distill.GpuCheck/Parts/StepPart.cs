using System.Text.Json.Nodes;
using Distill.Libtorch;
using Distill.Student.Fused;
using Distill.Student.Model;
using Distill.Student.Supervised;
using Distill.Student.Training;

namespace Distill.GpuCheck.Parts;

/// <summary>
/// A mixed-precision step of 135 million parameters: its share of the rate of bf16 products, 6 operations a parameter and token,
/// by the size of the micro-batches.
/// </summary>
internal sealed class StepPart : ICheckPart
{
    public string Name => "step";

    public string Question => "what share of the bf16 rate does a training step reach?";

    public int Limit => 45;

    public PartResult Run(CheckContext context)
    {
        int rows = context.IsSmall ? 2 : 16, length = context.IsSmall ? 32 : 1024, steps = context.IsSmall ? 1 : 5;
        var shape = Workload.Shape(context.IsSmall);
        var device = context.Device.ToTorch();
        double rate = DeviceRates.Products(context, device);
        using var parameters = Workload.WeightsForAnyDevice(shape, device);
        using (var random = Workload.RandomWeights(shape)) parameters.Load(random.View());
        var batch = Workload.Random(rows, length, shape.VocabularySize);
        var parts = new JsonObject();
        (int, bool)[] ways = context.IsSmall ? [(64, false)]
            : [(2048, false), (4096, false), (8192, false), (16_384, false), (16_384, true)];
        foreach (var (capacity, tf32) in ways)
        {
            using var model = Workload.PassesForAnyDevice(parameters, MatmulPrecision.Mixed, capacity, tf32);
            double tokens = (double)rows * length * steps / Seconds(context, parameters, model, batch, steps);
            string way = tf32 ? $"{capacity}, tf32" : $"{capacity}";
            parts[way] = context.Noted($"{way} tokens", new JsonObject
            {
                ["tokens_per_second"] = Math.Round(tokens),
                ["share_of_bf16_rate"] = Math.Round(6.0 * shape.ParameterCount * tokens / rate, 4),
            });
        }

        return new(null, new JsonObject
        {
            ["tokens_per_step"] = rows * length,
            ["bf16_teraflops"] = Math.Round(rate / 1e12, 2),
            ["by_tokens_of_a_micro_batch"] = parts,
        });
    }

    private static double Seconds(
        CheckContext context, FlatParameters parameters, IGradientModel model, IReadOnlyList<TrainingSequence> batch, int steps)
    {
        using var optimizer = new AdamW(parameters, new AdamWOptions());
        void Step()
        {
            model.Differentiate(batch, new CrossEntropy(batch.Sum(sequence => (long)sequence.SupervisedCount)));
            optimizer.Update(model.Gradient, 1e-4);
            DeviceRates.Wait(parameters.Device);
        }

        Step(); // kernels are chosen, memory is taken
        return context.Seconds(() =>
        {
            for (int i = 0; i < steps; i++) Step();
        });
    }
}
