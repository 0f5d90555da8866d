using System.Text.RegularExpressions;
using System.Xml.Linq;

namespace Distill.Pipeline.Tests.Structure;

/// <summary>
/// Not every package of the other sets is restored where this runs, so nothing else notices when a version of theirs is forgotten. What
/// the sets choose must correspond, and every reference must have its version in the one file of versions.
/// </summary>
public sealed partial class AcceleratorSetTests
{
    private static readonly XElement s_versions = XDocument.Load(Path.Combine(RepositoryFolder.Root, "Directory.Packages.props")).Root!;

    private static readonly XElement s_targets = XDocument.Load(Path.Combine(RepositoryFolder.Root, "Directory.Build.targets")).Root!;

    // The managed package, and the native ones beside it, of which each build takes one: both always of one version.
    [Theory]
    [InlineData("Microsoft.ML.OnnxRuntime.Managed", "OnnxRuntimeVersion", "Microsoft.ML.OnnxRuntime", "Microsoft.ML.OnnxRuntime.Gpu.Linux",
        "Microsoft.ML.OnnxRuntime.Gpu.Windows")]
    [InlineData("Microsoft.ML.OnnxRuntimeGenAI.Managed", "OnnxRuntimeGenAIVersion", "Microsoft.ML.OnnxRuntimeGenAI",
        "Microsoft.ML.OnnxRuntimeGenAI.Cuda")]
    [InlineData("TorchSharp", "TorchSharpVersion", "TorchSharp-cuda-linux")]
    public void A_managed_package_and_its_native_ones_share_one_version(string managed, string property, params string[] native)
    {
        var versions = Versions("libraries").Concat(Versions("accelerator: cpu")).Concat(Versions("accelerator: cuda"))
            .Concat(Versions("accelerator: either")).ToDictionary();
        foreach (string package in (string[])[managed, .. native]) versions[package].ShouldBe($"$({property})");
        foreach (string value in Values(property)) value.ShouldMatch(@"^\d+\.\d+\.\d+$");
    }

    // Its packages for CUDA come out less often; a first number that differed would be another interface.
    [Fact]
    public void The_accelerators_take_the_same_release_of_ONNX_Runtime()
    {
        var values = Values("OnnxRuntimeVersion").Select(value => string.Join('.', value.Split('.')[..2])).ToList();
        values.Count.ShouldBe(2);
        values.Distinct().Count().ShouldBe(1);
    }

    // Its cuda package is not on every feed; the cpu's works over either runtime and must not bring the other one along.
    [Fact]
    public void The_cpu_package_of_GenAI_serves_every_accelerator_unless_the_other_is_asked_for()
    {
        var set = s_targets.Elements("ItemGroup").Single(set => References(set).Contains("Microsoft.ML.OnnxRuntimeGenAI"));
        set.Attribute("Condition")!.Value.ShouldBe("$(NativeRuntimes.Contains('onnx')) and '$(GenAICuda)' != 'true'");
        References(set).Where(Versions("accelerator: either").ContainsKey).ShouldBe(Versions("accelerator: either").Keys);
        var excluded = set.Elements("PackageReference")
            .Single(package => package.Attribute("Include")!.Value == "Microsoft.ML.OnnxRuntime");
        excluded.Attribute("ExcludeAssets")!.Value.ShouldBe("all");
        excluded.Attribute("Condition")!.Value.ShouldBe("'$(Accelerator)' != 'cpu'");
        s_targets.Elements("ItemGroup").Single(set => References(set).Contains("Microsoft.ML.OnnxRuntimeGenAI.Cuda"))
            .Attribute("Condition")!.Value.ShouldContain("'$(GenAICuda)' == 'true'");
    }

    // Packages bring those of up to ten.
    [Fact]
    public void Native_libraries_are_taken_for_one_system()
    {
        string runtimes = Path.Combine(AppContext.BaseDirectory, "runtimes");
        var files = Directory.EnumerateFiles(runtimes, "*", SearchOption.AllDirectories)
            .Select(file => Path.GetRelativePath(runtimes, file).Split(Path.DirectorySeparatorChar)).Where(parts => parts[1] == "native");
        files.Select(parts => parts[0]).Distinct().ShouldHaveSingleItem();
        files.Select(parts => parts[^1]).ShouldNotContain(name => name.Contains("torch_python", StringComparison.Ordinal));
        files.Select(parts => parts[^1]).ShouldContain(name => name.Contains("onnxruntime-genai", StringComparison.Ordinal));
    }

    // MSBuild takes a name that nobody defines for nothing, and then a path is that of every system's libraries.
    [Fact]
    public void Every_property_that_a_project_uses_is_defined()
    {
        // On a command line, or by the SDK.
        string[] given = ["ForPackages", "ForTool", "ToolRuntimes", "LlamaPeer", "NoWarn", "MSBuildToolsPath"];
        string[] shared = ["Directory.Build.props", "Directory.Build.targets"];
        var common = shared.Select(file => XDocument.Load(Path.Combine(RepositoryFolder.Root, file)).Root!)
            .SelectMany(Defined).Concat(given).ToHashSet();
        foreach (var project in ProjectFile.All)
        {
            var used = Property().Matches(project.Xml.ToString()).Select(match => match.Groups[1].Value)
                .Where(name => !name.StartsWith("Pkg", StringComparison.Ordinal)); // NuGet's, of GeneratePathProperty
            used.Except(common).Except(Defined(project.Xml)).ShouldBeEmpty(project.RelativePath);
        }

        static IEnumerable<string> Defined(XElement xml) =>
            xml.Descendants("PropertyGroup").Elements().Select(element => element.Name.LocalName);
    }

    [Fact]
    public void Libtorch_has_one_version_on_every_platform()
    {
        var libtorch = Versions("accelerator: cpu")
            .Where(package => package.Key.StartsWith("libtorch-cpu-", StringComparison.Ordinal)).ToList();
        libtorch.Count.ShouldBe(3);
        libtorch.Select(package => package.Value).Distinct().Count().ShouldBe(1);
    }

    [Theory]
    [InlineData("onnx", "Accelerator", "cpu"), InlineData("onnx", "Accelerator", "cuda")]
    [InlineData("torch", "Torch", "cpu"), InlineData("torch", "Torch", "cuda")]
    public void Every_native_runtime_is_chosen_from_the_set_of_its_word(string runtime, string property, string word)
    {
        var chosen = Chosen(runtime, property, word);
        chosen.ShouldNotBeEmpty();
        foreach (string package in chosen) Versions($"accelerator: {word}").ShouldContainKey(package);
    }

    [Fact]
    public void Nothing_of_the_cuda_set_is_left_unchosen() =>
        Chosen("onnx", "Accelerator", "cuda").Concat(Chosen("torch", "Torch", "cuda")).Order()
            .ShouldBe(Versions("accelerator: cuda").Keys.Order());

    // The CUDA packages of one system are 300 MB: those of the others stay away.
    [Fact]
    public void Packages_of_one_system_are_taken_on_that_system_alone()
    {
        foreach (var package in s_targets.Descendants("PackageReference"))
        {
            string name = package.Attribute("Include")!.Value.ToLowerInvariant();
            string? system = name.Contains("linux", StringComparison.Ordinal) ? "Linux"
                : name.Contains("win", StringComparison.Ordinal) ? "Windows"
                : name.Contains("osx", StringComparison.Ordinal) ? "Mac" : null;
            if (system is null || name == "torchsharp-cuda-linux") continue;
            package.Attribute("Condition").ShouldNotBeNull(name).Value.ShouldBe($"'$(For{system})' == 'true'", name);
        }
    }

    [Fact]
    public void Every_package_reference_has_a_central_version()
    {
        var known = s_versions.Descendants("PackageVersion").Select(package => package.Attribute("Include")!.Value).ToHashSet();
        foreach (string package in References(s_targets)) known.ShouldContain(package, "Directory.Build.targets");
        foreach (var project in ProjectFile.All)
            foreach (string package in project.Packages) known.ShouldContain(package, project.RelativePath);
    }

    [Fact]
    public void No_version_is_given_anywhere_but_in_the_file_of_versions()
    {
        var files = ProjectFile.All.Select(project => (project.RelativePath, project.Xml)).Append(("Directory.Build.targets", s_targets));
        foreach (var (name, xml) in files)
        {
            foreach (var package in xml.Descendants("PackageReference"))
            {
                package.Attributes().Select(attribute => attribute.Name.LocalName)
                    .Concat(package.Elements().Select(element => element.Name.LocalName))
                    .Where(word => word.StartsWith("Version", StringComparison.Ordinal)).ShouldBeEmpty($"{name}: {package}");
            }

            xml.Descendants("PackageVersion").ShouldBeEmpty(name);
        }
    }

    [Fact]
    public void Every_version_property_is_used_and_defined()
    {
        var used = s_versions.Descendants("PackageVersion")
            .SelectMany(package => Property().Matches(package.Attribute("Version")!.Value)).Select(match => match.Groups[1].Value);
        var defined = s_versions.Elements("PropertyGroup").Elements().Select(element => element.Name.LocalName)
            .Where(name => name.EndsWith("Version", StringComparison.Ordinal)).Distinct();
        used.Distinct().Order().ShouldBe(defined.Order());
    }

    [GeneratedRegex(@"\$\((\w+)\)")]
    private static partial Regex Property();

    private static List<string> Values(string property) => [.. s_versions.Descendants(property).Select(element => element.Value)];

    private static Dictionary<string, string> Versions(string label) =>
        s_versions.Elements("ItemGroup").Single(set => set.Attribute("Label")?.Value == label).Elements("PackageVersion")
            .ToDictionary(package => package.Attribute("Include")!.Value, package => package.Attribute("Version")!.Value);

    private static IEnumerable<string> References(XElement xml) =>
        xml.Descendants("PackageReference").Select(package => package.Attribute("Include")!.Value);

    private static List<string> Chosen(string runtime, string property, string word) =>
    [
        .. from set in s_targets.Elements("ItemGroup")
           let condition = set.Attribute("Condition")?.Value ?? ""
           where condition.Contains($"Contains('{runtime}')", StringComparison.Ordinal)
               && condition.Contains($"'$({property})' == '{word}'", StringComparison.Ordinal)
           from package in References(set)
           select package,
    ];
}
