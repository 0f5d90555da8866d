using System.Text.Json;
using CsCheck;
using Distill.Tokenization;

namespace Distill.Data.Tests.Tokenization;

/// <summary>The model and the parts around it, on tokenizers small enough to follow by hand.</summary>
public sealed class BytePairTests
{
    private static readonly Gen<string> s_words = Gen.OneOf("a", "b", "c").Array[0, 30].Select(string.Concat);
    private static readonly Gen<(string, string)[]> s_merges = Gen
        .Select(Gen.OneOf("a", "b", "c", "ab", "ba", "aa", "bc", "aab"), Gen.OneOf("a", "b", "c", "ab", "bc", "ca", "aa")).Array[0, 8];

    [Fact]
    public void Merging_follows_the_definition() => Gen.Select(s_words, s_merges).Sample((word, pairs) =>
    {
        (string, string)[] merges = [.. pairs.Distinct()];
        var tokenizer = Tokenizer.FromJson(Model(merges));
        return tokenizer.Encode(word).Select(tokenizer.PieceOf).SequenceEqual(ByDefinition(word, merges));
    });

    [Fact]
    public void Long_words_merge_like_short_ones()
    {
        var tokenizer = Tokenizer.FromJson(Model([("a", "b"), ("ab", "ab")]));
        tokenizer.Encode(string.Concat(Enumerable.Repeat("ab", 10_000))).Select(tokenizer.PieceOf)
            .ShouldBe(Enumerable.Repeat("abab", 5_000));
    }

    [Theory]
    [InlineData("NFC", "e\u0301 \u1100\u1161\u11A8 a\u0323\u0307 \u212B", "\u00E9 \uAC01 \u1EA1\u0307 \u00C5")]
    [InlineData("NFD", "\u00E9 \uAC01 \u1E69", "e\u0301 \u1100\u1161\u11A8 s\u0323\u0307")]
    [InlineData("NFKC", "\uFB01 \u2460 \uFF21", "fi 1 A")]
    [InlineData("NFC", "\u0958 a\u0301\u0302", "\u0915\u093C \u00E1\u0302")]
    [InlineData("Lowercase", "\u00C9A\u0130", "\u00E9ai\u0307")]
    public void Text_is_normalised_before_it_is_encoded(string normalizer, string text, string normalised)
    {
        var tokenizer = Tokenizer.FromJson(ByteModel($$"""{"type":"{{normalizer}}"}"""));
        tokenizer.Decode(tokenizer.Encode(text)).ShouldBe(normalised);
    }

    [Fact]
    public void Plain_text_does_not_become_a_control_token_through_merges()
    {
        var tokenizer = Tokenizer.FromJson("""
            {"added_tokens":[{"id":3,"content":"<|>","special":true}],"decoder":{"type":"Fuse"},
            "model":{"type":"BPE","ignore_merges":true,"vocab":{"<":0,"|":1,">":2,"<|>":3,"<|":4},"merges":["< |","<| >"]}}
            """);
        tokenizer.Encode("<|>", allowSpecial: true).ShouldBe([3]);
        tokenizer.Encode("<|>").ShouldBe([4, 2]);
    }

    [Theory]
    [InlineData("aaaa", new[] { "aaaa" })]
    [InlineData("aa", new[] { "a", "a" })]
    [InlineData("aaa", new[] { "a", "a", "a" })]
    [InlineData("aaaaaa", new[] { "aaaa", "a", "a" })]
    [InlineData("baab", new[] { "b", "aab" })]
    [InlineData("xaab", new[] { "x", "aab" })]
    [InlineData("cd", new[] { "cd" })]
    [InlineData("dcd", new[] { "<0x64>", "cd" })]
    [InlineData("dd", new[] { "<0x64>", "<0x64>" })]
    public void A_merge_may_pass_through_a_token_that_must_not_be_left(string text, string[] pieces)
    {
        // "aa", "xaa" and "d" are control tokens.
        var tokenizer = Tokenizer.FromJson("""
            {"added_tokens":[{"id":4,"content":"aa","special":true},{"id":8,"content":"xaa","special":true},
            {"id":3,"content":"d","special":true}],
            "model":{"type":"BPE","byte_fallback":true,
            "vocab":{"a":0,"b":1,"c":2,"d":3,"aa":4,"aaaa":5,"aab":6,"x":7,"xaa":8,"cd":9,"<0x64>":10},
            "merges":["a a","aa aa","x aa","aa b","c d"]}}
            """);
        tokenizer.Encode(text).Select(tokenizer.PieceOf).ShouldBe(pieces);
    }

    [Fact]
    public void Plain_text_is_encoded_as_if_nothing_were_forbidden_wherever_nothing_forbidden_is_left() =>
        Gen.Select(s_words, s_merges, Gen.Int[0, 7]).Sample((word, pairs, which) =>
    {
        (string, string)[] merges = [.. pairs.Distinct()];
        if (merges.Length == 0) return;
        var (left, right) = merges[which % merges.Length];
        string control = left + right;
        var tokenizer = Tokenizer.FromJson(Model(merges, control));
        string[] pieces = [.. tokenizer.Encode(word).Select(tokenizer.PieceOf)], free = [.. ByDefinition(word, merges)];
        string.Concat(pieces).ShouldBe(word);
        pieces.ShouldNotContain(control);
        if (!free.Contains(control)) pieces.ShouldBe(free);
    });

    [Theory]
    [InlineData("""{"model":{"type":"WordPiece","vocab":{}}}""", "WordPiece")]
    [InlineData("""{"model":{"type":"BPE","vocab":{"a":0,"b":0},"merges":[]}}""", "share id 0")]
    [InlineData("""{"model":{"type":"BPE","vocab":{"a":0},"merges":["a b"]}}""", "'b'")]
    [InlineData("""{"model":{"type":"BPE","vocab":{"a":0,"a":1},"merges":[]}}""", "JSON")]
    [InlineData("""{"model":{"type":"BPE","vocab":{"a":0},"merges":[],"dropout":0.1}}""", "dropout")]
    [InlineData("""{"normalizer":{"type":"Precompiled"},"model":{"type":"BPE","vocab":{},"merges":[]}}""", "Precompiled")]
    [InlineData("""
        {"pre_tokenizer":{"type":"Split","pattern":{"Regex":"[a-z&&[^b]]"},"behavior":"Isolated"},
        "model":{"type":"BPE","vocab":{},"merges":[]}}
        """, "character classes")]
    [InlineData("""{"added_tokens":[{"id":0,"content":"x"}],"model":{"type":"BPE","vocab":{"a":0},"merges":[]}}""", "contradicts")]
    [InlineData("""{"model":{"type":"BPE","unk_token":"?","vocab":{"a":0},"merges":[]}}""", "'?'")]
    [InlineData("[", "JSON")]
    public void What_cannot_be_used_is_refused_with_its_reason(string json, string reason) =>
        Should.Throw<InvalidDataException>(() => Tokenizer.FromJson(json)).Message.ShouldContain(reason);

    private static List<string> ByDefinition(string word, (string Left, string Right)[] merges)
    {
        List<string> symbols = [.. word.Select(c => c.ToString())];
        while (true)
        {
            var best = Enumerable.Range(0, Math.Max(0, symbols.Count - 1))
                .Select(at => (Rank: Array.IndexOf(merges, (symbols[at], symbols[at + 1])), At: at))
                .Where(pair => pair.Rank >= 0).DefaultIfEmpty((-1, -1)).Min();
            if (best.Item1 < 0) return symbols;
            symbols[best.Item2] += symbols[best.Item2 + 1];
            symbols.RemoveAt(best.Item2 + 1);
        }
    }

    private static string Model((string Left, string Right)[] merges, string? control = null)
    {
        string[] all = ["a", "b", "c", .. merges.SelectMany(m => (string[])[m.Left, m.Right, m.Left + m.Right])];
        var vocabulary = all.Distinct().Select((piece, id) => (piece, id)).ToDictionary(p => p.piece, p => p.id);
        object[] added = control is null ? [] : [new { id = vocabulary[control], content = control, special = true }];
        return JsonSerializer.Serialize(new
        {
            added_tokens = added,
            decoder = new { type = "Fuse" },
            model = new { type = "BPE", vocab = vocabulary, merges = merges.Select(m => new[] { m.Left, m.Right }) },
        });
    }

    private static string ByteModel(string normalizer)
    {
        using var trained = JsonDocument.Parse(TinyTokenizer.Trained.TokenizerJson);
        var parts = trained.RootElement.EnumerateObject().ToDictionary(p => p.Name, p => p.Value);
        parts["normalizer"] = JsonDocument.Parse(normalizer).RootElement;
        return JsonSerializer.Serialize(parts);
    }
}
