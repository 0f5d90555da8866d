using System.Text.Json;
using Distill.Tokenization.Decoding;
using Distill.Tokenization.Normalization;

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
        "Metaspace" => PieceStage.Metaspace(MetaspaceReader.Mark(step), MetaspaceReader.Scheme(step) != PreTokenizers.PrependScheme.Never),
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
