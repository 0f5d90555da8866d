using System.Globalization;
using System.Text;
using Distill.Export.Quantization;

namespace Distill.Export.Package;

/// <summary>The card's section of what fewer bits take and lose.</summary>
internal static class FormTable
{
    /// <returns>Empty where nothing was measured.</returns>
    public static string Markdown(IReadOnlyList<FormFigures> forms)
    {
        if (forms.Count == 0) return "";
        var text = new StringBuilder("## Size, quality, speed\n\n");
        bool timed = forms.Any(form => form.TokensPerSecond is not null);
        text.Append("| form | size | perplexity × [95 %] | same token | divergence |").Append(timed ? " tokens/s |\n" : "\n");
        text.Append("|---|---|---|---|---|").Append(timed ? "---|\n" : "\n");
        foreach (var form in forms)
            text.Append(CultureInfo.InvariantCulture, $"| {ModelCard.Plain(form.Form)} | {form.Bytes / 1e6:F1} MB | {Quality(form)} |")
                .Append(timed ? string.Create(CultureInfo.InvariantCulture, $" {form.TokensPerSecond:F0} |\n") : "\n");
        if (forms.Select(form => form.Quality).FirstOrDefault(quality => quality is not null) is { } measured)
            text.Append(CultureInfo.InvariantCulture, $"\nAgainst the model in fp32, over {measured.Tokens:N0} tokens of ")
                .Append(CultureInfo.InvariantCulture, $"{measured.Texts:N0} texts that nothing was chosen on")
                .Append(timed ? "; speed of one greedy reply where it was exported.\n" : ".\n");
        return text.Append('\n').ToString();
    }

    private static string Quality(FormFigures form) => form is not { Quality: { PerplexityRatioInterval95: var range } quality }
        ? "1 | | " : string.Create(
        CultureInfo.InvariantCulture, $"{quality.PerplexityRatio:F3} [{range.Low:F3}, {range.High:F3}] | "
        + $"{100 * quality.TopAgreement:F1} % | {quality.MeanDivergence:F4} nats");
}
