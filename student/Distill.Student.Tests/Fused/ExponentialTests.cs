using System.Runtime.Intrinsics;
using Distill.Student.Fused;

namespace Distill.Student.Tests.Fused;

public sealed class ExponentialTests
{
    [Fact]
    public void Stays_within_two_units_in_the_last_place()
    {
        double worst = 0;
        for (double x = -87.3; x < 88.7; x += 0.0007)
        {
            double exact = Math.Exp((float)x), unit = MathF.BitIncrement((float)exact) - (float)exact;
            worst = Math.Max(worst, Math.Abs(Of((float)x) - exact) / unit);
        }

        worst.ShouldBeLessThan(2);
    }

    [Theory]
    [InlineData(0f, 1f)]
    [InlineData(float.NegativeInfinity, 0f)]
    [InlineData(-200f, 0f)]
    [InlineData(200f, float.PositiveInfinity)]
    [InlineData(float.PositiveInfinity, float.PositiveInfinity)]
    [InlineData(float.NaN, float.NaN)]
    public void Ends_are_exact(float x, float expected) => Of(x).ShouldBe(expected);

    private static float Of(float x) => Exponential.Of(Vector512.Create(x))[5];
}
