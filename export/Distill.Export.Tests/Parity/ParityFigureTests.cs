using Distill.Export.Parity;

namespace Distill.Export.Tests.Parity;

public sealed class ParityFigureTests
{
    [Theory]
    [InlineData(5.44e-5, "0.000054")]
    [InlineData(1e-4, "0.0001")]
    [InlineData(0.0123, "0.012")]
    [InlineData(0.5, "0.5")]
    [InlineData(1.0849, "1.08")]
    [InlineData(44.31, "44.3")]
    [InlineData(1234.5, "1,234")]
    [InlineData(0, "0")]
    [InlineData(double.MaxValue, "no number")]
    [InlineData(double.NaN, "no number")]
    public void Numbers_are_written_as_people_write_them(double value, string text) => ParityFigure.Of(value).ShouldBe(text);

    [Fact]
    public void Shares_and_differences_of_shares()
    {
        ParityFigure.Percent(0.8459).ShouldBe("84.59 %");
        ParityFigure.Points(-0.021).ShouldBe("−2.1");
        ParityFigure.Points(0.3).ShouldBe("+30.0");
    }

    [Fact]
    public void Limits_are_missed_one_by_one()
    {
        var limits = QualityLimits.Int4;
        QualityReport Report(double ratio = 1.05, double mean = 0.05, double worst = 0.5, double agreement = 0.9) =>
            new(2, 100, ratio * 5, 5, ratio, new(ratio, ratio), mean, worst, agreement);
        limits.Missed(Report()).ShouldBeEmpty();
        limits.Missed(Report(ratio: 1.29)).ShouldHaveSingleItem().ShouldContain("perplexity is 1.29 times");
        limits.Missed(Report(mean: 0.4)).ShouldHaveSingleItem().ShouldContain("divergence");
        limits.Missed(Report(worst: 3)).ShouldHaveSingleItem().ShouldContain("one token in a hundred");
        limits.Missed(Report(agreement: 0.5)).ShouldHaveSingleItem().ShouldContain("50 %");
        var accuracy = new TaskAccuracy(100, 0.6, 0.4, 25, 5, -0.2, new(-0.3, -0.1), 0.001);
        limits.Missed(accuracy).ShouldHaveSingleItem().ShouldContain("a loss of 5 % is allowed");
        limits.Missed(accuracy with { DifferenceInterval95 = new(-0.3, 0.01) }).ShouldBeEmpty();
    }
}
