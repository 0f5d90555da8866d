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
