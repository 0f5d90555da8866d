using Distill.Tokenization;

namespace Distill.Data.Tests.Tokenization;

/// <summary>Encodings and decodings of the reference library, line by line.</summary>
public sealed class TokenizerReferenceTests
{
    public static TheoryData<string> Names => [.. (string[])["small/digits-individual", "small/digits-grouped", "smollm2"]];

    [Theory]
    [MemberData(nameof(Names))]
    public void Encodings_and_decodings_equal_the_reference(string name)
    {
        string folder = TokenizationFixtures.Folder(Path.Combine("tokenizers", name));
        var tokenizer = Tokenizer.Load(folder);
        int lines = 0;
        foreach (var line in TokenizationFixtures.Lines(folder, "encodings.jsonl"))
        {
            string text = line.Text("text");
            tokenizer.Encode(text, allowSpecial: true).ShouldBe(line.Ids("ids_no_special"), text);
            tokenizer.Encode(text).ShouldBe(line.Ids(line.TryGetProperty("ids_plain", out _) ? "ids_plain" : "ids_no_special"), text);
            tokenizer.Decode(line.Ids("ids")).ShouldBe(line.Text("decoded"), text);
            tokenizer.Decode(line.Ids("ids"), skipSpecial: true).ShouldBe(line.Text("decoded_skip_special"), text);
            lines++;
        }
        lines.ShouldBeGreaterThan(200);
    }

    [Theory]
    [MemberData(nameof(Names))]
    public void Incremental_decoding_gives_what_the_reference_allows(string name)
    {
        string folder = TokenizationFixtures.Folder(Path.Combine("tokenizers", name));
        var tokenizer = Tokenizer.Load(folder);
        foreach (var line in TokenizationFixtures.Lines(folder, "incremental.jsonl"))
        {
            bool skipSpecial = line.GetProperty("skip_special_tokens").GetBoolean();
            int[] ids = line.Ids("ids");
            tokenizer.Decode(ids, skipSpecial).ShouldBe(line.Text("decoded"));
            if (line.TryGetProperty("whole_only", out _)) continue;
            var decoder = new IncrementalDecoder(tokenizer, skipSpecial);
            string whole = string.Concat(line.GetProperty("pieces").EnumerateArray().Select(p => p.GetString()));
            string said = "";
            foreach (int id in ids)
            {
                said += decoder.Push(id);
                whole.StartsWith(said, StringComparison.Ordinal).ShouldBeTrue($"{line.Text("what")}: '{said}' begins '{whole}'");
            }
            said.ShouldBe(whole);
            (said + decoder.Flush()).ShouldBe(line.Text("decoded"));
        }
    }
}
