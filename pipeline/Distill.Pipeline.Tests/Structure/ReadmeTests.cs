using System.CommandLine;
using System.Text.RegularExpressions;
using Distill.Cli;
using Distill.Pipeline.Recipes;

namespace Distill.Pipeline.Tests.Structure;

/// <summary>What README and docs tell people to type exists, and where they point to something is.</summary>
public sealed partial class ReadmeTests
{
    private static readonly string[] BuiltFolders = ["bin", "obj", "runs", "artifacts", "cache", "node_modules", "TestResults"];

    public static TheoryData<string> Guides =>
        ["README.md", "CONTRIBUTING.md", .. Files("docs").Select(path => Path.GetRelativePath(RepositoryFolder.Root, path))];

    public static TheoryData<string> Documents => [.. Files("").Select(path => Path.GetRelativePath(RepositoryFolder.Root, path))];

    public static TheoryData<string> Recipes => [.. Snippets().Select(snippet => snippet.Place)];

    [Theory, MemberData(nameof(Guides))]
    public void Commands_and_options_that_are_mentioned_exist(string document)
    {
        var text = MarkdownText.Read(document);
        var mentioned = text.CodeSpans().Select(span => Mentioned().Match(span))
            .Concat(text.CodeLines().Select(line => Typed().Match(line)));
        foreach (var match in mentioned.Where(match => match.Success))
            Unknown(ShellWords(match.Groups["words"].Value)).ShouldBeEmpty($"{document}: {match.Value.Trim()}");
    }

    // Placeholders such as MODEL parse as any word does; `RECIPE…|…` stands only in the running text.
    [Theory, MemberData(nameof(Guides))]
    public void Command_lines_of_code_blocks_are_accepted_by_the_parser(string document)
    {
        var root = DistillCommandLine.Root();
        foreach (var match in MarkdownText.Read(document).CodeLines().Select(line => Typed().Match(line)).Where(match => match.Success))
            root.Parse(ShellWords(match.Groups["words"].Value)).Errors.Select(error => error.Message)
                .ShouldBeEmpty($"{document}: {match.Value.Trim()}");
    }

    [Fact]
    public void Some_commands_are_looked_at() =>
        MarkdownText.Read("README.md").CodeSpans().Count(span => Mentioned().IsMatch(span)).ShouldBeGreaterThan(10);

    // Sections of a snippet take the place of the quickstart's, beside which the paths in the docs are meant.
    [Theory, MemberData(nameof(Recipes))]
    public void Snippets_of_recipes_bind(string place)
    {
        string snippet = Snippets().First(found => found.Place == place).Text;
        string folder = Path.Combine(RepositoryFolder.Root, "recipes");
        string recipe = snippet.Contains("extends:", StringComparison.Ordinal)
            ? snippet
            : Overlay(File.ReadAllText(Path.Combine(folder, "quickstart.yaml")), snippet);
        Faults(recipe, folder).ShouldBeEmpty(recipe);
    }

    [Theory, MemberData(nameof(Documents))]
    public void Links_lead_somewhere(string document)
    {
        foreach (string target in MarkdownText.Read(document).Links())
        {
            string[] parts = target.Split('#');
            string path = parts[0].Length == 0 ? document : Path.Combine(Path.GetDirectoryName(document)!, parts[0]);
            string full = Path.Combine(RepositoryFolder.Root, path);
            (File.Exists(full) || Directory.Exists(full)).ShouldBeTrue($"{document} points to {target}");
            if (parts.Length > 1) MarkdownText.Read(path).Anchors().ShouldContain(parts[1], $"{document} points to {target}");
        }
    }

    // Follows the words from command to command; a word in capitals where a command stands means any of them.
    private static IEnumerable<string> Unknown(IReadOnlyList<string> words)
    {
        var command = DistillCommandLine.Root();
        var options = new List<Option>(command.Options);
        foreach (string word in words)
        {
            if (word.StartsWith('-') && word.Length > 1)
            {
                string name = word.Split('=')[0];
                if (!options.Any(option => option.Name == name || option.Aliases.Contains(name)))
                    yield return $"{command.Name} has no {name}";
            }
            else if (command.Subcommands.Count > 0 && word != "help")
            {
                if (word.All(char.IsUpper)) yield break;
                var named = word.Split('|')
                    .Select(name => (Name: name, Command: command.Subcommands.FirstOrDefault(one => one.Name == name)));
                foreach (var missing in named.Where(one => one.Command is null)) yield return $"there is no command {missing.Name}";
                if (named.First().Command is not { } next) yield break;
                options.AddRange((command = next).Options);
            }
        }
    }

    private static IEnumerable<string> Faults(string recipe, string folder)
    {
        try
        {
            RecipeFile.Parse(recipe, "snippet.yaml", folder);
            return [];
        }
        catch (InvalidRecipeException invalid)
        {
            string[] absent = ["there is no folder", "there is no file", "no file matches"]; // they are the reader's own
            return invalid.Problems.Where(problem => !absent.Any(fault => problem.Fault.Contains(fault, StringComparison.Ordinal)))
                .Select(problem => problem.ToString());
        }
    }

    // Top-level keys of the snippet instead of those of the recipe.
    private static string Overlay(string recipe, string snippet)
    {
        var sections = Sections(recipe).ToDictionary(section => section.Key, section => section.Text);
        foreach (var (key, text) in Sections(snippet)) sections[key] = text;
        return string.Join('\n', sections.Values);
    }

    private static IEnumerable<(string Key, string Text)> Sections(string yaml)
    {
        string[] lines = yaml.Split('\n');
        int[] starts = [.. Enumerable.Range(0, lines.Length).Where(i => TopLevelKey().IsMatch(lines[i]))];
        foreach (var (index, start) in starts.Index())
            yield return (lines[start].Split(':')[0],
                string.Join('\n', lines[start..(index + 1 < starts.Length ? starts[index + 1] : lines.Length)]));
    }

    private static List<(string Place, string Text)> Snippets() =>
    [
        .. new[] { "README.md", "docs/recipes.md" }.SelectMany(document => MarkdownText.Read(document).CodeBlocks()
            .Where(block => TopLevelKey().IsMatch(block.Text)).Select(block => ($"{document}:{block.Line}", block.Text))),
    ];

    private static IEnumerable<string> Files(string folder) =>
        Directory.EnumerateFiles(Path.Combine(RepositoryFolder.Root, folder), "*.md", SearchOption.AllDirectories)
            .Where(path => !Path.GetRelativePath(RepositoryFolder.Root, path).Split(Path.DirectorySeparatorChar)
                .Any(part => part.StartsWith('.') || BuiltFolders.Contains(part)))
            .Order(StringComparer.Ordinal);

    private static string[] ShellWords(string line) =>
        [.. Word().Matches(line.Replace("\\|", "|", StringComparison.Ordinal))
            .Select(word => word.Value.Replace("'", "").Replace("\"", ""))];

    [GeneratedRegex(@"^(?:\./)?distill\s+(?<words>.+)$", RegexOptions.Singleline)]
    private static partial Regex Mentioned();

    // A comment after the command is no part of it.
    [GeneratedRegex(@"^(?:.*\|\s*)?(?:\./)?distill\s+(?<words>.*?)(?:\s+#\s.*)?$")]
    private static partial Regex Typed();

    [GeneratedRegex(@"(?:'[^']*'|""[^""]*""|[^\s'""])+")]
    private static partial Regex Word();

    [GeneratedRegex(@"^[a-z_]+:(?:\s|$)", RegexOptions.Multiline)]
    private static partial Regex TopLevelKey();
}
