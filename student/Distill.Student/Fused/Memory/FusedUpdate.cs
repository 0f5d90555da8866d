using System.Numerics;
using Distill.Student.Model;

namespace Distill.Student.Fused;

/// <summary>AdamW on the processor: weights, gradient and moments in one walk through memory.</summary>
internal sealed unsafe class FusedUpdate(ITrainedValues trained, IReadOnlyList<TrainedBlock> updated) : IFlatUpdate
{
    private const long Piece = 1 << 30; // what one span takes; a multiple of every vector
    private readonly List<TrainedBlock> blocks = TrainedBlock.Joined(updated, alike: true);

    public void Apply(Tensor gradient, Tensor first, Tensor second, in AdamWStep step)
    {
        foreach (var (offset, count, decays, _) in blocks)
        {
            var own = decays ? step : step with { Shrink = 1 };
            for (long start = offset; start < offset + count; start += Piece)
            {
                int length = (int)Math.Min(Piece, offset + count - start);
                Span<float> Slice(Tensor whole) => new(HostValues.PointerOf(whole) + start, length);
                Update(Slice(trained.Values), Slice(gradient), Slice(first), Slice(second), own);
            }
        }
    }

    public void Dispose()
    {
    }

    private static void Update(Span<float> values, ReadOnlySpan<float> gradient, Span<float> first, Span<float> second, in AdamWStep step)
    {
        float clip = (float)step.Clip, shrink = (float)step.Shrink, beta1 = (float)step.Beta1, beta2 = (float)step.Beta2;
        float new1 = (float)(1 - step.Beta1), new2 = (float)(1 - step.Beta2); // 1 − β in fp32 would lose digits
        float stepSize = (float)step.Size, correction = (float)step.Correction, epsilon = (float)step.Epsilon;
        int width = Vector<float>.Count, i = 0;
        for (; i + width <= gradient.Length; i += width)
        {
            var g = new Vector<float>(gradient[i..]) * clip;
            var m = new Vector<float>(first[i..]) * beta1 + g * new1;
            var v = new Vector<float>(second[i..]) * beta2 + g * g * new2;
            m.CopyTo(first[i..]);
            v.CopyTo(second[i..]);
            var denominator = Vector.SquareRoot(v) * correction + new Vector<float>(epsilon);
            (new Vector<float>(values[i..]) * shrink - m * stepSize / denominator).CopyTo(values[i..]);
        }

        for (; i < gradient.Length; i++)
        {
            float g = gradient[i] * clip;
            first[i] = first[i] * beta1 + g * new1;
            second[i] = second[i] * beta2 + g * g * new2;
            values[i] = values[i] * shrink - first[i] * stepSize / (MathF.Sqrt(second[i]) * correction + epsilon);
        }
    }
}
