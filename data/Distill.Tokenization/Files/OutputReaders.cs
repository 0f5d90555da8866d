using System.Text.Json;
using Distill.Tokenization.Decoding;
using Distill.Tokenization.Splitting;

namespace Distill.Tokenization.Files;

/// <summary>Reads the <c>decoder</c> of a tokenizer.json.</summary>
internal static class DecoderReader
{
    private const int MostStripped = 1024;

    public static IDecoder Read(JsonElement? element)
    {
        if (element is not { } present) return new SpacedDecoder();
        var steps = Flatten(present).ToList();
        if (steps.Count > TokenizerLimits.Steps)
            throw new InvalidDataException($"{steps.Count} decoders; at most {TokenizerLimits.Steps} are allowed");
        if (steps is [var only] && TypeOf(only) == "ByteLevel") return new ByteLevelDecoder();
        int fuse = steps.FindIndex(s => TypeOf(s) == "Fuse");
        if (fuse >= 0 && steps.Skip(fuse + 1).Any(s => TypeOf(s) is not ("Strip" or "Fuse")))
            throw new InvalidDataException("a decoder other than Strip after Fuse is not supported");
        return new StagedDecoder([.. steps.Select(Stage)]);
    }

    private static IEnumerable<JsonElement> Flatten(JsonElement element) => TypeOf(element) == "Sequence"
        ? element.Required("decoders").Items("decoders").SelectMany(Flatten)
        : [element];

    private static IPieceStage Stage(JsonElement step) => TypeOf(step) switch
    {
        "Replace" =>
            PieceStage.Replace(new ReplaceNormalizer(PatternReader.Read(step.Required("pattern")),
                step.Required("content").Text("content"))),
        "ByteFallback" => new ByteFallbackStage(),
        "Fuse" => new FuseStage(),
        "Strip" => Strip(step),
        "Metaspace" => PieceStage.Metaspace(MetaspaceReader.Mark(step), MetaspaceReader.Scheme(step) != PrependScheme.Never),
        "ByteLevel" => throw new InvalidDataException("decoder 'ByteLevel' together with others is not supported"),
        var type => throw new InvalidDataException($"decoder '{type}' is not supported"),
    };

    private static StripStage Strip(JsonElement step)
    {
        string content = step.Required("content").Text("content");
        int start = step.Required("start").Integer("start"), stop = step.Required("stop").Integer("stop");
        return content.Length == 1 && start is >= 0 and <= MostStripped && stop is >= 0 and <= MostStripped
            ? new StripStage(content[0], start, stop)
            : throw new InvalidDataException($"decoder 'Strip' needs one character, and start and stop from 0 to {MostStripped}");
    }

    private static string TypeOf(JsonElement element) => element.Required("type").Text("type");
}

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
