using System.Text.RegularExpressions;

namespace Distill.Pipeline.Tests.Structure;

/// <summary>Only programs write to the console; a library's words would end up between the lines of <c>--json</c>.</summary>
public sealed partial class ConsoleTests
{
    [Fact]
    public void The_console_is_a_banned_symbol_of_every_library()
    {
        File.ReadAllLines(Path.Combine(RepositoryFolder.Root, "BannedSymbols.Libraries.txt"))
            .ShouldContain(line => line.StartsWith("T:System.Console;", StringComparison.Ordinal));
        foreach (var project in ProjectFile.All.Where(project => project.IsLibrary))
            project.Xml.ToString().ShouldNotContain("RS0030", customMessage: project.RelativePath);
    }

    [Fact]
    public void No_source_of_a_library_writes_to_the_console_or_lifts_the_ban()
    {
        var sources = ProjectFile.All.Where(project => project.IsLibrary).SelectMany(project => project.Sources).ToList();
        sources.Count.ShouldBeGreaterThan(200);
        sources.Where(source => Written().IsMatch(File.ReadAllText(source))).ShouldBeEmpty();
    }

    [GeneratedRegex(@"\bConsole\.\w|using static System\.Console\b|disable RS0030")]
    private static partial Regex Written();
}
