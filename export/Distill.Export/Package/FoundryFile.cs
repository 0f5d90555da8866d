using Distill.Templates;
using Distill.Tokenization;

namespace Distill.Export.Package;

/// <summary>
/// inference_model.json, by which Foundry Local knows a folder of ONNX Runtime GenAI: the model's name and the prompt around what is asked.
/// Source: learn.microsoft.com/azure/foundry-local, "Compile Hugging Face models to run on Foundry Local".
/// </summary>
internal static class FoundryFile
{
    public const string Name = "inference_model.json";
    private const string Content = "{Content}";

    /// <summary>Null for a model without a chat template that can be followed here: Foundry Local takes chats alone.</summary>
    /// <param name="folder">With tokenizer and template.</param>
    /// <exception cref="InvalidDataException">The folder has no template for the style that is described.</exception>
    /// <exception cref="TemplateException">Its template refuses the question in that style.</exception>
    public static byte[]? Write(string folder, PackageDescription description)
    {
        if (Prompt(folder, description.Prompt) is not { } prompt) return null;
        return JsonText.Object(json =>
        {
            json.WriteString("Name", NameOf(description.Name));
            json.Object("PromptTemplate", () =>
            {
                json.WriteString("assistant", Content);
                json.WriteString("prompt", prompt);
            });
        });
    }

    private static string? Prompt(string folder, PromptStyle style)
    {
        try
        {
            var encoder = ChatEncoder.Load(folder).With(style);
            if (!encoder.HasTemplate && style.IsPlain) return null;
            string text = encoder.RenderPrompt([ChatMessage.User(Content)]);
            return text.Contains(Content, StringComparison.Ordinal) ? text : null;
        }
        catch (Exception fault) when (style.IsPlain && fault is InvalidDataException or TemplateException)
        {
            return null;
        }
    }

    // It is a word of a command line there.
    private static string NameOf(string title)
    {
        string plain = string.Concat(title.Select(c => char.IsAsciiLetterOrDigit(c) || c is '.' or '_' or '-' ? c : '-')).Trim('-');
        return plain.Length > 0 ? plain : "model";
    }
}
