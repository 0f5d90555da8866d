using System.Text;
using Distill.Data.Publishing.Licences;

namespace Distill.Export.Package;

/// <summary>What model hubs read of a card: licence, base, library, results.</summary>
internal static class CardHeader
{
    /// <param name="library">The Hub's word for what loads the folder.</param>
    /// <param name="isRounded">The weights have fewer bits than the base's.</param>
    public static string Write(PackageDescription description, string library, bool isRounded)
    {
        var header = new StringBuilder();
        string licence = description.License, word = LicenceTable.Find(licence) is null ? licence : LicenceTable.HubWord(licence);
        header.Append($"---\nlicense: {ModelCard.Plain(word)}\n");
        if (word == "other" && licence != word) header.Append($"license_name: {ModelCard.Plain(licence)}\n");
        header.Append(LicenceMarkdown.Refusal(description.Conflicts));
        if (description.BaseModel is { } model && IsOnHub(model))
            header.Append($"base_model: {model}\n{Relation(description, isRounded)}");
        header.Append($"library_name: {library}\npipeline_tag: text-generation\ntags:\n");
        if (library == "onnxruntime") header.Append("- onnx\n");
        if (description.Teacher is not null) header.Append("- distillation\n- reasoning\n");
        else if (library != "onnxruntime") header.Append($"- {library}\n");
        header.Append(PublishedResult.ModelIndex(description.Name, description.Published));
        return header.Append("---\n\n").ToString();
    }

    // Rounded alone is quantized; what was trained, by an adapter or whole, is another model.
    private static string Relation(PackageDescription description, bool isRounded) =>
        description.Adapter is not null || description.Teacher is not null ? "base_model_relation: finetune\n"
        : isRounded ? "base_model_relation: quantized\n" : "";

    // owner/name; a folder of some machine means nothing to the Hub.
    private static bool IsOnHub(string model) => model.Split('/') is [{ Length: > 0 } owner, { Length: > 0 } name]
        && (owner + name).All(c => char.IsAsciiLetterOrDigit(c) || c is '.' or '_' or '-') && owner[0] != '.';
}
