using Distill.Templates;
using Distill.Tokenization;

namespace Distill.Export.Package;

/// <summary>A question as a model reads it: the tokens' own text, so that nothing is shown which it does not get.</summary>
internal sealed record CardPrompt(string Text, IReadOnlyList<int> Ids)
{
    private const string Question = "What is 3 + 4?";

    /// <param name="folder">With a tokenizer, and a chat template where the model has one.</param>
    /// <returns>Null where nothing was said of how the model is spoken to and its own files cannot be followed here.</returns>
    /// <exception cref="InvalidDataException">The folder has no template for the style that is described.</exception>
    /// <exception cref="TemplateException">Its template refuses the question in that style.</exception>
    public static CardPrompt? Of(string folder, PromptStyle style)
    {
        try
        {
            var encoder = ChatEncoder.Load(folder).With(style);
            int[] ids = encoder.HasTemplate || !style.IsPlain
                ? encoder.EncodePrompt([ChatMessage.User(Question)]) : encoder.Tokenizer.Encode(Question);
            return new(encoder.Tokenizer.Decode(ids), ids);
        }
        catch (Exception fault) when (style.IsPlain && fault is InvalidDataException or TemplateException)
        {
            return null; // the card says so
        }
    }
}
