using System.Text.RegularExpressions;
using Distill.Pipeline.Reporting;

namespace Distill.Pipeline.Tests.Results;

/// <summary>
/// What of a report is committed: every number, no text of a model's. Left out are sample traces, dropped traces, answers side by side,
/// histograms of lengths, and the recipe's differences to the defaults, which follow from the recipe. Of folders outside the repository
/// the name alone stays.
/// </summary>
internal static partial class SlimReport
{
    public static RunReport Of(RunReport report) => report with
    {
        Evaluations = [.. report.Evaluations.Select(row => row with { SampleTraces = [] })],
        Curation = report.Curation is { } curation ? curation with { Examples = null } : null,
        SideBySide = [],
        Lengths = [],
        Notes = [.. report.Notes.Select(Anonymous)],
        Recipe = report.Recipe is { } recipe ? new RecipeReport([], Anonymous(recipe.Text)) : null,
        Stages = [.. report.Stages.Select(stage => stage with { Reason = Anonymous(stage.Reason) })],
    };

    private static string Anonymous(string text) => RootedPath().Replace(text, match => "…/" + match.Groups["last"].Value);

    // A path of this machine, or one that leaves the repository, after a blank, a quote or a bracket: its last part alone is of interest.
    [GeneratedRegex(@"(?<=^|[\s""'\[{(,])(?:\.\./|/(?!/))[^\s""',\]}]*?(?<last>[^\s""',\]}/]+)/?(?=$|[\s""',\]}])", RegexOptions.Multiline)]
    private static partial Regex RootedPath();
}
