using System.IO.Compression;
using System.Reflection.Metadata;
using System.Xml.Linq;
using Distill.Pipeline.Tests.Structure;

namespace Distill.Pipeline.Tests.Packaging;

/// <summary>What the packages hold, what they bring along, and what they say of themselves.</summary>
public sealed class PackageContentTests
{
    private static readonly Guid s_embeddedSource = new("0E8A571B-6926-466E-B4AD-8AB04611F5FE"); // portable PDB specification

    [Theory]
    [InlineData("Distill.Client", "Distill.Client", "Distill.Generation", "Distill.Generation.Onnx", "Distill.Storage", "Distill.Templates",
        "Distill.Tokenization")]
    [InlineData("Distill.Data", "Distill.Data", "Distill.Storage")]
    [InlineData("Distill.Verification", "Distill.Verification")]
    public void A_package_holds_its_assemblies_with_documentation_symbols_readme_and_icon(string id, params string[] assemblies)
    {
        using var package = PackageFeed.Open(id);
        Files(package, "lib/").ShouldBe(
            assemblies.SelectMany(name => (string[])[$"lib/net10.0/{name}.dll", $"lib/net10.0/{name}.xml"]), ignoreOrder: true);
        using var symbols = PackageFeed.Open(id, "snupkg");
        Files(symbols, "lib/").ShouldBe(assemblies.Select(name => $"lib/net10.0/{name}.pdb"), ignoreOrder: true);

        var about = Nuspec(package, id);
        foreach (string word in (string[])["description", "tags", "authors"]) Element(about, word).Value.ShouldNotBeEmpty();
        Element(about, "license").Value.ShouldBe("MIT");
        package.GetEntry(Element(about, "readme").Value).ShouldNotBeNull().Length.ShouldBeGreaterThan(200);
        package.GetEntry(Element(about, "icon").Value).ShouldNotBeNull();
    }

    // An application takes what it needs to run a model, and nothing of what makes one.
    [Fact]
    public void The_client_depends_on_what_runs_a_model_alone()
    {
        using var package = PackageFeed.Open("Distill.Client");
        Dependencies(Nuspec(package, "Distill.Client")).Keys.ShouldBe(
            [
                "Microsoft.Extensions.AI.Abstractions", "Microsoft.Extensions.DependencyInjection.Abstractions",
                "Microsoft.Extensions.Diagnostics.HealthChecks", "Microsoft.Extensions.Hosting.Abstractions",
                "Microsoft.Extensions.Options", "Microsoft.ML.OnnxRuntime", "Microsoft.ML.OnnxRuntime.Managed", "System.Numerics.Tensors",
            ], ignoreOrder: true);
    }

    [Fact]
    public void Data_takes_the_verification_of_its_own_release()
    {
        using var package = PackageFeed.Open("Distill.Data");
        var dependencies = Dependencies(Nuspec(package, "Distill.Data"));
        dependencies["Distill.Verification"].ShouldBe($"[{PackageFeed.Version}]");
        dependencies.Keys.ShouldNotContain("Distill.Storage");
        using var verification = PackageFeed.Open("Distill.Verification");
        Dependencies(Nuspec(verification, "Distill.Verification")).ShouldBeEmpty();
    }

    // Nothing tells where they were built, and a debugger has the sources without any server.
    [Theory, InlineData("Distill.Client"), InlineData("Distill.Data"), InlineData("Distill.Verification")]
    public void Symbols_carry_their_sources_under_paths_of_no_machine(string id)
    {
        using var symbols = PackageFeed.Open(id, "snupkg");
        foreach (var entry in symbols.Entries.Where(entry => entry.Name.EndsWith(".pdb", StringComparison.Ordinal)))
        {
            using var bytes = new MemoryStream();
            using (var stream = entry.Open()) stream.CopyTo(bytes);
            bytes.Position = 0;
            using var provider = MetadataReaderProvider.FromPortablePdbStream(bytes);
            var reader = provider.GetMetadataReader();
            foreach (var handle in reader.Documents)
            {
                string path = reader.GetString(reader.GetDocument(handle).Name);
                path.ShouldStartWith("/_/", Case.Sensitive, entry.Name);
                reader.GetCustomDebugInformation(handle)
                    .Any(information => reader.GetGuid(reader.GetCustomDebugInformation(information).Kind) == s_embeddedSource)
                    .ShouldBeTrue(path);
            }
        }
    }

    [Fact]
    public void The_public_surface_of_all_that_is_packed_is_written_down()
    {
        var packed = ProjectFile.All
            .Where(project => project.IsLibrary && project.Xml.Descendants("IsPackable").Any(value => value.Value == "true")).ToList();
        packed.Count.ShouldBeGreaterThan(2);
        var held = packed.SelectMany(project => project.Xml.Descendants("ProjectReference")
            .Where(reference => reference.Attribute("PrivateAssets")?.Value == "$(Held)")
            .Select(reference => Path.Combine(Path.GetDirectoryName(project.Path)!, reference.Attribute("Include")!.Value)));
        foreach (string project in packed.Select(project => project.Path).Concat(held))
        {
            foreach (string file in (string[])["PublicAPI.Shipped.txt", "PublicAPI.Unshipped.txt"])
            {
                string path = Path.Combine(Path.GetDirectoryName(project)!, file);
                File.Exists(path).ShouldBeTrue(ProjectFile.Relative(path));
                File.ReadLines(path).First().ShouldBe("#nullable enable", path);
            }
        }
    }

    // NuGet takes what it has of a version, whatever the feed has.
    [Fact]
    public void A_package_that_a_cache_has_from_another_time_is_noticed()
    {
        using var cache = new TemporaryFolder();
        PackageFeed.Seen(cache["none"]).ShouldBeEmpty();
        foreach (string folder in (string[])["distill.data/0.0.9", $"distill.client/{PackageFeed.Version}", $"other/{PackageFeed.Version}"])
            Directory.CreateDirectory(cache[folder]);
        PackageFeed.Seen(cache.Path).ShouldBe([cache["distill.client"]]);
    }

    [Fact]
    public void The_tool_is_made_for_no_other_system()
    {
        Assert.SkipWhen(OperatingSystem.IsWindows(), "There is no shell script on Windows.");
        using var folder = new TemporaryFolder();
        foreach (string system in (string[])["--tool=win-x64,osx-arm64", "--tool=plan9-x64", "--tool="])
        {
            var (code, _, error) = PackageFeed.Run("bash", ["tools/pack", folder.Path, system], RepositoryFolder.Root);
            (code, error.Length > 0).ShouldBe((2, true), system);
        }

        Directory.GetFiles(folder.Path).ShouldBeEmpty();
    }

    private static IEnumerable<string> Files(ZipArchive package, string folder) =>
        package.Entries.Select(entry => entry.FullName).Where(name => name.StartsWith(folder, StringComparison.Ordinal));

    private static XElement Nuspec(ZipArchive package, string id)
    {
        using var stream = package.GetEntry($"{id}.nuspec").ShouldNotBeNull().Open();
        return XDocument.Load(stream).Root!;
    }

    private static XElement Element(XElement nuspec, string name) =>
        nuspec.Descendants().Single(element => element.Name.LocalName == name);

    private static Dictionary<string, string> Dependencies(XElement nuspec) =>
        nuspec.Descendants().Where(element => element.Name.LocalName == "dependency")
            .ToDictionary(element => element.Attribute("id")!.Value, element => element.Attribute("version")!.Value);
}
