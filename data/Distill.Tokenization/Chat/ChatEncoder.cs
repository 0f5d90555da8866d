using System.Text.Json;
using Distill.Tokenization.Templates;

namespace Distill.Tokenization;

/// <summary>
/// Chats to token ids. What a template writes may be control tokens; what messages, reasoning or answers say never is: their text is
/// encoded with added tokens off. Immutable and thread-safe.
/// </summary>
public sealed class ChatEncoder
{
    private readonly int _end;
    private readonly Dictionary<string, JsonElement> _variables;

    /// <param name="style">How every chat is put to the model; null: as it is.</param>
    /// <exception cref="InvalidDataException">The tokenizer names no end token.</exception>
    public ChatEncoder(Tokenizer tokenizer, ChatTemplate template, PromptStyle? style = null)
    {
        Style = style ?? PromptStyle.Plain;
        Tokenizer = tokenizer;
        Template = template;
        _end = tokenizer.EndToken
            ?? throw new InvalidDataException("the tokenizer names no end token; tokenizer_config.json must give 'eos_token'");
        // Templates name the tokens that begin and end a text by variables.
        _variables = new[] { ("bos_token", tokenizer.BeginToken), ("eos_token", tokenizer.EndToken), ("pad_token", tokenizer.PadToken) }
            .Where(t => t.Item2 is not null)
            .ToDictionary(t => t.Item1, t => JsonSerializer.SerializeToElement(tokenizer.PieceOf(t.Item2!.Value)));
        foreach (var (name, value) in Style.TemplateOptions) _variables[name] = value;
    }

    public Tokenizer Tokenizer { get; }

    public ChatTemplate Template { get; }

    public PromptStyle Style { get; }

    /// <summary>Id of the token that ends a reply.</summary>
    public int EndToken => _end;

    /// <summary>Reads the tokenizer and the template of a model folder.</summary>
    /// <exception cref="InvalidDataException">Either is absent or cannot be used.</exception>
    public static ChatEncoder Load(string folder) => new(Tokenizer.Load(folder), ChatTemplate.Load(folder));

    /// <summary>The same model spoken to in another style.</summary>
    public ChatEncoder With(PromptStyle style) => new(Tokenizer, Template, style);

    /// <summary>The chat, in the encoder's style, followed by what makes the assistant speak.</summary>
    /// <exception cref="TemplateException">The template failed, refused the chat, or went beyond its bounds.</exception>
    public int[] EncodePrompt(IReadOnlyList<ChatMessage> messages)
    {
        var text = Template.RenderMarked(Style.Apply(messages), addGenerationPrompt: true, _variables);
        return Tokenizer.Encode(text.Value, text.Foreign);
    }

    /// <summary>A chat given as JSON, with whatever variables the template knows; see <see cref="ChatTemplate"/>.</summary>
    /// <exception cref="TemplateException">The template failed, refused the chat, or went beyond its bounds.</exception>
    public int[] Encode(IReadOnlyDictionary<string, JsonElement> variables)
    {
        var text = RenderMarked(variables);
        return Tokenizer.Encode(text.Value, text.Foreign);
    }

    /// <summary>The text whose tokens <see cref="Encode"/> gives.</summary>
    /// <exception cref="TemplateException">The template failed, refused the chat, or went beyond its bounds.</exception>
    public string Render(IReadOnlyDictionary<string, JsonElement> variables) => RenderMarked(variables).Value;

    /// <summary>Prompt, <paramref name="reply"/> as plain text, end token.</summary>
    public ChatExample EncodeExample(IReadOnlyList<ChatMessage> messages, string reply) =>
        Example(messages, [.. Tokenizer.Encode(reply), _end]);

    /// <summary>
    /// Prompt, <c>&lt;think&gt;</c>, reasoning, <c>&lt;/think&gt;</c>, answer, end token; the marks are tokens, the texts are plain.
    /// </summary>
    /// <exception cref="InvalidOperationException">The tokenizer has no such marks.</exception>
    public ChatExample EncodeExample(IReadOnlyList<ChatMessage> messages, string reasoning, string answer) =>
        Example(
            messages,
            [Mark(ThinkMarks.Open), .. Tokenizer.Encode(reasoning), Mark(ThinkMarks.Close), .. Tokenizer.Encode(answer), _end]);

    private RenderedText RenderMarked(IReadOnlyDictionary<string, JsonElement> variables)
    {
        var all = new Dictionary<string, JsonElement>(_variables);
        foreach (var (name, value) in variables) all[name] = value;
        return Template.RenderMarked(all);
    }

    private ChatExample Example(IReadOnlyList<ChatMessage> messages, int[] reply)
    {
        int[] prompt = EncodePrompt(messages);
        return new ChatExample([.. prompt, .. reply], prompt.Length);
    }

    private int Mark(string mark) => Tokenizer.IdOf(mark) is { } id && Tokenizer.IsAdded(id)
        ? id
        : throw new InvalidOperationException($"the tokenizer has no added token '{mark}', so reasoning cannot be marked");
}
