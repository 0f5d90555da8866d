namespace Distill.Student.Training;

/// <summary>The values that an optimizer changes: all weights of a model, or adapters beside frozen weights. One writer at a time.</summary>
public interface ITrainedValues
{
    int Count { get; }

    /// <summary>Updates that an optimizer made so far, by its word; chooses the random bits of stochastic rounding.</summary>
    int Updates { get; set; }

    /// <summary>Of gradients in fp16; part of the training's state like <see cref="Updates"/>.</summary>
    LossScale LossScale { get; }

    /// <summary>[<see cref="Count"/>]</summary>
    Span<float> Span { get; }

    /// <summary>Pieces that lie end to end and cover all values.</summary>
    IEnumerable<TrainedBlock> Blocks { get; }
}

/// <summary>Values of one tensor.</summary>
/// <param name="Decays">Whether weight decay shrinks them: true for matrices.</param>
public readonly record struct TrainedBlock(int Offset, int Count, bool Decays);
