using System.Text.Json;

namespace Distill.Pipeline.Tests.Packaging;

/// <summary>The tool as 'dotnet tool install' makes it from the packages.</summary>
public sealed class ToolTests : IDisposable
{
    private const string Question = "What is (3 + 4) * 2?";

    private static readonly string s_model = Path.Combine(RepositoryFolder.Root, "teacher", "models", "tiny-reasoner");

    private readonly TemporaryFolder folder = new();

    public void Dispose() => folder.Dispose();

    [Fact]
    public void The_tool_installs_with_the_libraries_of_this_system_and_talks_to_a_model()
    {
        string feed = PackageFeed.Require();
        Assert.SkipUnless(
            File.Exists(Path.Combine(feed, $"Distill.Cli.{PackageFeed.Version}.nupkg")),
            "DISTILL_PACKAGES names no folder with the tool: tools/pack --tool.");
        string configuration = PackageFeed.Connect(folder), place = folder.File("tools");
        var installed = PackageFeed.Run(
            "dotnet",
            ["tool", "install", "Distill.Cli", "--version", PackageFeed.Version, "--tool-path", place, "--configfile", configuration],
            folder.Path);
        installed.Code.ShouldBe(0, installed.Output + installed.Error);

        Distill("--version").Trim().ShouldContain(PackageFeed.Version);
        using var reply = JsonDocument.Parse(Distill("chat", s_model, "--prompt", Question, "--json"));
        reply.RootElement.GetProperty("answer").GetString().ShouldBe("16");

        string[] files = [.. Directory.EnumerateFiles(place, "*", SearchOption.AllDirectories).Select(file => Path.GetFileName(file))];
        files.ShouldContain(NativeName("onnxruntime"));
        files.ShouldContain(NativeName("torch_cpu"));
        string[] everywhere = ["onnxruntime.dll", "libonnxruntime.so", "libonnxruntime.dylib"];
        string[] foreign = [.. everywhere.Except([NativeName("onnxruntime")])];
        files.ShouldNotContain(file => foreign.Contains(file) || file.Contains("torch_python", StringComparison.Ordinal));
    }

    private string Distill(params string[] arguments)
    {
        // Where the runtime is that these tests run on; elsewhere than in the usual places the tool would not find it.
        var environment = new Dictionary<string, string> { ["DOTNET_ROOT"] = Path.GetDirectoryName(Environment.ProcessPath)! };
        string program = folder.File(OperatingSystem.IsWindows() ? "tools/distill.exe" : "tools/distill");
        var (code, output, error) = PackageFeed.Run(program, arguments, folder.Path, environment: environment);
        code.ShouldBe(0, output + error);
        return output;
    }

    private static string NativeName(string library) => OperatingSystem.IsWindows() ? $"{library}.dll"
        : OperatingSystem.IsMacOS() ? $"lib{library}.dylib" : $"lib{library}.so";
}
