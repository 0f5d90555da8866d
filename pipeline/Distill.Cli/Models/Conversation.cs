using Distill.Cli.Output;
using Distill.Generation;
using Distill.Teacher;
using Distill.Tokenization;

namespace Distill.Cli.Models;

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
/// <param name="StopReason"><c>end</c>, or <c>length</c> when the limit cut it off.</param>
/// <param name="Forgotten">Messages at the beginning of the conversation that no longer fitted.</param>
internal sealed record ChatReply(string Reasoning, string Answer, string StopReason, int Tokens, int Forgotten);

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
    private readonly List<ChatMessage> messages = [];
    private readonly List<int> read = []; // what the cache holds
    private RandomStream random;

    public Conversation(OpenedModel served, ConversationOptions options)
    {
        encoder = served.Encoder;
        this.options = options;
        session = served.Model.Open(1, Math.Min(served.Model.MaxLength, LongestContext));
        sampler = new Sampler(served.Model.VocabularySize);
        logits = new float[served.Model.VocabularySize];
        random = new RandomStream(options.Seed);
        if (options.System is { } system) messages.Add(ChatMessage.System(system));
    }

    /// <param name="given">Sees the reply as it comes.</param>
    /// <exception cref="InvalidDataException">The message alone is longer than the model can read.</exception>
    /// <exception cref="OperationCanceledException">Between two tokens.</exception>
    public ChatReply Ask(string text, Action<ReplyPiece> given, CancellationToken cancellation)
    {
        messages.Add(ChatMessage.User(text));
        var (prompt, forgotten) = Fit();
        var reply = new ReplyText(encoder.Tokenizer, prompt, given);
        Read(prompt);
        int count = 0, limit = Math.Min(options.MaxTokens, session.MaxLength - prompt.Length);
        bool ended = false;
        while (!ended && count < limit)
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
        messages.Add(ChatMessage.Assistant(reply.Answer.Trim()));
        return new ChatReply(reply.Reasoning, reply.Answer.Trim(), ended ? "end" : "length", count, forgotten);
    }

    /// <summary>Begins anew; the system message stays.</summary>
    public void Forget() => messages.RemoveAll(message => message.Role != "system");

    public void Dispose() => session.Dispose();

    /// <summary>The prompt, the oldest turns left out until at least a word of an answer fits.</summary>
    private (int[] Prompt, int Forgotten) Fit()
    {
        int first = options.System is null ? 0 : 1, forgotten = 0;
        while (true)
        {
            int[] prompt = encoder.EncodePrompt(messages);
            if (prompt.Length < session.MaxLength) return (prompt, forgotten);
            // A turn is a question and its answer; the last message is the question being asked.
            if (messages.Count - first < 3)
                throw new InvalidDataException(
                    $"The message takes {prompt.Length:N0} tokens; the model reads {session.MaxLength:N0} with the answer.");
            messages.RemoveRange(first, 2);
            forgotten += 2;
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

/// <summary>Prints a reply as it comes: the reasoning between its marks, dim on a terminal, then the answer. One per reply.</summary>
internal sealed class ReplyPrinter(ConsoleStreams streams)
{
    private const string Dim = "\u001b[2m", Normal = "\u001b[0m";
    private readonly bool colours = streams is { OutIsTerminal: true, IsColoured: true };
    private bool reasoning, anything;

    public void Print(ReplyPiece piece)
    {
        string text = TerminalText.Safe(piece.Text);
        if (piece.IsReasoning != reasoning) Switch(piece.IsReasoning);
        // Templates put line ends around the marks; ours are enough.
        if (!anything) text = text.TrimStart();
        if (text.Length == 0) return;
        anything = true;
        streams.Out.Write(text);
        streams.Out.Flush();
    }

    /// <summary>Also after an interruption: the terminal is left in its normal colour.</summary>
    public void End()
    {
        if (reasoning) Switch(false);
        streams.Out.WriteLine();
        streams.Out.Flush();
    }

    private void Switch(bool toReasoning)
    {
        if (toReasoning) streams.Out.Write((colours ? Dim : "") + ThinkMarks.Open);
        else streams.Out.WriteLine(ThinkMarks.Close + (colours ? Normal : ""));
        (reasoning, anything) = (toReasoning, toReasoning);
    }
}
