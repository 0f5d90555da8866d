using Distill.Student.Fused;
using Distill.Student.Model;

namespace Distill.Student.Tests.Training;

public sealed unsafe class StochasticRoundingTests
{
    private const int Count = 1000; // not a multiple of the vector's width

    [Fact]
    public void Every_result_is_a_neighbour_and_values_on_the_grid_stay()
    {
        float[] values = Values();
        for (int i = 0; i < Count; i += 3) values[i] = OnGrid(values[i]);
        (values[0], values[3]) = (float.PositiveInfinity, 0);
        float[] rounded = Round(values, 0, seed: 5, step: 2);
        for (int i = 0; i < Count; i++)
        {
            float low = OnGrid(values[i]), high = i % 3 == 0 ? low
                : BitConverter.UInt32BitsToSingle(BitConverter.SingleToUInt32Bits(low) + 0x10000);
            (rounded[i] == low || rounded[i] == high).ShouldBeTrue($"{values[i]:R} became {rounded[i]:R}");
        }
    }

    [Fact]
    public void The_mean_over_steps_is_the_value()
    {
        const int steps = 2000;
        float[] values = Values();
        double[] sums = new double[Count];
        for (int step = 0; step < steps; step++)
        {
            float[] rounded = Round(values, 0, seed: 1, step);
            for (int i = 0; i < Count; i++) sums[i] += rounded[i];
        }

        // In units of the grid's step a result's deviation is at most 1/2; of a thousand values the worst lies within 5 deviations.
        for (int i = 0; i < Count; i++)
            ((sums[i] / steps - values[i]) / StepOf(values[i])).ShouldBe(0, 5 * 0.5 / Math.Sqrt(steps), $"value {i}");
    }

    [Fact]
    public void Where_the_values_are_split_changes_nothing()
    {
        float[] values = Values(), whole = Round(values, 0, seed: 9, step: 4);
        foreach (int cut in new[] { 1, 31, 32, 33, 500, 999 })
        {
            float[] parts = [.. Round(values[..cut], 0, 9, 4), .. Round(values[cut..], cut, 9, 4)];
            parts.ShouldBe(whole, $"cut at {cut}");
        }
    }

    [Fact]
    public void Steps_seeds_and_neighbours_decide_independently()
    {
        float[] halfway = [.. Enumerable.Repeat(1 + (1f / 256), 100_000)]; // between 1 and 1 + 1/128
        bool[] Up(ulong seed, int step) => [.. Round(halfway, 0, seed, step).Select(value => value > 1)];
        bool[] up = Up(1, 0);
        ShareEqual(up, Up(1, 1)).ShouldBe(0.5, 0.01);
        ShareEqual(up, Up(2, 0)).ShouldBe(0.5, 0.01);
        foreach (int distance in new[] { 1, 2, 16, 32, 576 })
            ShareEqual(up[distance..], up[..^distance]).ShouldBe(0.5, 0.01, $"neighbours {distance} apart");
    }

    private static double ShareEqual(bool[] a, bool[] b) => a.Zip(b, (x, y) => x == y ? 1.0 : 0).Average();

    private static float[] Values()
    {
        var normal = new NormalStream(3);
        return [.. Enumerable.Range(0, Count).Select(_ => (float)(0.05 * normal.Next()))];
    }

    private static float OnGrid(float value) => BitConverter.UInt32BitsToSingle(BitConverter.SingleToUInt32Bits(value) & 0xFFFF0000);

    private static double StepOf(float value) => Math.ScaleB(1, Math.ILogB(value) - 7);

    private static float[] Round(float[] values, int first, ulong seed, int step)
    {
        ushort[] target = new ushort[values.Length];
        fixed (float* source = values)
        fixed (ushort* destination = target) StochasticRounding.Narrow(
            source, destination, first, values.Length, StochasticRounding.Key(seed, step));
        return [.. target.Select(bits => BitConverter.UInt32BitsToSingle((uint)bits << 16))];
    }
}
