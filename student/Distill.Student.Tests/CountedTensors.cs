using TorchSharp;

namespace Distill.Student.Tests;

/// <summary>Tensors of the whole process are counted here, so that nothing else may run meanwhile.</summary>
[CollectionDefinition(nameof(CountedTensors), DisableParallelization = true)]
public sealed class CountedTensors
{
    /// <summary>
    /// Those alive, for a count to hold a later one against: what earlier tests did not dispose of is collected first, or it would be at
    /// any moment. The later one is plain, for there a tensor that nobody disposed of must count.
    /// </summary>
    public static long Settled()
    {
        GC.Collect();
        GC.WaitForPendingFinalizers();
        return torch.Tensor.TotalCount;
    }
}
