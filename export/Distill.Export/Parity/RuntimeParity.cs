namespace Distill.Export.Parity;

/// <summary>Another runtime over an exported folder. One thread at a time; whoever opened it disposes it.</summary>
internal interface IExportedRuntime : IDisposable
{
    /// <summary><c>genai</c>, <c>transformers.js</c>.</summary>
    string Name { get; }

    /// <summary>Greedy tokens of each prompt, the stop token that ended a row among them or left out.</summary>
    /// <exception cref="InvalidDataException">The runtime cannot run the folder.</exception>
    /// <exception cref="IOException">
    /// It ended without an answer; with a <see cref="TimeoutException"/> inside, its time was over.
    /// </exception>
    IReadOnlyList<IReadOnlyList<int>> Greedy(
        IReadOnlyList<IReadOnlyList<int>> prompts, int maxNewTokens, IReadOnlyList<int> stopTokens, CancellationToken cancellation);

    /// <summary>
    /// Ids of texts in which control tokens may stand, nothing put around them; null where the runtime has no tokenizer of its own.
    /// </summary>
    /// <exception cref="InvalidDataException">The runtime cannot read the folder's tokenizer.</exception>
    /// <inheritdoc cref="Greedy" path="/exception"/>
    IReadOnlyList<IReadOnlyList<int>>? Encode(IReadOnlyList<string> texts, CancellationToken cancellation);
}

/// <summary>What another runtime made of the folder.</summary>
/// <param name="Name">As on the command line.</param>
/// <param name="Prompts">Decoded greedily by both.</param>
/// <param name="Tokens">Compared: of each prompt up to the first difference.</param>
/// <param name="Mismatches">Prompts whose tokens differ, ties left out.</param>
/// <param name="Ties">Prompts whose tokens differ where the own engine is undecided itself.</param>
/// <param name="Fault">Why it could not run the folder; null when it did.</param>
public sealed record RuntimeParity(string Name, int Prompts, long Tokens, int Mismatches, int Ties, string? Fault = null)
{
    /// <summary>Why nothing can be said of it: its time was over. Null when it ran.</summary>
    public string? NotRun { get; init; }

    internal bool Passed => Fault is null && Mismatches == 0;
}

/// <summary>Compares the own engine's greedy tokens with what a runtime decodes of the same prompts.</summary>
internal static class RuntimeComparison
{
    /// <param name="context">Tokens that the model reads: what ends a row there is no difference.</param>
    /// <param name="rows">What the own engine decoded over the same folder, and where it was undecided itself.</param>
    /// <param name="undecided">Two logits that are nearer than this are a tie.</param>
    public static RuntimeParity Run(
        IExportedRuntime runtime, int context, IReadOnlyList<DecodedRow> rows, ParityInputs inputs, double undecided,
        CancellationToken cancellation)
    {
        try
        {
            var other = runtime.Greedy([.. rows.Select(row => row.Prompt)], inputs.MaxNewTokens, inputs.StopTokens, cancellation);
            int ties = 0, mismatches = 0;
            long tokens = 0;
            for (int i = 0; i < rows.Count; i++)
            {
                int? place = Difference(rows[i], other[i], context, inputs.StopTokens);
                tokens += place + 1 ?? rows[i].Tokens.Count;
                if (place is not { } at) continue;
                if (at < other[i].Count && at < rows[i].Tokens.Count && IsTie(rows[i], at, other[i][at], undecided)) ties++;
                else mismatches++;
            }

            return new(runtime.Name, rows.Count, tokens, mismatches, ties);
        }
        catch (InvalidDataException e)
        {
            return new(runtime.Name, 0, 0, 0, 0, e.Message); // a runtime that cannot run the folder is a finding about the folder
        }
        catch (IOException e) when (e.InnerException is TimeoutException)
        {
            return new(runtime.Name, 0, 0, 0, 0) { NotRun = e.Message }; // a slow machine says nothing about the folder
        }
        catch (IOException e)
        {
            return new(runtime.Name, 0, 0, 0, 0, e.Message);
        }
    }

    // Where two rows part; some runtimes leave the token out that ended the row, and some end a token earlier or later where the context
    // does.
    private static int? Difference(DecodedRow row, IReadOnlyList<int> other, int context, IReadOnlyList<int> stopTokens)
    {
        var own = row.Tokens;
        bool full = row.Prompt.Count + Math.Max(own.Count, other.Count) >= context && Math.Abs(own.Count - other.Count) <= 1;
        for (int i = 0; i < (full ? Math.Min(own.Count, other.Count) : Math.Max(own.Count, other.Count)); i++)
        {
            if (i < own.Count && i < other.Count && own[i] == other[i]) continue;
            return i == other.Count && i == own.Count - 1 && stopTokens.Contains(own[i]) ? null : i;
        }

        return null;
    }

    // By the logits that the token was chosen from: read again in another way, they could say otherwise.
    private static bool IsTie(DecodedRow row, int place, int other, double undecided) =>
        row.Near[place].Any(near => near.Token == other && near.Margin <= undecided);
}

/// <summary>A prompt and the tokens that were chosen after it.</summary>
internal sealed record DecodedRow(IReadOnlyList<int> Prompt, IReadOnlyList<int> Tokens)
{
    /// <summary>Of each token, those that were next best.</summary>
    public required IReadOnlyList<NearToken[]> Near { get; init; }
}
