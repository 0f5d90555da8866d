using System.Runtime.Intrinsics;
using Distill.Architecture;

namespace Distill.Student.Fused;

/// <summary>
/// The rotary embedding of one head over its two halves (the layout of Llama and Qwen checkpoints), from the tables of
/// <see cref="RotaryTable"/>. Immutable, thread-safe.
/// </summary>
internal sealed unsafe class HeadRotation
{
    private readonly float[] cosines; // [positions, half]
    private readonly float[] sines;
    private readonly int half;

    /// <param name="positions">The longest sequence that will be rotated.</param>
    public HeadRotation(DecoderArchitecture architecture, int positions)
    {
        var table = new RotaryTable(architecture);
        half = table.Width;
        cosines = GC.AllocateArray<float>(positions * half, pinned: true);
        sines = GC.AllocateArray<float>(positions * half, pinned: true);
        table.Cosines(0, cosines);
        table.Sines(0, sines);
    }

    /// <summary>
    /// Rotates one head in place; <paramref name="inverse"/> applies the transpose, which is the backward pass (an attention factor
    /// scales both ways).
    /// </summary>
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
