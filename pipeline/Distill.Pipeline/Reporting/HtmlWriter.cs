using System.Net;
using System.Text;

namespace Distill.Pipeline.Reporting;

/// <summary>Writes HTML whose every text is escaped: what models say ends up here, and it is never trusted.</summary>
internal sealed class HtmlWriter
{
    private readonly StringBuilder text = new();

    public HtmlWriter Heading(string heading) => Raw("<h2>").Text(heading).Raw("</h2>\n");

    public HtmlWriter Paragraph(string content, string style = "") => Raw($"<p{Class(style)}>").Text(content).Raw("</p>\n");

    public HtmlWriter Table(IReadOnlyList<string> header, IEnumerable<IReadOnlyList<string>> rows, string style = "")
    {
        Raw($"<div class='scroll'><table{Class(style)}><tr>");
        foreach (string cell in header) Raw("<th>").Text(cell).Raw("</th>");
        foreach (var row in rows)
        {
            Raw("</tr>\n<tr>");
            foreach (string cell in row) Raw("<td>").Text(cell).Raw("</td>");
        }

        return Raw("</tr></table></div>\n");
    }

    public HtmlWriter Text(string content) => Raw(WebUtility.HtmlEncode(content));

    /// <summary>Markup of our own.</summary>
    public HtmlWriter Raw(string markup)
    {
        text.Append(markup);
        return this;
    }

    public override string ToString() => text.ToString();

    private static string Class(string style) => style.Length == 0 ? "" : $" class='{style}'";
}
