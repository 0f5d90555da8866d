using System.Text.Json;
using Distill.Pipeline.Tests.CommandLine;
using Distill.Pipeline.Tests.Testing;

namespace Distill.Pipeline.Tests.Devices;

/// <summary><c>--device</c>, and a libtorch named by DISTILL_LIBTORCH, through the program as its users have it.</summary>
public sealed class DeviceCommandTests : IDisposable
{
    private static readonly string Teacher = Path.Combine(RepositoryFolder.Root, "teacher", "models", "tiny-reasoner");

    private static readonly string Quickstart = Path.Combine(RepositoryFolder.Root, "recipes", "quickstart.yaml");

    private readonly TemporaryFolder folder = new();

    // With a card or without: the quickstart's teacher is in fp32, which no card runs.
    [Theory]
    [InlineData("plan"), InlineData("run"), InlineData("generate")]
    public void A_card_that_cannot_be_had_is_refused_before_any_work(string command)
    {
        var run = CommandLineRun.Of(command, Quickstart, "--device", "cuda", "--runs", folder.Path);
        run.Code.ShouldBe(2);
        run.Error.ShouldContain("teacher.device = cuda: cuda:0 was asked for");
        Directory.EnumerateFileSystemEntries(folder.Path).ShouldBeEmpty();
    }

    [Fact]
    public void A_model_is_not_opened_elsewhere_than_where_it_was_asked_for()
    {
        foreach (string[] command in (string[][])
            [["chat", Teacher, "--prompt", "1 + 1"], ["evaluate", Teacher, "--problems", "arithmetic:1"], ["serve-model", Teacher]])
        {
            var run = CommandLineRun.Of([.. command, "--device", "cuda:0"]);
            run.Code.ShouldBe(2, command[0]);
            run.Error.ShouldContain("cuda:0 was asked for");
        }

        CommandLineRun.Of("chat", Teacher, "--prompt", "1 + 1", "--max-tokens", "4", "--device", "cpu").Code.ShouldBe(0);
    }

    [Theory]
    [InlineData("gpu"), InlineData("cuda:x"), InlineData("CPU")]
    public void Another_word_is_no_device(string word)
    {
        var run = CommandLineRun.Of("chat", Teacher, "--device", word);
        (run.Code, run.Error.Contains("write auto, cpu, cuda or cuda:N", StringComparison.Ordinal)).ShouldBe((2, true));
    }

    [Fact]
    public void The_set_option_has_the_last_word()
    {
        var run = CommandLineRun.Of("plan", Quickstart, "--device", "cuda", "--set", "device=cpu", "--runs", folder.Path, "--json");
        run.Code.ShouldBe(0);
        run.Json().GetProperty("devices").GetProperty("training").GetString().ShouldBe("cpu (asked for)");
    }

    [Fact]
    public void The_doctor_names_every_lack_where_a_card_is_needed()
    {
        var run = CommandLineRun.Of("doctor", "--device", "cuda", "--model", Teacher, "--json");
        var findings = run.Json().GetProperty("findings").EnumerateArray()
            .ToDictionary(finding => finding.GetProperty("name").GetString()!, finding => finding.GetProperty("state").GetString());
        findings["cuda-model"].ShouldBe("missing");
        run.Code.ShouldBe(1);
    }

    public void Dispose() => folder.Dispose();
}

/// <summary>Which libtorch a process takes: its own, or the one that DISTILL_LIBTORCH names.</summary>
public sealed class NamedLibtorchTests : IDisposable
{
    private readonly TemporaryFolder folder = new();

    private static string Native => Path.Combine(Path.GetDirectoryName(DistillProcess.Tool)!, "runtimes", "linux-x64", "native");

    [Fact]
    public void The_builds_own_libtorch_may_be_named_by_its_path()
    {
        Assert.SkipUnless(OperatingSystem.IsLinux(), "This build does not target Linux.");
        var (code, torch) = Doctor(Native);
        torch.ShouldContain("libtorch of unknown version in " + Native);
        code.ShouldBe(0);
    }

    [Fact]
    public void A_folder_that_has_no_libtorch_is_refused_before_anything_is_loaded()
    {
        Assert.SkipUnless(OperatingSystem.IsLinux(), "This build does not target Linux.");
        var (code, torch) = Doctor(folder.Path);
        torch.ShouldContain($"DISTILL_LIBTORCH: '{folder.Path}' has no libc10.so");
        code.ShouldBe(1);
        string recipe = Path.Combine(RepositoryFolder.Root, "recipes", "quickstart.yaml");
        var (runCode, _, error) = DistillProcess.Shell($"DISTILL_LIBTORCH={folder.Path} distill run {recipe} --runs {folder.Path}/runs");
        error.ShouldContain("libtorch cannot be loaded: DISTILL_LIBTORCH");
        runCode.ShouldBe(1);
    }

    [Fact]
    public void A_second_libtorch_is_refused_where_the_build_brings_its_own()
    {
        Assert.SkipUnless(OperatingSystem.IsLinux(), "This build does not target Linux.");
        foreach (string file in Directory.EnumerateFiles(Native, "*.so*")) File.CreateSymbolicLink(At(Path.GetFileName(file)), file);
        Doctor(folder.Path).Code.ShouldBe(0); // the same file by another name
        File.Delete(At("libtorch_cpu.so"));
        File.WriteAllText(At("libtorch_cpu.so"), "another");
        var (code, torch) = Doctor(folder.Path);
        torch.ShouldContain("-p:Torch=external");
        code.ShouldBe(1);
    }

    public void Dispose() => folder.Dispose();

    private string At(string name) => Path.Combine(folder.Path, name);

    private static (int Code, string Torch) Doctor(string libtorch)
    {
        var (code, output, error) = DistillProcess.Shell($"DISTILL_LIBTORCH={libtorch} distill doctor --json");
        var findings = JsonDocument.Parse(output.Length > 0 ? output : error).RootElement.GetProperty("findings");
        return (code, findings.EnumerateArray().Single(finding => finding.GetProperty("name").GetString() == "torch")
            .GetProperty("found").GetString()!);
    }
}
