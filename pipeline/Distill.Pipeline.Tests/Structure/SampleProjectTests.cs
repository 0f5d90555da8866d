using System.Text.Json;
using System.Text.RegularExpressions;
using System.Xml.Linq;

namespace Distill.Pipeline.Tests.Structure;

/// <summary>Samples are what somebody else's application is: whoever copies a folder of them has all there is but the packages.</summary>
public sealed class SampleProjectTests
{
    private static readonly string s_root = Path.Combine(RepositoryFolder.Root, ProjectFile.SampleFolder);

    private static string Version { get; } =
        XDocument.Load(Path.Combine(RepositoryFolder.Root, "Directory.Build.props")).Descendants("Version").Single().Value;

    [Fact]
    public void Samples_know_the_tree_by_its_packages_of_this_release_alone()
    {
        ProjectFile.Samples.Count.ShouldBeGreaterThan(1);
        foreach (var sample in ProjectFile.Samples)
        {
            sample.References.ShouldBeEmpty(sample.RelativePath);
            var package = sample.Xml.Descendants("PackageReference").ShouldHaveSingleItem(sample.RelativePath);
            package.Attribute("Include")!.Value.ShouldBe("Distill.Client");
            package.Attribute("Version")!.Value.ShouldBe(Version);
        }
    }

    // Continuous integration runs the samples with what it installs, not with what they name.
    [Fact]
    public void Samples_name_the_version_of_transformers_js_that_they_are_tested_with()
    {
        string script = File.ReadAllText(Path.Combine(RepositoryFolder.Root, ".ci", "run"));
        string tested = Regex.Match(script, @"@huggingface/transformers@(\S+)").Groups[1].Value;
        string[] packages =
            [.. Directory.GetDirectories(s_root).Select(folder => Path.Combine(folder, "package.json")).Where(File.Exists)];
        packages.Length.ShouldBeGreaterThan(1);
        foreach (string package in packages)
        {
            using var read = JsonDocument.Parse(File.ReadAllText(package));
            read.RootElement.GetProperty("dependencies").GetProperty("@huggingface/transformers").GetString().ShouldBe(tested, package);
        }
    }

    [Fact]
    public void The_packages_of_this_tree_come_from_their_own_feed_alone()
    {
        var mapped = XDocument.Load(Path.Combine(s_root, "nuget.config")).Descendants("packageSource")
            .ToDictionary(source => source.Attribute("key")!.Value, source => source.Elements().Single().Attribute("pattern")!.Value);
        mapped.ShouldBe(
            new Dictionary<string, string> { ["distill"] = "Distill.*", ["nuget.org"] = "*" }, ignoreOrder: true);
    }

    // The rules of the repository would reach down to them from its root.
    [Fact]
    public void Nothing_of_the_repository_is_built_into_samples()
    {
        foreach (string file in (string[])["Directory.Build.props", "Directory.Build.targets", "Directory.Packages.props"])
            XDocument.Load(Path.Combine(s_root, file)).Root!.Elements().ShouldBeEmpty(file);
    }

    [Fact]
    public void Every_sample_says_how_it_is_run()
    {
        string index = File.ReadAllText(Path.Combine(s_root, "README.md"));
        foreach (string folder in Directory.GetDirectories(s_root))
        {
            File.Exists(Path.Combine(folder, "README.md")).ShouldBeTrue(folder);
            index.ShouldContain($"({Path.GetFileName(folder)}/)");
        }
    }

    [Fact]
    public void Lines_fit_into_the_columns_there_are() =>
        ProjectFile.Samples.SelectMany(project => project.Sources).Where(file => File.ReadLines(file).Any(line => line.Length > 140))
            .Select(ProjectFile.Relative).ShouldBeEmpty();
}
