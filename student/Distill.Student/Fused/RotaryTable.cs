using System.Runtime.Intrinsics;
using Distill.Architecture;

namespace Distill.Student.Fused;

/// <summary>
/// Cosines and sines of the rotary embedding, [positions, head/2], and the rotation itself over the two halves of a head
/// (the layout of Llama and Qwen checkpoints). Source: Su et al. 2021 (arXiv 2104.09864). Immutable, thread-safe.
/// </summary>
internal sealed unsafe class RotaryTable
{
    private readonly float[] cosines;
    private readonly float[] sines;
    private readonly int half;

    public RotaryTable(DecoderArchitecture architecture)
    {
        half = architecture.HeadSize / 2;
        cosines = GC.AllocateArray<float>(architecture.MaxPositions * half, pinned: true);
        sines = GC.AllocateArray<float>(architecture.MaxPositions * half, pinned: true);
        for (int position = 0; position < architecture.MaxPositions; position++)
        {
            for (int i = 0; i < half; i++)
            {
                // Frequencies in fp32, as transformers computes them: the angle at far positions depends on it.
                float frequency = (float)(1.0 / Math.Pow(architecture.RopeTheta, 2.0 * i / architecture.HeadSize));
                float angle = position * frequency;
                cosines[position * half + i] = MathF.Cos(angle);
                sines[position * half + i] = MathF.Sin(angle);
            }
        }
    }

    /// <summary>Rotates one head in place; <paramref name="inverse"/> turns back, which is also the backward pass.</summary>
    public void Rotate(float* head, int position, bool inverse)
    {
        fixed (float* cosine = &cosines[position * half], sine = &sines[position * half])
        {
            for (int i = 0; i < half; i += 8)
            {
                var c = Vector256.Load(cosine + i);
                var s = inverse ? -Vector256.Load(sine + i) : Vector256.Load(sine + i);
                var first = Vector256.Load(head + i);
                var second = Vector256.Load(head + half + i);
                (first * c - second * s).Store(head + i);
                (second * c + first * s).Store(head + half + i);
            }
        }
    }
}
