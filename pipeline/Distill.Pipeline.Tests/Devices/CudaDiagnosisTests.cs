using Distill.Generation;
using Distill.Libtorch;
using Distill.Pipeline.Diagnosis;

namespace Distill.Pipeline.Tests.Devices;

/// <summary>What the doctor says of machines with a card, without having one.</summary>
public sealed class CudaDiagnosisTests
{
    public static TheoryData<string> Broken => [.. CudaSetups.Broken.Keys];

    [Theory]
    [MemberData(nameof(Broken))]
    public void Each_broken_set_up_is_one_finding_with_its_remedy(string setup)
    {
        var (facts, name, found, remedy) = CudaSetups.Broken[setup];
        var finding = CudaDiagnosis.Of(facts).Where(finding => finding.State != MachineState.Ok).ShouldHaveSingleItem();
        finding.Name.ShouldBe(name);
        finding.Found.ShouldContain(found);
        finding.Remedy.ShouldNotBeNull().ShouldContain(remedy);
        CudaDiagnosis.Needed(facts).ShouldContain(needed => needed.Name == name
            && (needed.State == MachineState.Missing || name.StartsWith("cuda:", StringComparison.Ordinal)));
    }

    [Fact]
    public void A_machine_that_has_everything_is_told_so_with_its_card()
    {
        var findings = CudaDiagnosis.Needed(CudaSetups.Whole);
        findings.ShouldAllBe(finding => finding.State == MachineState.Ok);
        findings.Select(finding => finding.Name).ShouldBe(["cuda", "cuda:0"]);
        findings[0].Found.ShouldContain("580.65.06, CUDA 13.0");
        findings[1].Found.ShouldBe("NVIDIA H100 80GB HBM3, compute capability 9.0, 80.0 GiB");
    }

    [Fact]
    public void A_card_without_bf16_is_told_what_to_use_instead()
    {
        var turing = CudaSetups.Whole with { Driver = CudaSetups.Whole.Driver with { Cards = [CudaSetups.Turing] } };
        var finding = CudaDiagnosis.Of(turing).Single(finding => finding.Name == "cuda:0");
        (finding.State, finding.Remedy!.Contains("fp16", StringComparison.Ordinal)).ShouldBe((MachineState.Warning, true));
        CudaDiagnosis.Blocking(turing, DeviceUse.Running).ShouldBeEmpty();
    }

    [Fact]
    public void A_machine_without_a_driver_is_one_line_unless_a_card_is_needed()
    {
        var finding = CudaDiagnosis.Offered(CudaSetups.Plain).ShouldHaveSingleItem();
        (finding.Name, finding.State).ShouldBe(("cuda", MachineState.Ok));
        finding.Found.ShouldContain("runs on the CPU");
        var needed = CudaDiagnosis.Needed(CudaSetups.Plain);
        needed.ShouldAllBe(each => each.State == MachineState.Missing && each.Remedy != null);
        needed.Select(each => each.Name).ShouldBe(["cuda-driver", "cuda-onnxruntime", .. CudaLibraries.Names, "cuda-torch"]);
    }

    [Theory]
    [InlineData("no cublas", true, false)]
    [InlineData("an old card", true, false)]
    [InlineData("libtorch for the processor", true, true)]
    [InlineData("an old driver", true, true)]
    public void What_is_missing_stands_in_the_way_of_what_needs_it_alone(string setup, bool running, bool training)
    {
        var facts = CudaSetups.Broken[setup].Facts;
        CudaDiagnosis.Blocking(facts, DeviceUse.Running).Any().ShouldBe(running);
        CudaDiagnosis.Blocking(facts, DeviceUse.Training).Any().ShouldBe(training);
    }

    [Fact]
    public void A_card_that_is_not_there_is_named_with_those_that_are()
    {
        CudaDiagnosis.Blocking(CudaSetups.Whole, DeviceUse.Running, 0).ShouldBeEmpty();
        var fault = CudaDiagnosis.Blocking(CudaSetups.Whole, DeviceUse.Running, 3).ShouldHaveSingleItem();
        fault.Found.ShouldContain("no card 3");
    }

    // One old card beside a new one takes nothing from the new one.
    [Fact]
    public void A_fault_of_one_card_is_not_one_of_another()
    {
        var two = CudaSetups.Whole with
            { Driver = CudaSetups.Whole.Driver with { Cards = [CudaSetups.Hopper, CudaSetups.Volta with { Number = 1 }] } };
        CudaDiagnosis.Blocking(two, DeviceUse.Running, 0).ShouldBeEmpty();
        CudaDiagnosis.Blocking(two, DeviceUse.Running, 1).ShouldHaveSingleItem().Found.ShouldContain("V100");
    }

    [Theory]
    [InlineData("NVRM version: NVIDIA UNIX x86_64 Kernel Module  580.65.06  Sun Jul 27 07:09:14 UTC 2025", "580.65.06")]
    [InlineData("NVRM version: NVIDIA UNIX Open Kernel Module for x86_64  575.57.08  Release Build", "575.57.08")]
    [InlineData("NVRM version: none", null), InlineData("", null)]
    public void The_modules_version_is_read_from_its_line(string line, string? version) =>
        CudaDriver.ModuleVersion(line).ShouldBe(version);

    // Whatever this machine is, looking at it must work, and say the same of the driver as the system does.
    [Fact]
    public void This_machine_can_be_looked_at()
    {
        var driver = CudaDriver.Look();
        (driver.Cards.Count > 0 && driver.Fault is not null).ShouldBeFalse();
        if (!File.Exists("/proc/driver/nvidia/version")) driver.Module.ShouldBeNull();
        CudaDiagnosis.Offered(CudaProbe.Machine).ShouldNotBeEmpty();
    }
}
