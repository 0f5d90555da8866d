using Distill.Pipeline.Reporting;
using Distill.Pipeline.Tests.Testing;

namespace Distill.Pipeline.Tests.Reporting;

/// <summary>What a report says of its recipe and of the machine.</summary>
public sealed class ProvenanceReportTests
{
    [Fact]
    public void Values_that_differ_from_the_defaults_are_listed_with_them()
    {
        using var folder = SampleRecipe.Folder();
        var report = RecipeReport.Of(SampleRecipe.Parse(folder));
        string[] paths = [.. report.Changed.Select(value => value.Path)];
        foreach (string path in (string[])["seed", "teacher.samples", "problems.train", "sft.learning_rate"]) paths.ShouldContain(path);
        paths.ShouldNotContain("sft.epochs");
        paths.ShouldNotContain("rl.steps");
        var rate = report.Changed.Single(value => value.Path == "sft.learning_rate");
        rate.Value.ShouldBe("0.01");
        rate.Default.ShouldNotBeNullOrEmpty();
        report.Changed.Single(value => value.Path == "teacher.model").Default.ShouldBeNull();
        report.Text.ShouldContain("learning_rate: 0.01");
    }

    [Fact]
    public void Another_value_is_one_more_line()
    {
        using var folder = SampleRecipe.Folder();
        int before = RecipeReport.Of(SampleRecipe.Parse(folder)).Changed.Count;
        var changed = RecipeReport.Of(SampleRecipe.Parse(folder, SampleRecipe.Text, "rl.clip_low=0.1")).Changed;
        changed.Count.ShouldBe(before + 1);
        changed.ShouldContain(value => value.Path == "rl.clip_low" && value.Value == "0.1");
    }

    [Fact]
    public void A_machine_names_its_parts_and_versions()
    {
        var machine = MachineReport.OfThisMachine();
        machine.Cores.ShouldBe(Environment.ProcessorCount);
        machine.MemoryBytes.ShouldBeGreaterThan(1L << 30);
        machine.Versions.Keys.ShouldBe(["Distill", ".NET", "ONNX Runtime", "TorchSharp", "libtorch"]);
        foreach (string version in machine.Versions.Values) version.ShouldMatch(@"^\d+\.\d+");
    }
}
