using System.Diagnostics;
using System.IO.Compression;
using System.Xml.Linq;

namespace Distill.Pipeline.Tests.Packaging;

/// <summary>
/// The packages that tools/pack made, in the folder that DISTILL_PACKAGES names, and applications that take them from there: each has NuGet
/// folders of its own, so that an older package of the same version is never taken from this machine's cache.
/// </summary>
internal static class PackageFeed
{
    private const string Variable = "DISTILL_PACKAGES";

    public static string Version { get; } =
        XDocument.Load(Path.Combine(RepositoryFolder.Root, "Directory.Build.props")).Descendants("Version").Single().Value;

    /// <summary>Skips the test where there are none: .ci/run makes them after the other tests and then runs these.</summary>
    public static string Require()
    {
        string? folder = Environment.GetEnvironmentVariable(Variable);
        Assert.SkipWhen(string.IsNullOrEmpty(folder), $"{Variable} names no folder with what tools/pack makes.");
        return Path.GetFullPath(folder!);
    }

    /// <returns>The caller disposes it.</returns>
    public static ZipArchive Open(string id, string extension = "nupkg") =>
        ZipFile.OpenRead(Path.Combine(Require(), $"{id}.{Version}.{extension}"));

    /// <summary>Makes a folder take packages from the feed, and all others from where this machine does.</summary>
    /// <returns>Path of the nuget.config.</returns>
    public static string Connect(TemporaryFolder folder)
    {
        Seen(MachinePackages).ShouldBeEmpty(
            $"{MachinePackages} holds these of version {Version}: they would be taken instead of what was made. Remove their folders.");
        return folder.File("nuget.config",
            $"""
            <configuration>
              <config><add key="globalPackagesFolder" value="{folder.File("packages")}" /></config>
              <fallbackPackageFolders><add key="machine" value="{MachinePackages}" /></fallbackPackageFolders>
              <packageSources><add key="distill" value="{Require()}" /></packageSources>
              <packageSourceMapping>
                <packageSource key="distill"><package pattern="Distill.*" /></packageSource>
                <packageSource key="nuget.org"><package pattern="*" /></packageSource>
              </packageSourceMapping>
            </configuration>
            """);
    }

    /// <summary>Packages of this repository, of its version, that a folder of NuGet's has from another time.</summary>
    public static IReadOnlyList<string> Seen(string packages) => !Directory.Exists(packages) ? []
        : [.. Directory.GetDirectories(packages, "distill.*").Where(package => Directory.Exists(Path.Combine(package, Version)))];

    /// <summary>Builds the only project of a folder below one that <see cref="Connect"/> prepared.</summary>
    /// <returns>The folder of the built program.</returns>
    public static string Build(string project)
    {
        var (code, output, error) = Run(
            "dotnet",
            ["build", project, "-v", "quiet", "-nologo", "-nodeReuse:false", "-p:UseSharedCompilation=false", "-p:NuGetAudit=false"],
            Path.GetDirectoryName(project)!);
        code.ShouldBe(0, output + error);
        return Path.Combine(Path.GetDirectoryName(project)!, "bin", "Debug", "net10.0");
    }

    /// <summary>Runs a program to its end.</summary>
    public static (int Code, string Output, string Error) Run(
        string program, IEnumerable<string> arguments, string folder, string input = "",
        IReadOnlyDictionary<string, string>? environment = null)
    {
        var start = new ProcessStartInfo(program) { WorkingDirectory = folder };
        (start.RedirectStandardInput, start.RedirectStandardOutput, start.RedirectStandardError) = (true, true, true);
        foreach (string argument in arguments) start.ArgumentList.Add(argument);
        foreach (var (name, value) in environment ?? new Dictionary<string, string>()) start.Environment[name] = value;
        using var process = Process.Start(start)!;
        var error = process.StandardError.ReadToEndAsync();
        process.StandardInput.Write(input);
        process.StandardInput.Close();
        string output = process.StandardOutput.ReadToEnd();
        process.WaitForExit();
        return (process.ExitCode, output, error.Result);
    }

    private static string MachinePackages => Environment.GetEnvironmentVariable("NUGET_PACKAGES") is { Length: > 0 } given
        ? given
        : Path.Combine(Environment.GetFolderPath(Environment.SpecialFolder.UserProfile), ".nuget", "packages");
}
