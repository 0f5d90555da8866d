using Distill.Cli.Models;
using Distill.Client;
using Distill.Generation;
using Distill.Templates;
using Distill.Tokenization;

namespace Distill.Cli.Chatting;

/// <summary>How replies are made.</summary>
internal sealed record ConversationOptions
{
    /// <summary>System message; null for none.</summary>
    public string? System { get; init; }

    public SamplingOptions Sampling { get; init; } = SamplingOptions.Greedy;

    /// <summary>Longest reply, reasoning included.</summary>
    public int MaxTokens { get; init; } = 512;

    public ulong Seed { get; init; }
}

/// <summary>A finished reply.</summary>
/// <param name="StopReason"><c>end</c>, <c>length</c> when the limit cut it off, or <c>stopped</c> when the person did.</param>
/// <param name="Forgotten">Messages at the beginning of the conversation that no longer fitted.</param>
internal sealed record ChatReply(string Reasoning, string Answer, string StopReason, int Tokens, int Forgotten)
{
    /// <summary>From the question to the first token, the prompt's reading included.</summary>
    public TimeSpan ToFirstToken { get; init; }

    /// <summary>From the first token to the last.</summary>
    public TimeSpan Writing { get; init; }
}

/// <summary>What was said, and what was thought before it.</summary>
/// <param name="IsCut">It ended before the model had said all.</param>
internal sealed record SpokenMessage(ChatMessage Message, string Reasoning = "", bool IsCut = false);

/// <summary>
/// A conversation with a model, answered token by token. The cache keeps what the turns have in common, so a turn reads only what is new.
/// Not thread-safe; dispose it before the model.
/// </summary>
internal sealed class Conversation : IDisposable
{
    // A cache for a long model's whole context would take gigabytes before the first word.
    private const int LongestContext = 8192;

    private readonly ChatEncoder encoder;
    private readonly ConversationOptions options;
    private readonly IDecodeSession session;
    private readonly Sampler sampler;
    private readonly float[] logits; // [vocab]
    private readonly TimeProvider clock;
    private readonly List<SpokenMessage> messages = []; // all of them, without the system's
    private int first; // of those that the model still reads
    private readonly List<int> read = []; // what the cache holds
    private RandomStream random;

    public Conversation(OpenedModel served, ConversationOptions options, TimeProvider clock)
    {
        this.clock = clock;
        encoder = served.Encoder;
        this.options = options;
        session = served.Model.Open(1, Math.Min(served.Model.MaxLength, LongestContext));
        sampler = new Sampler(served.Model.VocabularySize);
        logits = new float[served.Model.VocabularySize];
        random = new RandomStream(options.Seed);
        System = options.System;
    }

    /// <summary>What the system says before all else; null for nothing. A change counts from the next question on.</summary>
    public string? System { get; set; }

    /// <summary>Everything that was said since the beginning, or since all was forgotten.</summary>
    public IReadOnlyList<SpokenMessage> Messages => messages;

    /// <param name="given">Sees the reply as it comes.</param>
    /// <param name="stop">Ends the reply between two tokens; what there is of it stands.</param>
    /// <exception cref="InvalidDataException">The message alone is longer than the model can read; it was not said.</exception>
    /// <exception cref="TemplateException">The model's chat template refuses the conversation; the message was not said.</exception>
    /// <exception cref="OperationCanceledException">Between two tokens.</exception>
    public ChatReply Ask(string text, Action<ReplyPiece> given, CancellationToken cancellation, CancellationToken stop = default)
    {
        long start = clock.GetTimestamp();
        var (prompt, forgotten) = Say(text);
        var reply = new ReplyText(encoder.Tokenizer, prompt, given);
        Read(prompt);
        TimeSpan toFirst = clock.GetElapsedTime(start);
        int count = 0, limit = Math.Min(options.MaxTokens, session.MaxLength - prompt.Length);
        bool ended = false;
        while (!ended && count < limit && !stop.IsCancellationRequested)
        {
            cancellation.ThrowIfCancellationRequested();
            int token = sampler.Choose(logits, options.Sampling, [], ref random).Token;
            count++;
            ended = encoder.EndTokens.Contains(token);
            if (ended) break;
            reply.Push(token);
            if (count < limit) Step(token);
        }

        reply.End();
        messages.Add(new SpokenMessage(ChatMessage.Assistant(reply.Answer.Trim()), reply.Reasoning, IsCut: !ended));
        string reason = ended ? "end" : count < limit ? "stopped" : "length";
        return new ChatReply(reply.Reasoning, reply.Answer.Trim(), reason, count, forgotten)
        {
            ToFirstToken = toFirst, Writing = clock.GetElapsedTime(start) - toFirst,
        };
    }

    /// <summary>Begins anew; the system message stays.</summary>
    public void Forget()
    {
        messages.Clear();
        first = 0;
    }

    public void Dispose() => session.Dispose();

    /// <summary>Adds the question; a question that cannot be asked leaves the conversation as it was.</summary>
    private (int[] Prompt, int Forgotten) Say(string text)
    {
        int before = first;
        messages.Add(new SpokenMessage(ChatMessage.User(text)));
        try
        {
            return (Fit(), first - before);
        }
        catch
        {
            messages.RemoveAt(messages.Count - 1);
            first = before;
            throw;
        }
    }

    /// <summary>The prompt, the oldest turns left out until at least a word of an answer fits.</summary>
    private int[] Fit()
    {
        while (true)
        {
            var read = messages.Skip(first).Select(spoken => spoken.Message);
            int[] prompt = encoder.EncodePrompt([.. System is { } system ? read.Prepend(ChatMessage.System(system)) : read]);
            if (prompt.Length < session.MaxLength) return prompt;
            // A turn is a question and its answer; the last message is the question being asked.
            if (messages.Count - first < 3)
                throw new InvalidDataException(
                    $"The message takes {prompt.Length:N0} tokens; the model reads {session.MaxLength:N0} with the answer.");
            first += 2;
        }
    }

    private void Read(int[] prompt)
    {
        // At least one token is read anew: its logits begin the reply.
        int common = 0, most = Math.Min(read.Count, prompt.Length - 1);
        while (common < most && read[common] == prompt[common]) common++;
        session.Truncate(0, common);
        session.Prefill(0, prompt.AsSpan(common), logits);
        read.RemoveRange(common, read.Count - common);
        read.AddRange(prompt.AsSpan(common));
    }

    private void Step(int token)
    {
        session.Step([token], logits);
        read.Add(token);
    }
}
