using System.Text.RegularExpressions;
using System.Xml.Linq;

namespace Distill.Pipeline.Tests.Structure;

/// <summary>
/// The CUDA packages are not restored where this runs, so nothing else notices when a version of theirs is forgotten. What the
/// two sets choose must correspond, and every reference must have its version in the one file of versions.
/// </summary>
public sealed partial class AcceleratorSetTests
{
    private static readonly XElement s_versions = XDocument.Load(Path.Combine(RepositoryFolder.Root, "Directory.Packages.props")).Root!;

    private static readonly XElement s_targets = XDocument.Load(Path.Combine(RepositoryFolder.Root, "Directory.Build.targets")).Root!;

    // The cpu package, its cuda counterpart, and the property that gives both their version.
    [Theory]
    [InlineData("cpu", "Microsoft.ML.OnnxRuntime", "Microsoft.ML.OnnxRuntime.Gpu", "OnnxRuntimeVersion")]
    [InlineData("either", "Microsoft.ML.OnnxRuntimeGenAI", "Microsoft.ML.OnnxRuntimeGenAI.Cuda", "OnnxRuntimeGenAIVersion")]
    public void A_cpu_package_and_its_cuda_counterpart_share_one_version(string set, string cpu, string cuda, string property)
    {
        Versions($"accelerator: {set}")[cpu].ShouldBe($"$({property})");
        Versions("accelerator: cuda")[cuda].ShouldBe($"$({property})");
        Value(property).ShouldMatch(@"^\d+\.\d+\.\d+$");
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
        Chosen("cuda").Single(choice => choice.Package == "Microsoft.ML.OnnxRuntimeGenAI.Cuda").Condition
            .ShouldContain("'$(GenAICuda)' == 'true'");
    }

    [Theory]
    [InlineData("Microsoft.ML.OnnxRuntime.Managed", "Microsoft.ML.OnnxRuntime.Gpu")]
    [InlineData("TorchSharp", "TorchSharp-cuda-linux")]
    public void A_managed_package_and_the_cuda_set_share_one_version(string managed, string cuda) =>
        Versions("accelerator: cuda")[cuda].ShouldBe(Versions("libraries")[managed]);

    [Fact]
    public void Libtorch_has_one_version_on_every_platform()
    {
        var libtorch = Versions("accelerator: cpu")
            .Where(package => package.Key.StartsWith("libtorch-cpu-", StringComparison.Ordinal)).ToList();
        libtorch.Count.ShouldBe(3);
        libtorch.Select(package => package.Value).Distinct().Count().ShouldBe(1);
    }

    [Theory]
    [InlineData("cpu", "onnx"), InlineData("cuda", "onnx"), InlineData("cpu", "torch"), InlineData("cuda", "torch")]
    public void Every_native_runtime_is_chosen_from_its_accelerators_set(string accelerator, string runtime)
    {
        var chosen = Chosen(accelerator)
            .Where(choice => choice.Condition.Contains($"Contains('{runtime}')", StringComparison.Ordinal)).ToList();
        chosen.ShouldNotBeEmpty();
        foreach (var (package, _) in chosen) Versions($"accelerator: {accelerator}").ShouldContainKey(package);
    }

    [Fact]
    public void Nothing_of_the_cuda_set_is_left_unchosen() =>
        Chosen("cuda").Select(choice => choice.Package).Order().ShouldBe(Versions("accelerator: cuda").Keys.Order());

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
            .Where(name => name.EndsWith("Version", StringComparison.Ordinal));
        used.Distinct().Order().ShouldBe(defined.Order());
    }

    [GeneratedRegex(@"\$\((\w+)\)")]
    private static partial Regex Property();

    private static string Value(string property) => s_versions.Descendants(property).Single().Value;

    private static Dictionary<string, string> Versions(string label) =>
        s_versions.Elements("ItemGroup").Single(set => set.Attribute("Label")?.Value == label).Elements("PackageVersion")
            .ToDictionary(package => package.Attribute("Include")!.Value, package => package.Attribute("Version")!.Value);

    private static IEnumerable<string> References(XElement xml) =>
        xml.Descendants("PackageReference").Select(package => package.Attribute("Include")!.Value);

    private static IEnumerable<(string Package, string Condition)> Chosen(string accelerator) =>
        from set in s_targets.Elements("ItemGroup")
        let condition = set.Attribute("Condition")?.Value ?? ""
        where condition.Contains($"'$(Accelerator)' == '{accelerator}'", StringComparison.Ordinal)
        from package in References(set)
        select (package, condition);
}
