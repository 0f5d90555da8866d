using System.Text.Json;
using Distill.Templates;
using Distill.Tokenization.Files;

namespace Distill.Tokenization;

/// <summary>
/// Chats to token ids. What a template writes may be control tokens; what messages, reasoning or answers say never is: their text is
/// encoded with added tokens off. Plain text needs neither a template nor an end token; what needs one says so when it is called.
/// Immutable and thread-safe.
/// </summary>
public sealed class ChatEncoder
{
    private readonly ChatTemplate? _template;
    private readonly Source _source;
    private readonly IReadOnlyList<int> _namedEnds;
    private readonly Dictionary<string, JsonElement> _variables;

    /// <param name="template">Null where the model has none: then only what needs none can be called.</param>
    /// <param name="style">How every chat is put to the model; null: as it is.</param>
    /// <param name="endTokens">Ids that end a reply, as the model's configuration names them, beside the tokenizer's own.</param>
    public ChatEncoder(Tokenizer tokenizer, ChatTemplate? template, PromptStyle? style = null, IReadOnlyList<int>? endTokens = null)
        : this(tokenizer, template, style, endTokens ?? [], new Source(null, null))
    {
    }

    private ChatEncoder(Tokenizer tokenizer, ChatTemplate? template, PromptStyle? style, IReadOnlyList<int> namedEnds, Source source)
    {
        Style = style ?? PromptStyle.Plain;
        Tokenizer = tokenizer;
        _template = template;
        _source = source;
        _namedEnds = namedEnds;
        EndTokens = [.. (tokenizer.EndToken is { } own ? (int[])[own] : []).Concat(namedEnds).Distinct()];
        // Templates name the tokens that begin and end a text by variables.
        _variables = new[] { ("bos_token", tokenizer.BeginToken), ("eos_token", tokenizer.EndToken), ("pad_token", tokenizer.PadToken) }
            .Where(t => t.Item2 is not null)
            .ToDictionary(t => t.Item1, t => JsonSerializer.SerializeToElement(tokenizer.PieceOf(t.Item2!.Value)));
        foreach (var (name, value) in Style.TemplateOptions) _variables[name] = value;
    }

    public Tokenizer Tokenizer { get; }

    public PromptStyle Style { get; }

    /// <summary>Whether chats can be encoded; plain text always can.</summary>
    public bool HasTemplate => _template is not null;

    /// <exception cref="InvalidDataException">
    /// The model has none, or one that cannot be interpreted: names the files that could hold it.
    /// </exception>
    public ChatTemplate Template => _template ?? throw new InvalidDataException(
        _source.Place + (_source.TemplateFault?.Message ?? "there is no chat template (of several, none named 'default')")
        + "; add chat_template.jinja, or 'chat_template' to tokenizer_config.json", _source.TemplateFault);

    /// <summary>
    /// Every id that ends a reply, <see cref="EndToken"/> first: the tokenizer's own <c>eos_token</c>, then those that
    /// generation_config.json names, or where it names none config.json. Empty where nothing names one.
    /// </summary>
    public IReadOnlyList<int> EndTokens { get; }

    /// <summary>Id of the token that training puts behind a reply.</summary>
    /// <exception cref="InvalidDataException">The model names none: names the files that could.</exception>
    public int EndToken => EndTokens.Count > 0 ? EndTokens[0] : throw new InvalidDataException(
        _source.Place + "no file names a token that ends a reply; "
        + "add 'eos_token' to tokenizer_config.json, or 'eos_token_id' to generation_config.json");

    /// <summary>
    /// Reads the tokenizer of a model folder, and where there are such its template and end tokens. A template that cannot be interpreted
    /// is a fault only where a template is needed.
    /// </summary>
    /// <exception cref="InvalidDataException">There is no tokenizer, or a file cannot be read.</exception>
    public static ChatEncoder Load(string folder)
    {
        ChatTemplate? template = null;
        InvalidDataException? fault = null;
        try
        {
            template = ChatTemplate.LoadOrNull(folder);
        }
        catch (InvalidDataException e) when (e.InnerException is TemplateException)
        {
            fault = e;
        }
        return new ChatEncoder(Tokenizer.Load(folder), template, style: null, EndTokenFiles.Read(folder), new Source(folder, fault));
    }

    /// <summary>This encoder, if it has a template and an end token: for those who want to know before they begin.</summary>
    /// <exception cref="InvalidDataException">One is missing: names the files that could hold it.</exception>
    public ChatEncoder RequireChat()
    {
        (_, _) = (Template, EndToken);
        return this;
    }

    /// <summary>The same model spoken to in another style.</summary>
    public ChatEncoder With(PromptStyle style) => new(Tokenizer, _template, style, _namedEnds, _source);

    /// <summary>The chat, in the encoder's style, followed by what makes the assistant speak.</summary>
    /// <exception cref="TemplateException">The template failed, refused the chat, or went beyond its bounds.</exception>
    public int[] EncodePrompt(IReadOnlyList<ChatMessage> messages) => EncodePrompt(messages, new Dictionary<string, JsonElement>());

    /// <summary>The same with variables of the template, such as <c>tools</c>, whose texts are as little trusted as the messages.</summary>
    /// <param name="variables">Go before the style's. Not <c>messages</c>, nor <c>add_generation_prompt</c>.</param>
    /// <inheritdoc cref="EncodePrompt(IReadOnlyList{ChatMessage})"/>
    public int[] EncodePrompt(IReadOnlyList<ChatMessage> messages, IReadOnlyDictionary<string, JsonElement> variables)
    {
        var text = Template.RenderMarked(Style.Apply(messages), addGenerationPrompt: true, With(variables));
        return Tokenizer.Encode(text.Value, text.Foreign);
    }

    /// <summary>The text whose tokens <see cref="EncodePrompt(IReadOnlyList{ChatMessage})"/> gives.</summary>
    /// <exception cref="TemplateException">The template failed, refused the chat, or went beyond its bounds.</exception>
    internal string RenderPrompt(IReadOnlyList<ChatMessage> messages) => RenderPrompt(messages, new Dictionary<string, JsonElement>());

    /// <inheritdoc cref="RenderPrompt(IReadOnlyList{ChatMessage})"/>
    internal string RenderPrompt(IReadOnlyList<ChatMessage> messages, IReadOnlyDictionary<string, JsonElement> variables) =>
        Template.RenderMarked(Style.Apply(messages), addGenerationPrompt: true, With(variables)).Value;

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

    /// <summary>Whether reasoning can be told from the answer by tokens of its own.</summary>
    public bool MarksThinking => HasMark(ThinkMarks.Open) && HasMark(ThinkMarks.Close);

    /// <summary>Prompt, <paramref name="reply"/> as plain text, end token.</summary>
    public ChatExample EncodeExample(IReadOnlyList<ChatMessage> messages, string reply) =>
        Example(messages, [.. Tokenizer.Encode(reply), EndToken]);

    /// <summary>
    /// Prompt, <c>&lt;think&gt;</c>, reasoning, <c>&lt;/think&gt;</c>, answer, end token; the marks are tokens, the texts are plain.
    /// </summary>
    /// <exception cref="InvalidOperationException">The tokenizer has no such marks.</exception>
    /// <exception cref="InvalidDataException">There is no template or end token.</exception>
    public ChatExample EncodeExample(IReadOnlyList<ChatMessage> messages, string reasoning, string answer) =>
        Example(
            messages,
            [Mark(ThinkMarks.Open), .. Tokenizer.Encode(reasoning), Mark(ThinkMarks.Close), .. Tokenizer.Encode(answer), EndToken]);

    private RenderedText RenderMarked(IReadOnlyDictionary<string, JsonElement> variables) => Template.RenderMarked(With(variables));

    private Dictionary<string, JsonElement> With(IReadOnlyDictionary<string, JsonElement> variables)
    {
        var all = new Dictionary<string, JsonElement>(_variables);
        foreach (var (name, value) in variables) all[name] = value;
        return all;
    }

    private ChatExample Example(IReadOnlyList<ChatMessage> messages, int[] reply)
    {
        int[] prompt = EncodePrompt(messages);
        return new ChatExample([.. prompt, .. reply], prompt.Length);
    }

    private bool HasMark(string mark) => Tokenizer.IdOf(mark) is { } id && Tokenizer.IsAdded(id);

    private int Mark(string mark) => HasMark(mark)
        ? Tokenizer.IdOf(mark)!.Value
        : throw new InvalidOperationException($"the tokenizer has no added token '{mark}', so reasoning cannot be marked");

    /// <summary>Where the parts came from, for messages.</summary>
    private sealed record Source(string? Folder, InvalidDataException? TemplateFault)
    {
        public string Place => Folder is null ? "" : $"{Folder}: ";
    }
}

/// <summary>A chat with the wanted reply, for training: the first <paramref name="PromptLength"/> tokens carry no loss.</summary>
/// <param name="Tokens">Prompt, reply and end token.</param>
public sealed record ChatExample(int[] Tokens, int PromptLength);
