using System.Numerics.Tensors;
using Distill.Student.Model;

namespace Distill.Student.Fused;

/// <summary>The passes over flat values on the processor: one walk through memory each. Thread-safe.</summary>
internal sealed unsafe class FusedPasses : IFlatPasses
{
    private const int NormBlock = 4096;
    private const int Block = 1 << 18;
    private const long Piece = 1 << 30; // what one span takes; a multiple of every block above and of every vector

    public static FusedPasses Instance { get; } = new();

    // Blocks in fp32, their sum in fp64: over a hundred million values one fp32 sum loses whole percents.
    public double SumOfSquares(Tensor values)
    {
        double sum = 0;
        long count = values.numel();
        float* first = HostValues.PointerOf(values);
        for (long start = 0; start < count; start += NormBlock)
            sum += TensorPrimitives.SumOfSquares(new ReadOnlySpan<float>(first + start, (int)Math.Min(NormBlock, count - start)));
        return sum;
    }

    // A sum is finite only where every value is, but may overflow where all are: then the values decide.
    public bool AreFinite(Tensor values)
    {
        for (long start = 0; start < values.numel(); start += Piece)
        {
            ReadOnlySpan<float> piece = Slice(values, start, Piece);
            if (float.IsFinite(TensorPrimitives.Sum(piece))) continue;
            foreach (float value in piece)
                if (!float.IsFinite(value)) return false;
        }

        return true;
    }

    public void Average(Tensor average, Tensor values, double share)
    {
        for (long start = 0; start < values.numel(); start += Piece)
        {
            var target = Slice(average, start, Piece);
            TensorPrimitives.Lerp<float>(target, Slice(values, start, Piece), (float)share, target);
        }
    }

    public IFlatUpdate UpdatesOf(ITrainedValues trained, IReadOnlyList<TrainedBlock>? blocks = null) =>
        new FusedUpdate(trained, blocks ?? [.. trained.Blocks]);

    public void Round(Tensor values, Tensor target, long first, (uint Inner, uint Outer)? key, int threads)
    {
        float* source = HostValues.PointerOf(values);
        ushort* rounded = (ushort*)NativeRows.PointerOf(target);
        long count = values.numel();
        int blocks = checked((int)((count + Block - 1) / Block));
        if (blocks == 1 || threads == 1)
            for (int block = 0; block < blocks; block++) RoundBlock(block);
        else Parallel.For(0, blocks, new ParallelOptions { MaxDegreeOfParallelism = threads }, RoundBlock);

        void RoundBlock(int block)
        {
            long start = (long)block * Block;
            int length = (int)Math.Min(Block, count - start);
            if (key is { } stream)
                StochasticRounding.Narrow(source + start, rounded + start, unchecked((int)(first + start)), length, stream);
            else NativeRows.Narrow(new ReadOnlySpan<float>(source + start, length), rounded + start);
        }
    }

    private static Span<float> Slice(Tensor values, long start, long most) =>
        new(HostValues.PointerOf(values) + start, (int)Math.Min(most, values.numel() - start));
}
