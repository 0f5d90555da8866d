using Distill.Student.Training;
using static TorchSharp.torch;

namespace Distill.Student.Model;

/// <summary>
/// The values that an optimizer changes: all weights of a model, or adapters beside frozen weights. One writer at a time.
/// </summary>
internal interface ITrainedValues
{
    long Count { get; }

    /// <summary>[<see cref="Count"/>] contiguous fp32 on the device that the training runs on.</summary>
    Tensor Values { get; }

    /// <summary>What walks over them on their device.</summary>
    IFlatPasses Passes { get; }

    /// <summary>Updates that an optimizer made so far, by its word; chooses the random bits of stochastic rounding.</summary>
    int Updates { get; set; }

    /// <summary>Of gradients in fp16; part of the training's state like <see cref="Updates"/>.</summary>
    LossScale LossScale { get; }

    /// <summary>Pieces that lie end to end and cover all values.</summary>
    IEnumerable<TrainedBlock> Blocks { get; }
}

/// <summary>Values of one tensor.</summary>
/// <param name="Decays">Whether weight decay shrinks them: true for matrices.</param>
/// <param name="Hidden">Of a matrix within a layer; null for everything else, embeddings and the output projection too.</param>
internal readonly record struct TrainedBlock(long Offset, long Count, bool Decays, MatrixShape? Hidden = null)
{
    /// <summary>Blocks that lie end to end as one.</summary>
    /// <param name="blocks">In the order in which they lie.</param>
    /// <param name="alike">Only those that decay alike.</param>
    public static List<TrainedBlock> Joined(IReadOnlyList<TrainedBlock> blocks, bool alike)
    {
        List<TrainedBlock> joined = [];
        foreach (var block in blocks)
        {
            if (joined is [.., var last] && last.Offset + last.Count == block.Offset && (!alike || last.Decays == block.Decays))
                joined[^1] = last with { Count = last.Count + block.Count };
            else joined.Add(block);
        }

        return joined;
    }
}

internal readonly record struct MatrixShape(long Rows, long Columns);

/// <summary>A copy of trained values in the computer's main memory, where the best so far wait for the end. Dispose it.</summary>
internal sealed class KeptValues : IDisposable
{
    private KeptValues(Tensor values) => Values = values;

    /// <summary>[count] contiguous fp32 on the CPU.</summary>
    public Tensor Values { get; }

    /// <param name="values">On any device; stays the caller's.</param>
    public static KeptValues Of(Tensor values)
    {
        using var scope = NewDisposeScope();
        using var without = no_grad();
        var kept = empty([values.numel()], ScalarType.Float32).DetachFromDisposeScope();
        kept.copy_(values);
        return new KeptValues(kept);
    }

    /// <summary>Values to be filled, e.g. from a saved state.</summary>
    public static KeptValues Empty(long count) => new(empty([count], ScalarType.Float32).DetachFromDisposeScope());

    /// <param name="target">On any device.</param>
    public void CopyTo(Tensor target)
    {
        using var scope = NewDisposeScope();
        using var without = no_grad();
        target.copy_(Values);
    }

    public void Dispose() => Values.Dispose();
}
