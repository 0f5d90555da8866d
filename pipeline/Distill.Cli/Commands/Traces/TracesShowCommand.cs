using System.CommandLine;
using Distill.Cli.Models;
using Distill.Cli.Output;
using Distill.Cli.Parsing;
using Distill.Cli.Progress;
using Distill.Data.Publishing.Formats;
using Distill.Pipeline.Reporting.TracePages;
using Distill.Tokenization;
using Distill.Verification;

namespace Distill.Cli.Commands.Traces;

/// <summary><c>distill traces show</c>.</summary>
internal sealed class TracesShowCommand : DistillCommand
{
    private const int UsualLimit = 20;

    private readonly Argument<string?> source = TraceSource.OptionalArgument();

    private readonly Option<string> verdict =
        CommandOptions.Word("--verdict", "Only traces of this verdict.", [.. Enum.GetValues<Verdict>().Select(VerdictName.Of)]);

    private readonly Option<string> reason = new("--reason")
        { HelpName = "WORD", Description = "Only traces that were left out for this reason, e.g. truncated." };

    private readonly Option<string> domain = new("--domain") { HelpName = "NAME", Description = "Only traces of this domain." };
    private readonly Option<string> problem = new("--problem") { HelpName = "ID", Description = "Only traces of this problem." };
    private readonly Option<int?> least = CommandOptions.OptionalNumber("--min-tokens", "Least tokens of a completion.", 0, int.MaxValue);
    private readonly Option<int?> most = CommandOptions.OptionalNumber("--max-tokens", "Most tokens of a completion.", 0, int.MaxValue);
    private readonly Option<int> limit = CommandOptions.Number("--limit", "Most traces to show.", 1, 100_000, UsualLimit);
    private readonly Option<bool> whole = new("--whole") { Description = "Show every trace whole, not in a list; one alone always is." };

    private readonly Option<string> html = new("--html")
    {
        HelpName = "FILE",
        Description = "Write all matching traces as a page for a browser: paged, searched and filtered in the page, no server. Beyond "
            + "64 MiB they lie in a folder beside it.",
    };

    private readonly Option<string> tokenizer = new("--tokenizer")
    {
        HelpName = "DIR", Description = "Folder with the teacher's tokenizer.json: tokens are then shown by their log-probability.",
    };

    private readonly Option<string> runs = RunArguments.RunsOption();

    public TracesShowCommand()
        : base("show", "Shows traces: a list, one whole (problem, reasoning, answer, reference answer, verdict), or a page for a browser.")
    {
        Arguments.Add(source);
        Option[] own = [verdict, reason, domain, problem, least, most, limit, whole, html, tokenizer, runs];
        foreach (var option in own) Options.Add(option);
    }

    public override IReadOnlyList<string> Examples =>
    [
        "distill traces show quickstart",
        "distill traces show quickstart --verdict incorrect --limit 3 --whole",
        "distill traces show quickstart --problem arithmetic/2/train/7/000041",
        "distill traces show quickstart --html traces.html",
    ];

    public override int Execute(ParseResult parsed, CommandContext context)
    {
        if (parsed.GetValue(html) is { } file) OutputPlace.RequireFile("--html", file);
        var found = TraceSource.Find(parsed.GetValue(source), parsed.GetRequiredValue(runs), context);
        bool asksGrade = parsed.GetValue(verdict) is not null || parsed.GetValue(reason) is not null;
        if (asksGrade && !found.Traces.IsGraded)
            throw new UsageException("These traces have no verdicts.", "They come with grading: name the run, or its curated traces.");
        var pieces = PiecesOf(parsed.GetValue(tokenizer));
        var traces = found.Traces.Read(keptOnly: false).Where(trace => Matches(trace, parsed));
        if (parsed.GetValue(html) is { } page) WritePage(page, found, traces, pieces, context);
        else Show([.. traces.Take(parsed.GetValue(limit) + 1)], parsed, pieces, context);
        return ExitCode.Done;
    }

    private bool Matches(PublishedTrace trace, ParseResult parsed) =>
        (parsed.GetValue(verdict) is not { } word || (trace.Grade is { } grade && VerdictName.Of(grade.Verdict) == word))
        && (parsed.GetValue(reason) is not { } dropped || trace.Grade?.DropReason == dropped)
        && (parsed.GetValue(domain) is not { } name || trace.Trace.Problem.Domain == name)
        && (parsed.GetValue(problem) is not { } id || trace.Trace.Problem.Id == id)
        && trace.Trace.CompletionTokens >= (parsed.GetValue(least) ?? 0)
        && trace.Trace.CompletionTokens <= (parsed.GetValue(most) ?? int.MaxValue);

    private static Func<IReadOnlyList<int>, IReadOnlyList<string>>? PiecesOf(string? folder)
    {
        if (folder is null) return null;
        ModelFolders.RequireTokenizer(folder);
        return TokenPieces.Of(Tokenizer.Load(folder));
    }

    private static void WritePage(
        string file, TraceSource found, IEnumerable<PublishedTrace> traces, Func<IReadOnlyList<int>, IReadOnlyList<string>>? pieces,
        CommandContext context)
    {
        context.Progress.Begin("page", file);
        string title = found.Run is { } run ? run.Name : Path.GetFileName(Path.TrimEndingDirectorySeparator(found.Traces.Name));
        var written = TracePage.Write(file, TraceProgress.Of(traces, 0, context), new TracePageOptions { Title = title, Pieces = pieces });
        context.Progress.End();
        if (context.IsJson) context.Results.Json(new { path = file, written.Rows, folder = written.Folder });
        context.Results.Line($"{written.Rows:N0} traces: {file}"
            + (written.Folder is { } folder ? $", with the traces in {folder}: the two belong together" : ""));
    }

    private void Show(
        List<PublishedTrace> traces, ParseResult parsed, Func<IReadOnlyList<int>, IReadOnlyList<string>>? pieces, CommandContext context)
    {
        int shown = Math.Min(traces.Count, parsed.GetValue(limit));
        var output = new TraceOutput(context, pieces);
        if (context.IsJson)
        {
            context.Results.Json(new { traces = traces.Take(shown).Select(TraceOutput.Json), more = traces.Count > shown });
            return;
        }

        if (shown == 0) context.Results.Line("No trace matches.");
        else if (shown == 1 || parsed.GetValue(whole)) foreach (var trace in traces.Take(shown)) output.Whole(trace);
        else output.List(traces.Take(shown));
        if (traces.Count > shown) context.Results.Line($"… and more: --limit shows more than {shown:N0}, --html all of them.");
    }
}
