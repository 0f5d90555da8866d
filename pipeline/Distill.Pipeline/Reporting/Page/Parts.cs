using Distill.Evaluation.Statistics;

namespace Distill.Pipeline.Reporting.Page;

/// <summary>What the sections of the page are made of.</summary>
internal static class Parts
{
    /// <param name="note">What the section shows and how to read it; one sentence or two.</param>
    public static Html Section(string title, string note, Html content) => Html.Of($"""
        <section><h2>{title}</h2>
        {Html.If(note.Length > 0, () => Html.Of($"<p class=\"note\">{note}</p>"))}
        {content}</section>
        """);

    /// <summary>A table that scrolls by itself where the window is narrow. The first column is words, the others numbers.</summary>
    /// <param name="words">Other columns that hold words.</param>
    public static Html Table(IReadOnlyList<string> header, IEnumerable<Html> rows, params string[] words)
    {
        var cells = header.Select(cell => Html.Of($"<th scope=\"col\"{Left(words.Contains(cell))}>{cell}</th>"));
        return Html.Of($"""
            <div class="scroll"><table><thead><tr>{cells}</tr></thead>
            <tbody>{rows}</tbody></table></div>
            """);
    }

    private static Html Left(bool words) => Html.If(words, () => Html.Of($" class=\"words\""));

    public static Html Row(Html head, params IEnumerable<Html> cells) => Html.Of($"""
        <tr><th scope="row">{head}</th>{cells}</tr>

        """);

    public static Html Cell(string text) => Html.Of($"<td>{text}</td>");

    public static Html Absent { get; } = Html.Of($"<td class=\"absent\" title=\"not measured\">{ReportNumbers.NotMeasured}</td>");

    public static Html Share(double? share, int sample) => share is { } known ? Cell(ReportNumbers.Percent(known, sample)) : Absent;

    /// <summary>A share over its interval, with a bar behind it as long as the share. By a class: a strict policy allows no style in an
    /// element.</summary>
    public static Html Share(double? share, Interval? interval, int sample) => share is not { } known
        ? Absent
        : Html.Of($"""
            <td class="share p{(int)Math.Round(Math.Clamp(known, 0, 1) * 50) * 2}"><b>{ReportNumbers.Percent(known, sample)}</b>
            <small>{(interval is { } range ? ReportNumbers.Range(range, sample) : "")}</small></td>
            """);

    /// <summary>A model's name with its colour.</summary>
    public static Html Model(string model, ReportModels models) => Html.Of($"""
        <span class="model {models.ColorOf(model)}">{model}</span>
        """);

    /// <summary>The first characters of a digest; all of it for who points at it.</summary>
    public static Html Digest(string digest) => Html.Of($"""
        <code title="{digest}">{ReportNumbers.ShortDigest(digest)}</code>
        """);

    public static Html Legend(IEnumerable<(string Color, string Key, string Text)> items)
    {
        var keys = items.Select(item => Html.Of($"<span class=\"{item.Color}\"><i class=\"{item.Key}\"></i>{item.Text}</span>"));
        return Html.Of($"""
            <div class="legend">{keys}</div>
            """);
    }
}
