using Distill.Architecture;

namespace Distill.Student.Tests.Checkpoints;

public sealed class RotaryTableTests
{
    private static readonly DecoderArchitecture Base = TinyDecoder.Architecture() with { HeadSize = 32, MaxPositions = 64 };

    [Fact]
    public void Rows_are_cosines_and_sines_of_position_times_frequency_from_any_position_on()
    {
        var table = new RotaryTable(Base);
        table.Frequencies[0].ShouldBe(1);
        table.Frequencies[8].ShouldBe(0.01f, 1e-8f); // 10000^(−16/32)
        float[] cosines = new float[2 * table.Width], sines = new float[2 * table.Width];
        table.Cosines(5, cosines);
        table.Sines(5, sines);
        for (int i = 0; i < cosines.Length; i++)
        {
            double angle = (5 + (i / table.Width)) * (double)table.Frequencies[i % table.Width];
            cosines[i].ShouldBe((float)Math.Cos(angle), 1e-6f);
            sines[i].ShouldBe((float)Math.Sin(angle), 1e-6f);
        }
    }

    [Fact]
    public void Linear_scaling_divides_every_frequency() =>
        new RotaryTable(Base with { RotaryScaling = new LinearRotary(4) }).Frequencies.ToArray()
        .ShouldBe(new RotaryTable(Base).Frequencies.ToArray().Select(f => f / 4));

    [Fact]
    public void Llama3_scaling_keeps_short_waves_stretches_long_ones_and_lies_between_elsewhere()
    {
        var (plain, scaled) = (new RotaryTable(Base), new RotaryTable(Base with { RotaryScaling = new Llama3Rotary(8, 1, 4, 512) }));
        int between = 0;
        for (int i = 0; i < plain.Width; i++)
        {
            double wave = 2 * Math.PI / plain.Frequencies[i], ratio = scaled.Frequencies[i] / plain.Frequencies[i];
            if (wave < 512 / 4.0) ratio.ShouldBe(1, 1e-6);
            else if (wave > 512) ratio.ShouldBe(1 / 8.0, 1e-6);
            else
            {
                ratio.ShouldBeInRange(1 / 8.0, 1);
                between++;
            }
        }

        between.ShouldBeGreaterThan(0);
    }

    [Fact]
    public void Yarn_keeps_fast_dimensions_interpolates_slow_ones_and_scales_both_tables()
    {
        var plain = new RotaryTable(Base);
        var scaled = new RotaryTable(Base with { RotaryScaling = new YarnRotary(4, 512, YarnRotary.DefaultAttentionScale(4)) });
        scaled.Frequencies[0].ShouldBe(plain.Frequencies[0]);
        scaled.Frequencies[^1].ShouldBe(plain.Frequencies[^1] / 4);
        float[] cosines = new float[scaled.Width];
        scaled.Cosines(0, cosines);
        cosines[0].ShouldBe(1.1386294f, 1e-6f); // 0.1 · ln 4 + 1
    }
}
