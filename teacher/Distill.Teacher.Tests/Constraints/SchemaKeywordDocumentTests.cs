using System.Text.RegularExpressions;
using Distill.Client;
using Distill.Generation.Constraints;

namespace Distill.Teacher.Tests.Constraints;

/// <summary>docs/structured-output.md names what is supported: no more and no less.</summary>
public sealed partial class SchemaKeywordDocumentTests
{
    private static readonly string s_page = File.ReadAllText(Path.Combine(RepositoryFolder.Root, "docs", "structured-output.md"));

    [Fact]
    public void The_table_has_every_keyword()
    {
        int begin = s_page.IndexOf("<!-- keywords -->", StringComparison.Ordinal);
        int end = s_page.IndexOf("<!-- end -->", StringComparison.Ordinal);
        string table = s_page[begin..end];
        var rows = table.Split('\n').Where(line => line.StartsWith("| `", StringComparison.Ordinal)).ToList();
        rows.SelectMany(row => Names(row.Split('|')[1])).Order(StringComparer.Ordinal)
            .ShouldBe(SchemaKeywords.Known.Order(StringComparer.Ordinal));
        Names(rows.Single(row => row.StartsWith("| `format`", StringComparison.Ordinal)).Split('|')[2]).Where(name => name != "TimeOnly")
            .ShouldBe(SchemaKeywords.Formats.Keys);
    }

    [Fact]
    public void The_page_has_every_annotation_and_additional_property()
    {
        string sentence = s_page[s_page.IndexOf("These describe", StringComparison.Ordinal)..];
        Names(sentence[..sentence.IndexOf("\n\n", StringComparison.Ordinal)]).ShouldBe(SchemaKeywords.Annotations);
        string row = s_page.Split('\n').Single(line => line.StartsWith("| `AdditionalProperties`", StringComparison.Ordinal));
        Names(row.Split('|')[2]).ShouldBe(AdditionalOptions.Known);
    }

    private static IEnumerable<string> Names(string text) => Name().Matches(text).Select(match => match.Groups[1].Value);

    [GeneratedRegex("`([^`]+)`")]
    private static partial Regex Name();
}
