using System.Text.RegularExpressions;

namespace Distill.Pipeline.Tests.Structure;

/// <summary>data ← teacher ← student ← export ← pipeline: a project references its own folder and those to its left.</summary>
public sealed partial class ReferenceDirectionTests
{
    // Native runtimes come with a program's choice of accelerator; a library that brought one would decide for every program.
    [GeneratedRegex(@"^(Microsoft\.ML\.OnnxRuntime(GenAI)?(\.(?!Managed$).+)?|libtorch-.+|TorchSharp-.+)$")]
    private static partial Regex NativeRuntimePackage();

    public static TheoryData<string> Projects => [.. ProjectFile.All.Select(project => project.RelativePath)];

    [Fact]
    public void Every_folder_of_the_tree_holds_projects() =>
        ProjectFile.All.Select(project => project.Rank).Distinct().Order().ShouldBe(Enumerable.Range(0, ProjectFile.Folders.Count));

    [Theory, MemberData(nameof(Projects))]
    public void References_stay_in_the_folder_or_go_to_the_left(string path)
    {
        var project = Find(path);
        foreach (string reference in project.References)
        {
            ProjectFile.All.ShouldContain(project => project.RelativePath == reference, $"{path} references what does not exist");
            ProjectFile.RankOf(reference).ShouldBeInRange(0, project.Rank, $"{path} references {reference}");
        }
    }

    [Theory, MemberData(nameof(Projects))]
    public void Only_tests_reference_a_program_and_nothing_references_tests(string path)
    {
        var project = Find(path);
        foreach (var referenced in project.References.Select(Find))
        {
            referenced.IsTest.ShouldBeFalse($"{path} references {referenced.RelativePath}");
            (referenced.IsLibrary || project.IsTest).ShouldBeTrue($"{path} references the program {referenced.RelativePath}");
        }
    }

    [Fact]
    public void The_solution_holds_exactly_the_projects_of_the_tree()
    {
        string solution = File.ReadAllText(Path.Combine(RepositoryFolder.Root, "Distill.sln"));
        var listed = SolutionEntry().Matches(solution).Select(match => match.Groups[1].Value.Replace('\\', '/'));
        listed.Order(StringComparer.Ordinal)
            .ShouldBe(ProjectFile.All.Select(project => project.RelativePath));
    }

    [Fact]
    public void Libraries_bring_no_native_runtime()
    {
        foreach (var project in ProjectFile.All.Where(project => project.IsLibrary))
        {
            project.OrdinaryPackages.Where(package => NativeRuntimePackage().IsMatch(package)).ShouldBeEmpty(project.RelativePath);
            project.Xml.Descendants("NativeRuntimes").ShouldBeEmpty(project.RelativePath);
        }
    }

    [Fact]
    public void Programs_and_tests_take_native_runtimes_by_property_only()
    {
        foreach (var project in ProjectFile.All)
            project.OrdinaryPackages.Where(package => NativeRuntimePackage().IsMatch(package)).ShouldBeEmpty(project.RelativePath);
        ProjectFile.All.Count(project => project.Xml.Descendants("NativeRuntimes").Any()).ShouldBeGreaterThan(2);
    }

    // An application that takes the package has a model that runs; one that wants another ONNX Runtime leaves this one out.
    [Fact]
    public void Only_the_package_for_applications_brings_a_native_runtime_and_only_the_processors()
    {
        var bringing = ProjectFile.All.Where(project => project.Packages.Any(package => NativeRuntimePackage().IsMatch(package)));
        var client = bringing.ShouldHaveSingleItem();
        client.Name.ShouldBe("Distill.Client");
        client.Packages.Where(package => NativeRuntimePackage().IsMatch(package)).ShouldBe(["Microsoft.ML.OnnxRuntime"]);
    }

    [GeneratedRegex("\"([^\"]+\\.csproj)\"")]
    private static partial Regex SolutionEntry();

    private static ProjectFile Find(string path) => ProjectFile.All.Single(project => project.RelativePath == path);
}
