using System.Text.Json;
using System.Text.Json.Nodes;
using Distill.Generation;
using Distill.GpuCheck;

namespace Distill.Pipeline.Tests.Devices;

/// <summary>The check for a machine with a card, every part in small on the processor: that the program itself works.</summary>
public sealed class GpuCheckTests
{
    private static readonly CheckOptions s_small = new(ComputeDevice.Cpu, [], null, null);

    public static TheoryData<string> Parts => [.. CheckParts.All.Select(part => part.Name)];

    [Theory]
    [MemberData(nameof(Parts))]
    public void Every_part_runs_on_the_processor(string name)
    {
        var part = CheckParts.All.Single(each => each.Name == name);
        var result = Of(PartRun.Apart(part, s_small, TimeProvider.System, TestContext.Current.CancellationToken));
        result.TryGetProperty("fault", out var fault).ShouldBeFalse($"{name}: {fault}");
        result.GetProperty("passed").ValueKind.ShouldNotBe(JsonValueKind.False, result.GetRawText());
        result.GetProperty("figures").EnumerateObject().ShouldNotBeEmpty();
    }

    [Fact]
    public void A_part_that_does_not_come_back_or_that_fails_hides_no_other()
    {
        ICheckPart[] parts = [new Renamed("quickstart", 0), new Renamed("none", 30), new Renamed("doctor", 30)];
        var report = Of(CheckSession.Run(s_small, parts, TimeProvider.System, _ => { }, TestContext.Current.CancellationToken));
        var results = report.GetProperty("parts").EnumerateArray().ToList();
        results[0].GetProperty("fault").GetString().ShouldBe("not done after 0 s");
        results[1].GetProperty("fault").GetString().ShouldNotBeNull().ShouldContain("There is no part 'none'");
        results[2].GetProperty("passed").GetBoolean().ShouldBeTrue();
        report.GetProperty("passed").GetBoolean().ShouldBeFalse();
    }

    // Eight minutes of a card, whatever happens.
    [Fact]
    public void All_limits_together_are_eight_minutes() => CheckParts.All.Sum(part => part.Limit).ShouldBeLessThanOrEqualTo(480);

    [Theory]
    [InlineData("--device"), InlineData("--device", "gpu"), InlineData("--part", "none"), InlineData("--fast", "yes")]
    public void A_word_that_is_not_known_is_refused(params string[] arguments) =>
        Should.Throw<ArgumentException>(() => CheckOptions.Parse(arguments));

    [Fact]
    public void The_parts_that_are_named_are_run_on_the_device_that_is_named()
    {
        var options = CheckOptions.Parse(["--device", "cuda:1", "--part", "doctor", "--part", "decode", "--out", "r.json"]);
        (options.Device, options.OutputFile).ShouldBe((ComputeDevice.Cuda(1), "r.json"));
        options.Parts.ShouldBe(["doctor", "decode"]);
        CheckOptions.Parse([]).Device.ShouldBe(ComputeDevice.Cuda());
    }

    private static JsonElement Of(JsonNode node) => JsonDocument.Parse(node.ToJsonString()).RootElement;

    private sealed record Renamed(string Name, int Limit) : ICheckPart
    {
        public string Question => "?";

        public PartResult Run(CheckContext context) => throw new NotSupportedException("It runs in another process.");
    }
}
