using System.Runtime.InteropServices;
using System.Text;
using Distill.Generation.Constraints;
using Distill.Tokenization;

namespace Distill.Generation;

/// <summary>One completion in the making.</summary>
internal sealed class GenerationRow
{
    private readonly int seedIndex;
    private readonly SamplingOptions sampling;
    private readonly int[] tokens; // [prompt + limit]: the sampler's history in one span
    private readonly float[] logProbabilities; // [limit], as the two below
    private readonly float[] processed;
    private readonly float[] keptMass;
    private readonly RowTop? top;
    private readonly RowText? text;
    private readonly RowConstraint? constraint;
    private RandomStream random;
    private int count;

    /// <exception cref="ConstraintFault">The request's constraint failed at its beginning.</exception>
    public GenerationRow(PromptState prompt, int seedIndex)
    {
        Prompt = prompt;
        this.seedIndex = seedIndex;
        GenerationRequest request = prompt.Request;
        sampling = request.SamplingOf(seedIndex);
        random = new RandomStream(request.Seeds[seedIndex]);
        tokens = new int[prompt.Prompt.Length + prompt.Limit];
        prompt.Prompt.CopyTo(tokens, 0);
        logProbabilities = new float[prompt.Limit];
        processed = new float[prompt.Limit];
        keptMass = new float[prompt.Limit];
        top = request.TopLogProbabilities > 0 && prompt.Limit > 0
            ? new RowTop(Math.Min(request.TopLogProbabilities, prompt.VocabularySize))
            : null;
        text = request.Text is { } output ? new RowText(output, prompt.Prompt) : null;
        constraint = request.Constraint is { } wanted ? new RowConstraint(wanted, prompt.Prompt, request.StopTokens) : null;
    }

    public PromptState Prompt { get; }

    public int LastToken => tokens[Prompt.Prompt.Length + count - 1];

    public bool IsFull => count == Prompt.Limit;

    /// <summary>Whether its tokens are chosen on the host, from logits, whatever the session can do.</summary>
    public bool NeedsLogits => constraint is not null;

    /// <summary>What a session that chooses tokens itself must know; takes the row's next random number.</summary>
    public TokenQuery Ask() => new(
        sampling, sampling.IsGreedy ? 0 : random.NextDouble(), tokens.AsMemory(0, Prompt.Prompt.Length + count), top?.Count ?? 0,
        Prompt.Prompt.Length);

    /// <summary>Takes what such a session answered; true when that ended the completion.</summary>
    /// <exception cref="InvalidDataException">The row's logits were not finite.</exception>
    public bool Take(TokenAnswers answers, int place)
    {
        TokenChoice choice = answers.Choice(place);
        top?.Add(answers, place);
        return Keep(choice);
    }

    /// <summary>Samples the next token and tells the request's owner; true when that ended the completion.</summary>
    /// <exception cref="ConstraintFault">The request's constraint failed.</exception>
    public bool Advance(ReadOnlySpan<float> logits, Sampler sampler)
    {
        double uniform = sampling.IsGreedy ? 0 : random.NextDouble();
        ReadOnlySpan<int> history = tokens.AsSpan(0, Prompt.Prompt.Length + count);
        TokenChoice choice = sampler.Choose(
            logits, sampling, history, uniform, Prompt.Prompt.Length, constraint is null ? default : constraint.Allowed());
        top?.Add(logits, sampling.IsGreedy ? choice.Token : null, sampler);
        return Keep(choice);
    }

    private bool Keep(in TokenChoice choice)
    {
        (tokens[Prompt.Prompt.Length + count], logProbabilities[count], processed[count], keptMass[count]) =
            (choice.Token, choice.LogProbability, choice.ProcessedLogProbability, choice.KeptMass);
        count++;
        bool stopToken = Prompt.Request.StopTokens.Contains(choice.Token);
        string shown = stopToken ? text?.End() ?? "" : text?.Push(choice.Token) ?? "";
        bool stopString = text is { Matched: not null };
        bool ended = stopToken || stopString || IsFull;
        if (ended && !stopToken && !stopString) shown += text?.End();
        Prompt.Ticket.Token(seedIndex, choice, shown);
        if (!ended) constraint?.Advance(choice.Token);
        if (ended) End(stopToken ? StopReason.StopToken : stopString ? StopReason.StopString : StopReason.Length);
        return ended;
    }

    /// <summary>Hands the completion over as it stands.</summary>
    public void End(StopReason reason) => Prompt.Ticket.Complete(seedIndex, new Completion(
        tokens[Prompt.Prompt.Length..(Prompt.Prompt.Length + count)], logProbabilities[..count], reason, Prompt.Request.Seeds[seedIndex])
    {
        ProcessedLogProbabilities = processed[..count],
        KeptMass = keptMass[..count],
        Top = top?.ToTop(),
        Text = text?.Whole,
        StopString = text?.Matched,
        Prompt = Prompt.Scores?.ToScores(),
    });
}

/// <summary>The text of one completion: decoded token by token, never inside a character, ended by the first stop string.</summary>
internal sealed class RowText(TextOutput output, int[] prompt)
{
    private readonly IncrementalDecoder decoder = new(output.Tokenizer, output.SkipSpecial);
    private readonly ReasoningSpan? span =
        output.StopsInReasoning || output.StopStrings.Count == 0 ? null : new ReasoningSpan(output.Tokenizer, prompt);

    private readonly StringBuilder whole = new();
    private StopStringMatcher matcher = new(output.StopStrings);

    public string? Matched => matcher.Matched;

    public string Whole => whole.ToString();

    /// <returns>What may be shown now.</returns>
    public string Push(int token)
    {
        string before = span is null ? "" : BeforeMark(token);
        return Matched is null ? Keep(before + Pass(decoder.Push(token))) : Keep(before);
    }

    /// <returns>What was held back for an unfinished character or stop string. The rest of a character may still complete one.</returns>
    public string End()
    {
        string last = Pass(decoder.Flush());
        return Keep(last + matcher.Flush());
    }

    /// <summary>A mark of thinking ends the text before it: nothing that it parts is a stop string.</summary>
    private string BeforeMark(int token)
    {
        bool wasOpen = span!.IsOpen;
        if (!span.Push(token)) return "";
        string last = wasOpen ? decoder.Flush() : matcher.Push(decoder.Flush());
        if (Matched is not null) return last;
        last += matcher.Flush();
        matcher = new StopStringMatcher(output.StopStrings);
        return last;
    }

    private string Pass(string text) => span is { IsOpen: true } ? text : matcher.Push(text);

    private string Keep(string text)
    {
        whole.Append(text);
        return text;
    }
}

/// <summary>The alternatives beside each token of one completion.</summary>
internal sealed class RowTop(int count)
{
    private readonly List<int> ids = [];
    private readonly List<float> raw = [];
    private readonly List<float> processed = [];

    public int Count => count;

    public void Add(TokenAnswers answers, int row)
    {
        ids.AddRange(answers.TopIds(row)[..count]);
        raw.AddRange(answers.TopRaw(row)[..count]);
        processed.AddRange(answers.TopProcessed(row)[..count]);
    }

    public void Add(ReadOnlySpan<float> logits, int? greedyChoice, Sampler sampler)
    {
        int start = ids.Count;
        CollectionsMarshal.SetCount(ids, start + count);
        CollectionsMarshal.SetCount(raw, start + count);
        CollectionsMarshal.SetCount(processed, start + count);
        sampler.CopyTop(
            logits, greedyChoice, CollectionsMarshal.AsSpan(ids)[start..], CollectionsMarshal.AsSpan(raw)[start..],
            CollectionsMarshal.AsSpan(processed)[start..]);
    }

    public TopLogProbabilities ToTop() => new(count, [.. ids], [.. raw], [.. processed]);
}
