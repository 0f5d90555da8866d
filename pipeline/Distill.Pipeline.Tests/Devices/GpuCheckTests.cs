using System.Text.Json;
using System.Text.Json.Nodes;
using Distill.Generation;
using Distill.GpuCheck;
using Distill.Pipeline.Tests.Testing;

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
        // A busy machine may take many times as long as a card is given.
        var part = new Renamed(CheckParts.All.Single(each => each.Name == name).Name, Limit: 900);
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

    // Cache, logits and sampling are libtorch's on a card, so that for the processor would make every part that runs a model fail.
    [Fact]
    public void The_script_builds_nothing_for_a_card_without_a_libtorch_for_it()
    {
        Assert.SkipUnless(OperatingSystem.IsLinux(), "This build does not target Linux.");
        string script = Path.Combine(RepositoryFolder.Root, "tools", "gpu-check", "run.sh");
        const string NoBuild = "unset DISTILL_LIBTORCH Torch; dotnet() { exit 99; }; export -f dotnet; ";
        var (code, _, error) = DistillProcess.Shell(NoBuild + script);
        (code, error.Contains("set DISTILL_LIBTORCH", StringComparison.Ordinal)).ShouldBe((2, true), error);
        foreach (string way in (string[])["Torch=cuda {0}", "DISTILL_LIBTORCH=/torch {0}", "{0} --device cpu"])
            DistillProcess.Shell(NoBuild + way.Replace("{0}", script, StringComparison.Ordinal)).Code.ShouldBe(99, way);
    }

    private static JsonElement Of(JsonNode node) => JsonDocument.Parse(node.ToJsonString()).RootElement;

    private sealed record Renamed(string Name, int Limit) : ICheckPart
    {
        public string Question => "?";

        public PartResult Run(CheckContext context) => throw new NotSupportedException("It runs in another process.");
    }
}
