using Distill.ElfCompatibility;

namespace Distill.Student.Tests.Elf;

/// <summary>What the build laid beside this test program, whatever C++ library the machine has.</summary>
public sealed class BuildOutputTests
{
    [Fact]
    public void The_output_holds_the_weak_copy_of_TorchSharps_library()
    {
        string library = Path.Combine(AppContext.BaseDirectory, "runtimes", "linux-x64", "native", "libLibTorchSharp.so");
        Assert.SkipUnless(File.Exists(library), "This build does not target Linux.");

        var needs = ElfVersionNeeds.Read(File.ReadAllBytes(library));

        needs.Count.ShouldBeGreaterThan(10);
        needs.Where(need => need is { Library: "libstdc++.so.6", Version: "GLIBCXX_3.4.32" }).ShouldAllBe(need => need.IsWeak);
        needs.Count(need => need.IsWeak).ShouldBeLessThanOrEqualTo(1);
    }
}
