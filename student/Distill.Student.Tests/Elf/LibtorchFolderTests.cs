using CsCheck;
using Distill.Libtorch;
using Distill.Libtorch.Elf;

namespace Distill.Student.Tests.Elf;

/// <summary>Whether a libtorch that somebody names fits TorchSharp's library, told before anything of it is loaded.</summary>
public sealed class LibtorchFolderTests : IDisposable
{
    private static readonly (string, ushort, bool)[] s_needs =
        [("torch_add", 1, false), ("c10_error", 1, false), ("malloc", 2, false), ("_ITM_registerTMCloneTable", 1, true)];

    private readonly TemporaryFolder folder = new();

    private static string Native(string file) => Path.Combine(AppContext.BaseDirectory, "runtimes", "linux-x64", "native", file);

    [Fact]
    public void The_packages_own_libtorch_has_every_symbol_that_TorchSharp_needs()
    {
        Assert.SkipUnless(File.Exists(Native("libLibTorchSharp.so")), "This build does not target Linux.");
        using var file = new MappedFile(Native("libLibTorchSharp.so"));
        var needs = new DynamicSymbols(file.Memory).UnversionedNeeds();
        needs.Count.ShouldBeGreaterThan(1000);
        needs.ShouldContain(name => name.Contains("c10", StringComparison.Ordinal));
        needs.ShouldNotContain("malloc");
        LibtorchFolder.FaultOf(Path.GetDirectoryName(Native("x"))!, Native("libLibTorchSharp.so")).ShouldBeNull();
        TorchSharp.torch.__version__.ShouldStartWith(LibtorchFolder.BuiltAgainst + ".");
    }

    [Fact]
    public void Symbols_are_found_as_the_loader_finds_them()
    {
        var symbols = new DynamicSymbols(SymbolElf.With(s_needs, "a", "torch_add", "z", "another", "_ZN3c105ErrorC1Ev"));
        symbols.UnversionedNeeds().ShouldBe(["torch_add", "c10_error"]);
        foreach (string name in (string[])["a", "torch_add", "z", "another", "_ZN3c105ErrorC1Ev"]) symbols.Defines(name).ShouldBeTrue(name);
        foreach (string name in (string[])["", "b", "torch_ad", "torch_add2", "malloc", "c10_error"])
            symbols.Defines(name).ShouldBeFalse(name);
        new DynamicSymbols(SymbolElf.With([])).Defines("a").ShouldBeFalse();
    }

    [Fact]
    public void A_folder_whose_libraries_define_everything_between_them_fits()
    {
        Write(torch: ["torch_add"], core: ["c10_error"]);
        FaultOf().ShouldBeNull();
    }

    [Fact]
    public void What_is_missing_is_named_with_the_version_of_libtorch_and_a_remedy()
    {
        Write(torch: ["torch_sub"], core: ["c10_error"]);
        File.WriteAllText(Path.Combine(folder.Path, "version.py"), "from typing import Optional\n__version__ = '2.7.0+cu126'\n");
        string fault = FaultOf().ShouldNotBeNull();
        fault.ShouldContain("2.7.0+cu126");
        fault.ShouldContain("lacks 1 of the symbols");
        fault.ShouldContain("torch_add");
        fault.ShouldContain("-p:Torch=cuda");
    }

    [Fact]
    public void Many_missing_symbols_are_counted_and_not_all_listed()
    {
        Write(torch: [], core: []);
        string[] wanted = [.. Enumerable.Range(0, 9).Select(i => $"s{i}")];
        File.WriteAllBytes(At("libLibTorchSharp.so"), SymbolElf.With([.. wanted.Select(name => (name, (ushort)1, false))]));
        FaultOf().ShouldNotBeNull().ShouldContain("lacks 9 of the symbols that TorchSharp needs (s0, s1, s2 and 6 more)");
    }

    [Fact]
    public void A_folder_that_is_none_or_is_empty_says_which_one_is_meant()
    {
        LibtorchFolder.FaultOf(At("nowhere"), At("libLibTorchSharp.so")).ShouldNotBeNull().ShouldContain("is no folder");
        string fault = FaultOf().ShouldNotBeNull();
        fault.ShouldContain("has no libc10.so and no libtorch_cpu.so and no libtorch.so");
        fault.ShouldContain("torch/lib");
    }

    [Fact]
    public void A_file_that_is_no_library_is_named()
    {
        Write(torch: ["torch_add"], core: ["c10_error"]);
        File.WriteAllText(At("libtorch_cpu.so"), "no library");
        FaultOf().ShouldNotBeNull().ShouldContain("libtorch_cpu.so' is no library that can be loaded: it is not an ELF file");
        File.WriteAllText(At("libtorch_cpu.so"), "");
        FaultOf().ShouldNotBeNull().ShouldContain("0 bytes");
    }

    [Fact]
    public void Damaged_tables_are_a_fault_and_never_end_the_process() =>
        Gen.Select(Gen.Int[0, 700], Gen.Byte).Array[1, 8].Sample(damage =>
        {
            byte[] library = SymbolElf.With(s_needs, "a", "torch_add", "z");
            foreach (var (at, value) in damage) library[at % library.Length] = value;
            try
            {
                var symbols = new DynamicSymbols(library);
                _ = (symbols.UnversionedNeeds(), symbols.Defines("torch_add"), symbols.Defines("q"));
            }
            catch (Exception fault) when (fault is InvalidDataException or OverflowException)
            {
                // What it must be.
            }
        }, iter: 20_000);

    public void Dispose() => folder.Dispose();

    private string? FaultOf() => LibtorchFolder.FaultOf(Path.Combine(folder.Path, "lib"), At("libLibTorchSharp.so"));

    private string At(string file) => Path.Combine(Directory.CreateDirectory(Path.Combine(folder.Path, "lib")).FullName, file);

    private void Write(string[] torch, string[] core)
    {
        File.WriteAllBytes(At("libLibTorchSharp.so"), SymbolElf.With(s_needs));
        File.WriteAllBytes(At("libc10.so"), SymbolElf.With([], core));
        File.WriteAllBytes(At("libtorch_cpu.so"), SymbolElf.With([("c10_error", 1, false)], torch));
        File.WriteAllBytes(At("libtorch.so"), SymbolElf.With([]));
    }
}
