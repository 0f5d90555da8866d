using Distill.Tokenization.Templates;

namespace Distill.Tokenization;

/// <summary>
/// Chats to token ids. What a template writes may be control tokens; what messages, reasoning or answers say never is: their text is
/// encoded with added tokens off. Immutable and thread-safe.
/// </summary>
public sealed class ChatEncoder
{
    private readonly int _end;

    /// <exception cref="InvalidDataException">The tokenizer names no end token.</exception>
    public ChatEncoder(Tokenizer tokenizer, ChatTemplate template)
    {
        Tokenizer = tokenizer;
        Template = template;
        _end = tokenizer.EndToken ?? throw new InvalidDataException("the tokenizer names no end token; tokenizer_config.json must give 'eos_token'");
    }

    public Tokenizer Tokenizer { get; }

    public ChatTemplate Template { get; }

    /// <summary>Id of the token that ends a reply.</summary>
    public int EndToken => _end;

    /// <summary>Reads the tokenizer and the template of a model folder.</summary>
    /// <exception cref="InvalidDataException">Either is absent or cannot be used.</exception>
    public static ChatEncoder Load(string folder) => new(Tokenizer.Load(folder), ChatTemplate.Load(folder));

    /// <summary>The chat followed by what makes the assistant speak.</summary>
    public int[] EncodePrompt(IReadOnlyList<ChatMessage> messages)
    {
        var ids = new List<int>();
        foreach (var piece in TemplatePiece.Join(Template.RenderPieces(messages, addGenerationPrompt: true)))
            ids.AddRange(Tokenizer.Encode(piece.Text, allowSpecial: !piece.FromMessages));
        return [.. ids];
    }

    /// <summary>Prompt, <paramref name="reply"/> as plain text, end token.</summary>
    public ChatExample EncodeExample(IReadOnlyList<ChatMessage> messages, string reply) =>
        Example(messages, [.. Tokenizer.Encode(reply), _end]);

    /// <summary>Prompt, <c>&lt;think&gt;</c>, reasoning, <c>&lt;/think&gt;</c>, answer, end token; the marks are tokens, the texts are plain.</summary>
    /// <exception cref="InvalidOperationException">The tokenizer has no such marks.</exception>
    public ChatExample EncodeExample(IReadOnlyList<ChatMessage> messages, string reasoning, string answer) =>
        Example(messages, [Mark(ThinkMarks.Open), .. Tokenizer.Encode(reasoning), Mark(ThinkMarks.Close), .. Tokenizer.Encode(answer), _end]);

    private ChatExample Example(IReadOnlyList<ChatMessage> messages, int[] reply)
    {
        int[] prompt = EncodePrompt(messages);
        return new ChatExample([.. prompt, .. reply], prompt.Length);
    }

    private int Mark(string mark) => Tokenizer.IdOf(mark) is { } id && Tokenizer.IsAdded(id)
        ? id
        : throw new InvalidOperationException($"the tokenizer has no added token '{mark}', so reasoning cannot be marked");
}
