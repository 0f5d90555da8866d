using System.Text.Json;
using Distill.Tokenization.PostProcessing;

namespace Distill.Tokenization.Files;

/// <summary>Reads the <c>post_processor</c> of a tokenizer.json, as far as it concerns ids of single texts.</summary>
internal static class PostProcessorReader
{
    private const int MostParts = 256;

    public static PostProcessor Read(JsonElement? element) => element is { } present ? Read(present) : PostProcessor.None;

    private static PostProcessor Read(JsonElement element) => element.Required("type").Text("type") switch
    {
        // Moves offsets only.
        "ByteLevel" => PostProcessor.None,
        "TemplateProcessing" => Template(element),
        "BertProcessing" or "RobertaProcessing" => new PostProcessor([Pair(element, "cls"), null, Pair(element, "sep")]),
        "Sequence" =>
            element.Required("processors").Items("processors")
                .Aggregate(PostProcessor.None, (inner, step) => Bounded(inner.Then(Read(step)))),
        var type => throw new InvalidDataException($"post-processor '{type}' is not supported"),
    };

    private static PostProcessor Template(JsonElement element)
    {
        var ids = element.Required("special_tokens").Members("special_tokens")
            .ToDictionary(p => p.Name, p => p.Value.Required("ids").Items("ids").Select(id => id.Integer("ids")).ToList());
        return Bounded(new PostProcessor([.. element.Required("single").Items("single").SelectMany(part => Part(part, ids))]));
    }

    private static IEnumerable<int?> Part(JsonElement part, Dictionary<string, List<int>> ids)
    {
        if (part.Optional("SpecialToken") is not { } special)
            return part.Required("Sequence").Required("id").Text("id") == "A"
                ? [null]
                : throw new InvalidDataException("a template for single texts may use sequence 'A' only");
        string name = special.Required("id").Text("id");
        return ids.TryGetValue(name, out var tokens)
            ? tokens.Select(id => (int?)id)
            : throw new InvalidDataException($"the template uses '{name}', which 'special_tokens' lacks");
    }

    private static int Pair(JsonElement element, string name) => element.Required(name).Items(name).ToList() is [_, var id]
        ? id.Integer(name)
        : throw new InvalidDataException($"'{name}' must be a token and its id");

    private static PostProcessor Bounded(PostProcessor processor) => processor.Parts.Count <= MostParts
        ? processor
        : throw new InvalidDataException($"the post-processor adds more than {MostParts} tokens");
}
