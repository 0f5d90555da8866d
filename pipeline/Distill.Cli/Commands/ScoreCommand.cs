using System.CommandLine;
using Distill.Cli.Models;
using Distill.Cli.Parsing;
using Distill.Cli.Tokens;
using Distill.Generation;
using Distill.Pipeline.Models;
using Distill.Pipeline.Runs;

namespace Distill.Cli.Commands;

/// <summary><c>distill score</c>: how probable a model finds given texts.</summary>
internal sealed class ScoreCommand : DistillCommand
{
    private const int LongestWindow = 8192;
    private readonly Argument<string> model = ModelFolders.Argument();

    private readonly Argument<string> file = new("FILE")
    {
        Description = "A text on every line; or, named .jsonl, objects with 'text', 'ids', or 'prompt' and 'completion' "
            + "(only the completion counts). '-' is standard input.",
    };

    private readonly Option<bool> jsonLines = new("--jsonl") { Description = "The lines are JSON objects, whatever the file is called." };
    private readonly Option<bool> whole = new("--whole") { Description = "The file is one text, line ends included." };
    private readonly Option<int> top = CommandOptions.Number("--top", "Most probable tokens to name at each position.", 0, 100, 0);
    private readonly Option<bool> totals = new("--no-tokens") { Description = "Only the sums, nothing of every token." };

    private readonly Option<bool> cut =
        new("--cut") { Description = "Score of a text only what the model can read; without it a longer text is a fault." };

    private readonly Option<bool> special =
        new("--special") { Description = "Control tokens spelled in texts become tokens, as transformers does; without it they are text." };

    private readonly Option<bool> bare =
        new("--bare") { Description = "Leave out what the tokenizer puts around a text, such as a token that begins it." };

    private readonly Option<string> device = DeviceOption.OfModel();

    public ScoreCommand()
        : base("score", "How probable a model finds given texts: log-probability (nats) of every token given those before it, sum, mean "
            + "negative log-likelihood and perplexity.")
    {
        Arguments.Add(model);
        Arguments.Add(file);
        foreach (var option in (Option[])[jsonLines, whole, top, totals, cut, special, bare, device]) Options.Add(option);
    }

    public override IReadOnlyList<string> Examples =>
    [
        "distill score student/models/tiny-base texts.txt --no-tokens",
        "echo 'What is 3 + 4?' | distill score teacher/models/tiny-reasoner - --top 3",
        "distill score runs/quickstart/6-onnx answers.jsonl --json",
    ];

    public override int Execute(ParseResult parsed, CommandContext context)
    {
        string source = parsed.GetRequiredValue(file);
        if (parsed.GetValue(jsonLines) && parsed.GetValue(whole))
            throw new UsageException("--jsonl and --whole exclude each other.", "Keep one of them.");
        string folder = HubAccess.Locate(parsed.GetRequiredValue(model), context);
        ModelFolders.RequireModel(folder);
        string given = TextInput.Read(source, context);
        using var served = OpenedModel.Open(
            folder, batched: false, ModelEngine.Onnx, parsed.GetRequiredValue(device), context);
        var items = Items(given, source, served, parsed);
        Score(served, items, parsed, context);
        return ExitCode.Done;
    }

    private void Score(OpenedModel served, IReadOnlyList<ScoreItem> items, ParseResult parsed, CommandContext context)
    {
        var output = new ScoreOutput(context, served.Encoder.Tokenizer, eachToken: !parsed.GetValue(totals));
        var total = default(ScoreTotal);
        using var scorer = new TokenScorer(served.Model, Capacity(served, items));
        context.Progress.Begin("score", $"{items.Count:N0} texts, {items.Sum(item => (long)item.Tokens.Length):N0} tokens");
        foreach (var item in items)
        {
            context.Cancellation.ThrowIfCancellationRequested();
            total += output.Show(item, ScoresOf(scorer, item, parsed.GetValue(top), context.Cancellation));
            context.Progress.Report(new StageProgress(total.Texts, items.Count, "texts"));
        }

        context.Progress.End();
        output.ShowTotal(total);
    }

    // A sliding-window cache must hold its window, however short the texts are; pages that no token fills cost nothing.
    private static int Capacity(OpenedModel served, IReadOnlyList<ScoreItem> items) =>
        Math.Min(served.Model.MaxLength, Math.Max(items.Max(item => item.Tokens.Length), LongestWindow));

    private static TokenScores ScoresOf(TokenScorer scorer, ScoreItem item, int top, CancellationToken cancellation)
    {
        try
        {
            return scorer.Score(item.Tokens, top, cancellation);
        }
        catch (NotSupportedException e)
        {
            throw new InvalidDataException($"This model cannot score: {e.Message}", e);
        }
    }

    /// <summary>Everything is read, and every length known, before the model runs.</summary>
    private List<ScoreItem> Items(string given, string source, OpenedModel served, ParseResult parsed)
    {
        var input = new ScoreInput(served.Encoder.Tokenizer, served.Model.VocabularySize, parsed.GetValue(special), parsed.GetValue(bare));
        bool objects = !parsed.GetValue(whole) && (parsed.GetValue(jsonLines) || source.EndsWith(".jsonl", StringComparison.Ordinal));
        string[] lines = parsed.GetValue(whole) ? [given] : TextInput.Lines(given);
        List<ScoreItem> items = [.. lines.Select((line, index) => (Line: line, Number: index + 1)).Where(pair => pair.Line.Length > 0)
            .Select(pair => objects ? input.OfJson(pair.Number, pair.Line) : input.OfText(pair.Number, pair.Line))
            .Select(item => Fitted(item, served.Model.MaxLength, parsed.GetValue(cut)))];
        return items.Count > 0 ? items : throw new InvalidDataException($"'{source}' holds no text.");
    }

    private static ScoreItem Fitted(ScoreItem item, int most, bool cut)
    {
        if (item.Tokens.Length <= most) return item;
        return cut ? item with { Tokens = item.Tokens[..most], First = Math.Min(item.First, most) } : throw new InvalidDataException(
            $"Line {item.Line} has {item.Tokens.Length:N0} tokens; the model reads {most:N0}. --cut scores what it can read.");
    }
}
