using Distill.Cli.Output;
using Distill.Generation;
using Distill.Tokenization;

namespace Distill.Cli.Tokens;

/// <summary>Sums over scored tokens.</summary>
/// <param name="Scored">Tokens that count.</param>
/// <param name="Sum">Of their log-probabilities, in nats.</param>
internal readonly record struct ScoreTotal(int Texts, long Tokens, long Scored, double Sum)
{
    /// <summary>Mean negative log-likelihood per scored token; null where none was.</summary>
    public double? MeanNll => Scored == 0 ? null : -Sum / Scored;

    /// <summary>e to the mean: how many tokens the model hesitated between, on average.</summary>
    public double? Perplexity => MeanNll is { } mean ? Math.Exp(mean) : null;

    public static ScoreTotal operator +(ScoreTotal a, ScoreTotal b) => a.Add(b);

    public ScoreTotal Add(ScoreTotal other) =>
        new(Texts + other.Texts, Tokens + other.Tokens, Scored + other.Scored, Sum + other.Sum);
}

/// <summary>What <c>distill score</c> says of each sequence and of all: tables for people, JSON lines for machines.</summary>
/// <param name="eachToken">Say something of every token, not only the sums.</param>
internal sealed class ScoreOutput(CommandContext context, Tokenizer tokenizer, bool eachToken)
{
    public ScoreTotal Show(ScoreItem item, TokenScores scores)
    {
        var counted = scores.LogProbabilities.Skip(item.First - 1);
        var total = new ScoreTotal(1, item.Tokens.Length, scores.LogProbabilities.Count - item.First + 1, counted.Sum());
        if (context.IsJson) Json(item, scores, total);
        else
        {
            if (eachToken) Table(item, scores);
            context.Results.Line($"line {item.Line}: {Words(total)}");
            if (eachToken) context.Results.Line();
        }

        return total;
    }

    public void ShowTotal(ScoreTotal total)
    {
        if (context.IsJson) context.Results.Json(new { total });
        else if (total.Texts > 1) context.Results.Line($"all {total.Texts:N0}: {Words(total)}");
    }

    private void Json(ScoreItem item, TokenScores scores, ScoreTotal total) => context.Results.Json(new
    {
        item.Line, total.Tokens, total.Scored, total.Sum, total.MeanNll, total.Perplexity,
        ids = eachToken ? item.Tokens : null,
        pieces = eachToken ? item.Tokens.Select(id => TokenListing.PieceOf(tokenizer, id)) : null,
        // The first token has none; so that the arrays have one length it is there as null.
        logProbabilities = eachToken ? scores.LogProbabilities.Select(value => (double?)value).Prepend(null) : null,
        top = scores.Top is { } top && eachToken ? Enumerable.Range(0, scores.LogProbabilities.Count)
            .Select(position => Alternatives(top, position).Select(Alternative)).Prepend(null) : null,
    });

    private object Alternative((int Id, float LogProbability) other) =>
        new { id = other.Id, piece = TokenListing.PieceOf(tokenizer, other.Id), logProbability = other.LogProbability };

    private void Table(ScoreItem item, TokenScores scores)
    {
        var tokens = TokenListing.Of(tokenizer, item.Tokens);
        var rows = tokens.Take(TokenListing.MostRows).Select((token, index) =>
        {
            double? score = index == 0 ? null : scores.LogProbabilities[index - 1];
            string place = $"{index}{(index < item.First ? " (not counted)" : "")}";
            return (string[])[TokenListing.Piece(token.Piece), Others(scores, index), $"{token.Id}", place,
                score is { } value ? $"{value:F4}" : Readable.None, score is { } sure ? $"{100 * Math.Exp(sure):F2} %" : Readable.None];
        });
        context.Results.Table(["piece", scores.Top is null ? "" : "instead", "id", "#", "log-probability", "probability"], rows, words: 2);
        if (tokens.Count > TokenListing.MostRows) context.Results.Line(
            $"… {tokens.Count - TokenListing.MostRows:N0} more; --json gives all");
    }

    private string Others(TokenScores scores, int index) => index > 0 && scores.Top is { } top
        ? string.Join("  ", Alternatives(top, index - 1)
            .Select(other =>
                $"{TokenListing.Piece(TokenListing.PieceOf(tokenizer, other.Id))} {100 * Math.Exp(other.LogProbability):F1} %"))
        : "";

    private static string Words(ScoreTotal total) => total is { MeanNll: { } mean, Perplexity: { } perplexity }
        ? $"{total.Scored:N0} of {total.Tokens:N0} tokens scored, sum {total.Sum:F4}, mean NLL {mean:F6}, perplexity {perplexity:F4}"
        : $"{total.Tokens:N0} tokens, none of which has one before it";

    private static IEnumerable<(int Id, float LogProbability)> Alternatives(TopLogProbabilities top, int position) =>
        Enumerable.Range(position * top.Count, top.Count).Select(at => (top.Ids[at], top.LogProbabilities[at]));
}
