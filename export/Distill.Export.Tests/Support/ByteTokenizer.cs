using System.Text;
using System.Text.Json;
using Distill.Architecture;
using Distill.Tokenization.Splitting;

namespace Distill.Export.Tests.Support;

/// <summary>A byte-level tokenizer without merges: 256 tokens, one for each byte, cut by GPT-2's pattern.</summary>
internal static class ByteTokenizer
{
    public static TokenizerFiles Files { get; } = With("""
        "pre_tokenizer": { "type": "ByteLevel", "add_prefix_space": false, "use_regex": true }
        """);

    /// <param name="parts">Members of tokenizer.json beside its model.</param>
    /// <param name="model">Members of its model beside vocabulary and merges.</param>
    public static TokenizerFiles With(string parts, string model = "\"merges\": []")
    {
        var bytes = Enumerable.Range(0, 256).ToDictionary(value => ByteAlphabet.CharacterOf((byte)value).ToString(), value => value);
        string vocabulary = JsonSerializer.Serialize(bytes);
        string json = $$"""{ "version": "1.0", {{parts}}, "model": { "type": "BPE", "vocab": {{vocabulary}}, {{model}} } }""";
        return new(Encoding.UTF8.GetBytes(json), null, null);
    }
}
