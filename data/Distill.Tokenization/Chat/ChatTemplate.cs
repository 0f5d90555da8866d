using System.Security.Cryptography;
using System.Text;
using Distill.Tokenization.Files;
using Distill.Tokenization.Templates;

namespace Distill.Tokenization;

/// <summary>
/// A chat template: Jinja text from a model folder, interpreted within bounds, without access to anything but its variables.
/// Immutable and thread-safe.
/// </summary>
public sealed class ChatTemplate
{
    private const string FileName = "chat_template.jinja";
    private readonly Template _template;

    /// <exception cref="InvalidDataException">The text is not a template that can be interpreted.</exception>
    public ChatTemplate(string source)
    {
        Source = source;
        _template = Template.Parse(source);
        Digest = Convert.ToHexStringLower(SHA256.HashData(Encoding.UTF8.GetBytes(source)));
    }

    /// <summary>The Jinja text.</summary>
    public string Source { get; }

    /// <summary>SHA-256 (hex) of <see cref="Source"/>.</summary>
    public string Digest { get; }

    /// <summary>Reads chat_template.jinja, else the <c>chat_template</c> of tokenizer_config.json.</summary>
    /// <exception cref="InvalidDataException">The folder has neither, or the template cannot be interpreted.</exception>
    public static ChatTemplate Load(string folder)
    {
        if (File.Exists(Path.Combine(folder, FileName)))
            return BoundedFile.Read(folder, FileName, bytes => new ChatTemplate(Encoding.UTF8.GetString(bytes.Span)));
        return TokenizerConfig.Load(folder).ChatTemplate is { } source
            ? new ChatTemplate(source)
            : throw new InvalidDataException($"{folder}: no {FileName}, and no chat_template in tokenizer_config.json");
    }

    /// <summary>The text of a chat.</summary>
    /// <param name="addGenerationPrompt">End with what makes the assistant speak.</param>
    /// <exception cref="InvalidDataException">The template refused the chat or went beyond its bounds.</exception>
    public string Render(IReadOnlyList<ChatMessage> messages, bool addGenerationPrompt) =>
        string.Concat(RenderPieces(messages, addGenerationPrompt).Select(p => p.Text));

    /// <summary>The same in pieces, so that what came from messages can be told from what the template wrote.</summary>
    internal IReadOnlyList<TemplatePiece> RenderPieces(IReadOnlyList<ChatMessage> messages, bool addGenerationPrompt) =>
        _template.Render(messages, addGenerationPrompt);
}
