using System.Globalization;
using System.Text;
using Distill.Data.Publishing.Formats;
using Distill.Storage;
using Distill.Verification;

namespace Distill.Cli.Output;

/// <summary>Traces on a terminal: in a list, or one whole. What a model wrote is shown and never obeyed.</summary>
/// <param name="pieces">Ids → the text of each, where tokens are to be shown by their log-probability; else null.</param>
internal sealed class TraceOutput(CommandContext context, Func<IReadOnlyList<int>, IReadOnlyList<string>>? pieces)
{
    private const int Excerpt = 60;
    private const string Reset = "\u001b[0m";

    // Background of 256 colours, from none to strong: the less probable, the stronger.
    private static readonly int[] Shades = [0, 230, 223, 216, 209, 202, 196];

    public void List(IEnumerable<PublishedTrace> traces) => context.Results.Table(
        ["problem", "verdict", "ended", "question", "sample", "tokens"],
        traces.Select(trace => (string[])
        [
            Printable.Of(trace.Trace.Problem.Id),
            trace.Grade is { } grade ? grade.DropReason ?? VerdictName.Of(grade.Verdict) : Readable.None,
            Printable.Of(trace.Trace.StopReason),
            Printable.Of(Cut(OneLine(trace.Trace.Problem.Text))),
            trace.Trace.SampleIndex.ToString(CultureInfo.InvariantCulture),
            trace.Trace.CompletionTokens.ToString("N0", CultureInfo.InvariantCulture),
        ]),
        words: 4);

    public void Whole(PublishedTrace published)
    {
        var trace = published.Trace;
        string verdict = published.Grade is { } grade
            ? $"{VerdictName.Of(grade.Verdict)} by {grade.Verifier} v{grade.VerifierVersion}, "
                + (grade.Keep ? "kept" : $"left out: {grade.DropReason}") : "not graded";
        context.Results.Line($"── {Printable.Of(trace.Problem.Id)}, sample {trace.SampleIndex} ──");
        Fact("verdict", verdict);
        Fact("ended", trace.Refusal is { } refusal ? $"{trace.StopReason}; refused: {refusal}" : trace.StopReason);
        Fact("tokens", $"{trace.CompletionTokens:N0} after a prompt of {trace.PromptTokens:N0}");
        Fact("from", $"{trace.Problem.Source}, {trace.Problem.Domain}, {trace.Teacher} {trace.Sampling}");
        if (trace.Problem.System is { } system) Text("System", system);
        Text("Problem", trace.Problem.Text);
        if (trace.Problem.Choices.Count > 0) Text("Choices", string.Join('\n', trace.Problem.Choices));
        if (HasTokens(published)) Tokens(published);
        else if (trace.Reasoning.Length > 0) Text("Reasoning", trace.Reasoning);
        Text("Answer", trace.Answer ?? "(there is none: the completion never got there)");
        Text("Reference answer", trace.Problem.ReferenceAnswer);
        context.Results.Line();
    }

    public static object Json(PublishedTrace published)
    {
        var (trace, problem) = (published.Trace, published.Trace.Problem);
        return new
        {
            problemId = problem.Id, problem = problem.Text, system = problem.System, problem.Choices, problem.ReferenceAnswer,
            domain = problem.Domain, split = problem.Split, problem.Source, trace.Reasoning, trace.Answer, trace.StopReason,
            trace.Refusal, trace.SampleIndex, trace.PromptTokens, trace.CompletionTokens, trace.Teacher, trace.Sampling,
            verdict = published.Grade?.Verdict, keep = published.Grade?.Keep, dropReason = published.Grade?.DropReason,
        };
    }

    private bool HasTokens(PublishedTrace published) => pieces is not null && published.Trace.TokenIds.Count > 0
        && published.Trace.TokenLogProbabilities.Count == published.Trace.TokenIds.Count;

    private void Fact(string name, string value) => context.Results.Line($"{name,-9}{Printable.Of(OneLine(value))}");

    // Lines stay lines; what would steer the terminal or hide itself is spelled.
    private void Text(string title, string text)
    {
        context.Results.Line($"\n{title}");
        foreach (string line in text.ReplaceLineEndings("\n").Split('\n')) context.Results.Line($"  {Line(line)}".TrimEnd());
    }

    private static string Line(string line) => Printable.Of(line.Replace("\t", "    ", StringComparison.Ordinal));

    private void Tokens(PublishedTrace published)
    {
        var trace = published.Trace;
        bool isColoured = context.Streams.OutIsTerminal && context.Streams.IsColoured;
        context.Results.Line("\nTokens" + (isColoured ? ": the stronger the colour, the less probable" : ", with their log-probabilities"));
        var texts = pieces!(trace.TokenIds);
        var line = new StringBuilder();
        for (int i = 0; i < texts.Count; i++)
        {
            float value = trace.TokenLogProbabilities[i];
            if (isColoured) line.Append(Shaded(texts[i], value));
            else line.Append(CultureInfo.InvariantCulture, $"{TerminalText.Escaped(texts[i])}({value:0.##}) ");
        }

        // The colours are ours; the pieces were made harmless before.
        if (isColoured) context.Streams.Out.WriteLine(line.ToString());
        else context.Results.Line("  " + line.ToString().TrimEnd());
    }

    private static string Shaded(string piece, float value)
    {
        int shade = float.IsNaN(value) ? Shades.Length - 1 : Math.Clamp((int)(-2 * value), 0, Shades.Length - 1);
        string shown = string.Join('\n', piece.Split('\n').Select(Line));
        return shade == 0 ? shown : $"\u001b[30;48;5;{Shades[shade]}m{shown}{Reset}";
    }

    private static string OneLine(string text) => text.ReplaceLineEndings(" ").Replace('\t', ' ');

    private static string Cut(string text) => text.Length <= Excerpt ? text : text[..Excerpt] + "…";
}
