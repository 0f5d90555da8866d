using Distill.Generation.Onnx;
using Microsoft.ML.OnnxRuntime;

namespace Distill.Generation.Torch.Memory;

/// <summary>A part of a vector of weights that a graph reads as one of its inputs.</summary>
/// <param name="Name">As the graph names it.</param>
/// <param name="Offset">In elements of the vector.</param>
internal sealed record WeightInput(string Name, long Offset, IReadOnlyList<long> Shape);

/// <summary>
/// Weights in one vector of libtorch's, which runs of ONNX Runtime read where they lie: changing them changes what the next run computes,
/// and nothing is copied. Not to be changed while a run is on its way. The creator disposes it, after the sessions, before the vector.
/// </summary>
internal sealed class BoundWeights : IDisposable
{
    // What vectorised loads of a GPU's kernels need; a misplaced address would stop the process's every later use of the card.
    private const int Alignment = 16;

    private readonly List<(string Name, OrtValue Value)> values = [];

    /// <param name="vector">One dimension, contiguous, on the device.</param>
    /// <exception cref="InvalidDataException">A weight begins where no kernel of a card could read it.</exception>
    public BoundWeights(SharedDevice device, Tensor vector, IReadOnlyList<WeightInput> inputs)
    {
        var bound = BoundTensor.Of(device, vector);
        try
        {
            foreach (var input in inputs)
            {
                if (device.Compute.IsCuda && input.Offset * CacheLayout.SizeOf(bound.Type) % Alignment != 0)
                {
                    throw new InvalidDataException(
                        $"Weight '{input.Name}' begins {input.Offset:N0} values into the others, which is no multiple of "
                    + $"{Alignment} bytes: "
                            + "this model cannot be run in place on a card. Sample it on the processor.");
                }

                values.Add((input.Name, bound.View(input.Offset, [.. input.Shape])));
            }
        }
        catch
        {
            Dispose();
            throw;
        }
    }

    public IEnumerable<string> Names => values.Select(value => value.Name);

    public void Bind(BoundRun run)
    {
        foreach (var (name, value) in values) run.Borrow(name, value);
    }

    public void Dispose()
    {
        foreach (var (_, value) in values) value.Dispose();
    }
}
