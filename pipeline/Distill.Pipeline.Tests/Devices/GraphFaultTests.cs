using Distill.Export;
using Distill.Generation;
using Distill.Pipeline.Diagnosis;
using Distill.Pipeline.Models;
using Distill.Pipeline.Tests.CommandLine;
using Distill.Pipeline.Tests.Testing;

namespace Distill.Pipeline.Tests.Devices;

/// <summary>Which graphs run on which card, and what they take there.</summary>
public sealed class GraphFaultTests : IDisposable
{
    private static readonly string Base = Path.Combine(RepositoryFolder.Root, "student", "models", "tiny-base");

    private readonly TemporaryFolder folder = new();

    public void Dispose() => folder.Dispose();

    [Theory]
    [InlineData(ExportPrecision.Single, false, false), InlineData(ExportPrecision.Int8, false, false)]
    [InlineData(ExportPrecision.Half, true, true), InlineData(ExportPrecision.BFloat16, false, true)]
    public void A_precision_runs_on_the_cards_that_compute_with_it(ExportPrecision precision, bool turing, bool hopper)
    {
        (GraphFault.OnCard(CudaSetups.Turing, precision) is null).ShouldBe(turing);
        (GraphFault.OnCard(CudaSetups.Hopper, precision) is null).ShouldBe(hopper);
    }

    // What such a card cannot do the processor cannot either, so nothing is left to be chosen.
    [Fact]
    public void A_graph_in_bf16_is_refused_before_a_run_where_neither_card_nor_processor_computes_it()
    {
        string model = Exported("bf16");
        var turing = new RecipeDevices(() => Turing);
        var whole = new RecipeDevices(() => CudaSetups.Whole);
        string[] teacher = ["rl.steps=0", $"teacher.model={model}"];
        whole.Problems(SmallRun.Parse(teacher), trains: true).ShouldBeEmpty();
        whole.Teacher(SmallRun.Parse(teacher)).Device.ShouldBe(ComputeDevice.Cuda());
        turing.Teacher(SmallRun.Parse(teacher)).Reason.ShouldContain("Tesla T4 has 7.5, and the processor does not");
        foreach (string word in (string[])["auto", "cpu", "cuda"])
        {
            var problem = turing.Problems(SmallRun.Parse([.. teacher, $"teacher.device={word}"]), trains: true).ShouldHaveSingleItem();
            (problem.Path, problem.Value).ShouldBe(("teacher.device", word));
            problem.Fault.ShouldContain("bf16");
            problem.Remedy.ShouldContain("fp16");
        }
    }

    [Fact]
    public void The_doctor_says_which_card_lacks_bf16()
    {
        var findings = CudaModelCheck.Of(Exported("bf16"), 4, 64, Turing).ToList();
        findings.Select(finding => (finding.Name, finding.State)).ShouldBe(
            [("cuda-model", MachineState.Ok), ("cuda:0-model", MachineState.Missing), ("cuda:0-memory", MachineState.Ok)]);
        CudaModelCheck.Of(Exported("fp16"), 4, 64, Turing).ShouldAllBe(finding => finding.State == MachineState.Ok);
    }

    [Fact]
    public void A_checkpoint_takes_on_a_card_what_its_fp16_export_takes()
    {
        var exported = ModelMemory.OnCard(Exported("fp16"), slots: 4, maxLength: 64);
        var checkpoint = ModelMemory.OnCard(Base, slots: 4, maxLength: 64);
        checkpoint.SessionBytes.ShouldBe(exported.SessionBytes);
        // The file has names, shapes and rotary tables besides.
        ((double)checkpoint.WeightBytes / exported.WeightBytes).ShouldBeInRange(0.7, 1);
    }

    private static CudaFacts Turing => CudaSetups.Whole with { Driver = CudaSetups.Whole.Driver with { Cards = [CudaSetups.Turing] } };

    private string Exported(string precision)
    {
        string place = Path.Combine(folder.Path, precision);
        CommandLineRun.Of("export", Base, "--precision", precision, "--out", place).Code.ShouldBe(0);
        return place;
    }
}
