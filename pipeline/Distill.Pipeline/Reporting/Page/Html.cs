using System.Globalization;
using System.Runtime.CompilerServices;
using System.Text;

namespace Distill.Pipeline.Reporting.Page;

/// <summary>
/// Markup that is safe to put into a page. Made by interpolation: the template is markup, every value in it is escaped unless it
/// is <see cref="Html"/> itself, so a text from a model cannot become markup by being forgotten.
/// </summary>
internal readonly record struct Html
{
    private readonly string? markup;

    private Html(string markup) => this.markup = markup;

    public static Html Empty => default;

    public static Html Of(HtmlTemplate template) => new(template.ToMarkup());

    /// <summary>The first if the condition holds, else nothing.</summary>
    public static Html If(bool condition, Func<Html> then) => condition ? then() : Empty;

    /// <summary>A style sheet of this assembly: the one text that goes in as it is.</summary>
    public static Html Style(string resource)
    {
        using var reader = new StreamReader(typeof(Html).Assembly.GetManifestResourceStream(resource)!);
        return new Html($"<style>{reader.ReadToEnd()}</style>");
    }

    public override string ToString() => markup ?? "";
}

/// <summary>What the compiler makes of an interpolated string given to <see cref="Html.Of"/>.</summary>
[InterpolatedStringHandler]
internal readonly ref struct HtmlTemplate
{
    private readonly StringBuilder markup;

    public HtmlTemplate(int literalLength, int formattedCount) => markup = new StringBuilder(literalLength + (16 * formattedCount));

    public void AppendLiteral(string literal) => markup.Append(literal);

    public void AppendFormatted(Html part) => markup.Append(part.ToString());

    public void AppendFormatted(IEnumerable<Html> parts)
    {
        foreach (var part in parts) AppendFormatted(part);
    }

    public void AppendFormatted(int number) => markup.Append(number.ToString(CultureInfo.InvariantCulture));

    /// <summary>A coordinate: two decimals are finer than any screen.</summary>
    public void AppendFormatted(double number) => markup.Append(number.ToString("0.##", CultureInfo.InvariantCulture));

    public void AppendFormatted(string? text)
    {
        foreach (char c in text ?? "")
        {
            switch (c)
            {
                case '&': markup.Append("&amp;"); break;
                case '<': markup.Append("&lt;"); break;
                case '>': markup.Append("&gt;"); break;
                case '"': markup.Append("&quot;"); break;
                case '\'': markup.Append("&#39;"); break;
                case '\n' or '\t': markup.Append(c); break;
                case < ' ': markup.Append((char)('\u2400' + c)); break; // its picture: the page shows what the model wrote
                case '\u007f': markup.Append('\u2421'); break;
                default: markup.Append(c); break;
            }
        }
    }

    public string ToMarkup() => markup.ToString();
}
