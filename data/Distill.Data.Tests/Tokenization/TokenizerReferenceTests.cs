using Distill.Tokenization;

namespace Distill.Data.Tests.Tokenization;

/// <summary>Encodings and decodings of the reference library, line by line.</summary>
public sealed class TokenizerReferenceTests
{
    public static TheoryData<string> Supported => FixtureFolder.Rows(All.Where(name => !name.Contains("optional")));

    public static TheoryData<string> Refused => FixtureFolder.Rows(All.Where(name => name.Contains("optional")));

    public static TheoryData<string> Incremental => FixtureFolder.Rows(All.Where(name =>
        FixtureFolder.Places("tokenizers", name, "incremental.jsonl").Any(File.Exists)));

    private static IEnumerable<string> All =>
        FixtureFolder.Cases("tokenizers").Select(folder => Path.GetFileName(folder)).Where(name => name != "small")
            .Concat(FixtureFolder.Cases("tokenizers/small").Select(folder => "small/" + Path.GetFileName(folder)));

    [Theory]
    [MemberData(nameof(Supported))]
    public void Encodings_and_decodings_equal_the_reference(string name)
    {
        string folder = FixtureFolder.Require("tokenizers", name);
        var tokenizer = Tokenizer.Load(folder);
        var wrong = new List<string>();
        int lines = 0;
        foreach (var line in ReferenceLines.Read(folder, "encodings.jsonl"))
        {
            lines++;
            string text = line.Text("text");
            Compare("whole", tokenizer.EncodeWhole(text, allowSpecial: true), line.Ids("ids"));
            Compare("special", tokenizer.Encode(text, allowSpecial: true), line.Ids("ids_no_special"));
            ComparePlain(tokenizer.Encode(text), line.Ids(line.TryGetProperty("ids_plain", out _) ? "ids_plain" : "ids_no_special"));
            if (tokenizer.Decode(line.Ids("ids")) != line.Text("decoded")) wrong.Add($"decoding of <{text}>");
            if (tokenizer.Decode(line.Ids("ids"), skipSpecial: true) != line.Text("decoded_skip_special"))
                wrong.Add($"decoding without special tokens of <{text}>");

            void Compare(string what, int[] actual, int[] expected)
            {
                if (!actual.SequenceEqual(expected))
                    wrong.Add($"{what} <{text}>: expected {string.Join(' ', expected)} but was {string.Join(' ', actual)}");
            }

            // Where merges make an added token of plain text, the reference lets it pass; here it is spelled otherwise.
            void ComparePlain(int[] actual, int[] expected)
            {
                if (!expected.Any(id => tokenizer.IsAdded(id) && tokenizer.PieceOf(id).Length > 1 && !actual.Contains(id)))
                    Compare("plain", actual, expected);
                else if (tokenizer.Decode(actual) != tokenizer.Decode(expected)) wrong.Add($"plain <{text}>: decodes to another text");
            }
        }
        wrong.ShouldBeEmpty();
        lines.ShouldBeGreaterThan(0);
    }

    [Theory]
    [MemberData(nameof(Incremental))]
    public void Incremental_decoding_gives_what_the_reference_allows(string name)
    {
        string folder = FixtureFolder.Require("tokenizers", name);
        var tokenizer = Tokenizer.Load(folder);
        foreach (var line in ReferenceLines.Read(folder, "incremental.jsonl"))
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

    [Theory]
    [MemberData(nameof(Refused))]
    public void What_is_not_supported_is_refused_by_name(string name)
    {
        string folder = FixtureFolder.Require("tokenizers", name);
        Should.Throw<InvalidDataException>(() => Tokenizer.Load(folder)).Message.ShouldContain("is not supported");
    }

    [Fact]
    public void The_dialect_of_the_merges_does_not_change_the_fingerprint()
    {
        var pairs = Tokenizer.Load(FixtureFolder.Require("tokenizers/small/merges-pairs"));
        var strings = Tokenizer.Load(FixtureFolder.Require("tokenizers/small/merges-strings"));
        pairs.Fingerprint.ShouldBe(strings.Fingerprint);
        pairs.Fingerprint.ShouldNotBe(Tokenizer.Load(FixtureFolder.Require("tokenizers/small/digits-individual")).Fingerprint);
    }
}
