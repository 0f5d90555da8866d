using System.Text.Json;
using Distill.Tokenization.Decoding;

namespace Distill.Tokenization.Files;

/// <summary>Reads the <c>decoder</c> of a tokenizer.json.</summary>
internal static class DecoderReader
{
    public static IDecoder Read(JsonElement? element) => element?.Required("type").Text("type") switch
    {
        "ByteLevel" => new ByteLevelDecoder(),
        var type => throw new InvalidDataException($"decoder '{type ?? "none"}' is not supported"),
    };
}
