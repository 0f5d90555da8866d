using System.Text.Json.Nodes;
using Distill.Generation;
using Distill.Libtorch;
using Distill.Student.Fused;
using Distill.Student.Model;
using Distill.Student.Supervised;
using Distill.Student.Training;

namespace Distill.GpuCheck.Parts;

/// <summary>The same fp32 steps by the passes for any device, on the device, and by the processor's own: losses step by step.</summary>
internal sealed class TrainingPart : ICheckPart
{
    private const double Allowed = 1e-3, LearningRate = 1e-3;

    public string Name => "training";

    public string Question => "do 20 training steps in fp32 agree with the processor's?";

    public int Limit => 45;

    public PartResult Run(CheckContext context)
    {
        int steps = context.IsSmall ? 4 : 20;
        var examples = Workload.Examples(steps * 8);
        var expected = Losses(ComputeDevice.Cpu, isReference: true, examples, steps);
        var given = Losses(context.Device, isReference: false, examples, steps);
        double apart = expected.Zip(given).Max(pair => Math.Abs(pair.First - pair.Second));
        return new(apart <= Allowed, new JsonObject
        {
            ["steps"] = steps,
            ["largest_difference_of_losses"] = apart,
            ["allowed"] = Allowed,
            ["first_loss"] = expected[0],
            ["last_loss"] = expected[^1],
            ["last_loss_on_device"] = given[^1],
        });
    }

    private static List<double> Losses(ComputeDevice device, bool isReference, IReadOnlyList<TrainingSequence> examples, int steps)
    {
        var shape = Workload.Base.Architecture;
        using var parameters = isReference ? new FlatParameters(shape) : Workload.WeightsForAnyDevice(shape, device.ToTorch());
        parameters.Load(Workload.Base.LoadWeights());
        using IGradientModel model = isReference
            ? GradientModels.Create(parameters, new TrainingOptions { Precision = MatmulPrecision.Fp32 })
            : Workload.PassesForAnyDevice(parameters, MatmulPrecision.Fp32);
        using var optimizer = new AdamW(parameters, new AdamWOptions());
        var losses = new List<double>();
        int size = examples.Count / steps;
        for (int step = 0; step < steps; step++)
        {
            var batch = examples.Skip(step * size).Take(size).ToList();
            losses.Add(model.Differentiate(batch, new CrossEntropy(batch.Sum(sequence => (long)sequence.SupervisedCount))).Loss);
            optimizer.Update(model.Gradient, LearningRate);
        }

        return losses;
    }
}
