using System.Text.Json;
using Distill.Templates;
using Distill.Tokenization;

namespace Distill.Pipeline.Runs;

internal enum PromptPart
{
    Question,
    System,
    Examples,
}

/// <summary>What a prompt says of thinking before the reply begins.</summary>
internal enum PromptThinking
{
    None,

    /// <summary>It ends within the thinking.</summary>
    Open,

    /// <summary>It ends after the thinking.</summary>
    Closed,
}

/// <summary>What a model's tokenizer and template make of a chat in the style it will be spoken to. Everything is found at once.</summary>
internal sealed class PromptProbe
{
    private const string Question = "What is 17 + 25?", Reply = "So it must be Zyx.";

    // What traces are made of. A tokenizer that folds spaces is no trouble; one that loses these is.
    private static readonly string[] Texts = ["12 + 30 = 42", "Hence x is A.", "\\boxed{\\frac{3}{4}}", "{\"a\": [1, 2]} < 3 * 4 ^ 5"];

    private readonly ChatEncoder encoder;

    public PromptProbe(ChatEncoder encoder)
    {
        this.encoder = encoder;
        ChatMessage[] messages = [ChatMessage.User(Question)];
        try
        {
            int[] prompt = encoder.EncodePrompt(messages);
            Missing = MissingIn(Squeezed(encoder.Tokenizer.Decode(prompt)));
            Thinking = ThinkingOf(prompt);
            ForeignEnd = FindForeignEnd();
        }
        catch (TemplateException refusal)
        {
            Fault = refusal.Message;
            Refused = WhoIsRefused(messages);
        }

        Lost = Texts.FirstOrDefault(text => Squeezed(encoder.Tokenizer.Decode(encoder.Tokenizer.Encode(text))) != Squeezed(text));
    }

    /// <summary>Why the template refuses the chat; null when it does not.</summary>
    public string? Fault { get; }

    /// <summary>The part that it refuses.</summary>
    public PromptPart Refused { get; }

    /// <summary>A part that the prompt does not hold; null when it holds all.</summary>
    public PromptPart? Missing { get; }

    public PromptThinking Thinking { get; }

    /// <summary>The token that the template puts behind a reply, if it ends none; null otherwise.</summary>
    public string? ForeignEnd { get; }

    /// <summary>A text that the tokenizer cannot write back, spaces aside; null when there is none.</summary>
    public string? Lost { get; }

    public string EndWords => string.Join(", ", encoder.EndTokens.Select(Piece));

    /// <summary>Whether two models read a chat as the same tokens.</summary>
    public static bool IsSamePrompt(ChatEncoder one, ChatEncoder other)
    {
        ChatMessage[] messages = [ChatMessage.User(Question)];
        try
        {
            return one.EncodePrompt(messages).SequenceEqual(other.EncodePrompt(messages));
        }
        catch (TemplateException)
        {
            return false; // named by the probe of the model that refuses
        }
    }

    private PromptPart? MissingIn(string prompt)
    {
        bool Lacks(string text) => !prompt.Contains(Squeezed(text), StringComparison.Ordinal);
        if (Lacks(Question)) return PromptPart.Question;
        if (encoder.Style.System is { } system && Lacks(system)) return PromptPart.System;
        // Templates take the thinking out of earlier replies; what a reply ends with stays.
        return encoder.Style.Examples.Any(turn => Lacks(turn.Content[^Math.Min(16, turn.Content.Length)..])) ? PromptPart.Examples : null;
    }

    private PromptPart WhoIsRefused(ChatMessage[] messages)
    {
        var style = encoder.Style;
        if (!Refuses(encoder.With(style with { System = null }))) return PromptPart.System;
        return !Refuses(encoder.With(style with { Examples = [] })) ? PromptPart.Examples : PromptPart.Question;

        bool Refuses(ChatEncoder other)
        {
            try
            {
                other.EncodePrompt(messages);
                return false;
            }
            catch (TemplateException)
            {
                return true;
            }
        }
    }

    private PromptThinking ThinkingOf(int[] prompt)
    {
        if (encoder.Tokenizer.IdOf(ThinkMarks.Open) is not { } open || encoder.Tokenizer.IdOf(ThinkMarks.Close) is not { } close)
            return PromptThinking.None;
        int opened = Array.LastIndexOf(prompt, open), closed = Array.LastIndexOf(prompt, close);
        // Only what stands at the very end speaks of this reply.
        int last = Math.Max(opened, closed);
        if (last < 0 || !string.IsNullOrWhiteSpace(encoder.Tokenizer.Decode(prompt.AsSpan(last + 1)))) return PromptThinking.None;
        return opened > closed ? PromptThinking.Open : PromptThinking.Closed;
    }

    private string? FindForeignEnd()
    {
        object[] chat = [new { role = "user", content = Question }, new { role = "assistant", content = Reply }];
        int[] tokens;
        try
        {
            tokens = encoder.Encode(new Dictionary<string, JsonElement>
            {
                ["messages"] = JsonSerializer.SerializeToElement(chat),
                ["add_generation_prompt"] = JsonSerializer.SerializeToElement(false),
            });
        }
        catch (TemplateException)
        {
            return null; // a template that takes no replies says nothing of how they end
        }

        int end = tokens.Length;
        while (end > 0 && !encoder.Tokenizer.IsAdded(tokens[end - 1]) && IsBlank(tokens[end - 1])) end--;
        int begin = end;
        while (begin > 0 && encoder.Tokenizer.IsAdded(tokens[begin - 1])) begin--;
        var closing = tokens[begin..end];
        bool isAfterReply = Squeezed(encoder.Tokenizer.Decode(tokens.AsSpan(0, begin))).EndsWith(Squeezed(Reply), StringComparison.Ordinal);
        return closing.Length == 0 || !isAfterReply || closing.Any(encoder.EndTokens.Contains) ? null : Piece(closing[0]);
    }

    private bool IsBlank(int token) => string.IsNullOrWhiteSpace(encoder.Tokenizer.Decode([token]));

    private string Piece(int token) => encoder.Tokenizer.TryPieceOf(token, out string? piece) ? piece : $"id {token}";

    private static string Squeezed(string text) => string.Concat(text.Where(c => !char.IsWhiteSpace(c)));
}
