using Distill.Export.Package;
using Distill.Export.Quantization;
using Distill.Pipeline.Recipes;
using Distill.Pipeline.Tests.Testing;

namespace Distill.Pipeline.Tests.Runs;

/// <summary>A whole run whose export has codes chosen over its own traces: what stage, report and card say of it.</summary>
public sealed class CalibratedRunTests : IDisposable
{
    private static readonly string[] Brief =
    [
        "problems.train=24", "problems.twins=0", "answer_only.enabled=false", "sft.epochs=1", "rl.steps=1", "evaluation.samples=0",
        "parity.prompts=12", "export.calibration.samples=8", "export.calibration.measured=4",
    ];

    private readonly TemporaryFolder folder = new();

    public void Dispose() => folder.Dispose();

    [Fact]
    public void Codes_are_chosen_over_the_curated_traces_and_what_they_cost_is_told()
    {
        var record = Run("export.precision=int8");
        record.Recovery.ShouldBeNull();
        record.Widened.ShouldBe(0);
        record.Forms.Select(form => form.Form).ShouldBe(["fp32", "int8, to nearest", "int8, calibrated"]);
    }

    [Fact]
    public void A_mixed_export_is_recovered_and_nothing_is_made_twice()
    {
        string[] asked = ["export.precision=int4", "export.calibration.max_megabytes=100", "export.recover=3"];
        var record = Run(asked);
        var recovery = record.Recovery.ShouldNotBeNull();
        recovery.Updates.ShouldBe(3);
        record.Widened.ShouldBe(record.Products); // the size allows 8 bits for all
        record.Forms.Select(form => form.Form).ShouldBe(
            ["fp32", "int4, to nearest", recovery.After < recovery.Before ? "int4, recovered" : "int4, calibrated"]);
        SmallRun.Run(folder, null, [.. Brief, .. asked]).Observer.Done.ShouldBeEmpty();
    }

    [Fact]
    public void A_block_of_4_bits_is_refused_in_8()
    {
        SmallRun.Parse("export.precision=int4", "export.calibration.block=64").Export.Calibration!.Block.ShouldBe(64);
        Should.Throw<InvalidRecipeException>(() => SmallRun.Parse("export.precision=int8", "export.calibration.block=64"))
            .Message.ShouldContain("export.calibration.block");
    }

    private QuantizationRecord Run(params string[] asked)
    {
        var (result, observer) = SmallRun.Run(folder, null, [.. Brief, .. asked]);
        observer.Summaries["onnx"].ShouldContain("GPTQ over 8 traces");
        string exported = Path.Combine(folder.Path, "small", "6-onnx"), model = Path.Combine(folder.Path, "small", "model");
        var record = QuantizationRecord.Read(Path.Combine(exported, QuantizationRecord.FileName)).ShouldNotBeNull();
        record.Texts.ShouldBe(8);
        record.Forms.Skip(1).ShouldAllBe(form => form.Quality!.Texts > 0 && form.Quality.Texts <= 4);
        record.Forms.ShouldAllBe(form => form.TokensPerSecond == null); // an artefact holds nothing of the machine
        record.Forms[^1].Bytes.ShouldBe(Directory.EnumerateFiles(Path.Combine(exported, "onnx")).Sum(file => new FileInfo(file).Length));
        Directory.Exists(Path.Combine(exported, ".forms")).ShouldBeFalse();
        foreach (string place in (string[])[exported, model])
        {
            PackageIntegrity.Check(place, full: true).ShouldBeEmpty(place);
            string card = File.ReadAllText(Path.Combine(place, ModelCard.Name));
            foreach (var form in record.Forms) card.ShouldContain($"| {form.Form} |", Case.Sensitive, place);
        }

        result.Report!.Quantization!.Forms.Select(form => form.Bytes).ShouldBe(record.Forms.Select(form => form.Bytes));
        string page = File.ReadAllText(Path.Combine(result.Folder, "report.html"));
        foreach (var form in record.Forms) page.ShouldContain(form.Form);
        return record;
    }
}
