using Distill.Tokenization;

namespace Distill.Data.Tests.Tokenization;

/// <summary>A damaged tokenizer.json is either read or refused with a reason, and what is read never fails on text.</summary>
public sealed class TokenizerFuzzTests
{
    private const int Batch = 1000;

    private static readonly string[] s_snippets =
    [
        "null", "true", "-1", "0", "99999999999", "1e400", "4194304", "\"\"", "[]", "{}", "\\ud800", "\"\\ud800\"", "\"type\":",
        "\"type\":\"BPE\",", "{\"type\":\"Sequence\",",
        "\"Regex\":\"(a+)+$\"", "\"Regex\":\"[\"", "\"Regex\":\"\"", "\"String\":\"\"", "(?!a)", "{1,1000}", "{\"a\":", "[[[[", "]", "}",
        ",", "\"", "\\", "a b", "<0x41>", "Isolated", "Removed",
        "Prepend", "Metaspace", "ByteLevel", "NFKC", "NFD", "Strip", "Fuse", "Digits", "Whitespace", "Punctuation", "first", "\"ab\":0,",
        "\"id\":7,",
    ];

    private static readonly string[] s_texts = ["", " ab a\n b12 <|a|>  é", "\uD83D\uDC4D\u0301 ▁a aaaaaaaaaaaaaaaaaaaaaaaaaaaa!",
        "\uD800x", "<think>ab</think>"];

    // Small, so that a hundred thousand cases take seconds, with a part of every kind.
    private static readonly string[] s_files =
    [
        """
        {"version":"1.0",
        "added_tokens":[{"id":7,"content":"<|a|>","single_word":false,"lstrip":false,"rstrip":true,"normalized":false,"special":true},
        {"id":8,"content":"<think>","special":false}],
        "normalizer":{"type":"Sequence","normalizers":[{"type":"NFC"},
        {"type":"Replace","pattern":{"Regex":"\\s{2,}"},"content":" "},{"type":"Prepend","prepend":"▁"}]},
        "pre_tokenizer":{"type":"Sequence","pretokenizers":[
        {"type":"Split","pattern":{"Regex":"\\p{L}+|\\s+(?!\\S)"},"behavior":"Isolated","invert":false},
        {"type":"Digits","individual_digits":true}]},
        "post_processor":{"type":"TemplateProcessing",
        "single":[{"SpecialToken":{"id":"<|a|>","type_id":0}},{"Sequence":{"id":"A","type_id":0}}],
        "special_tokens":{"<|a|>":{"id":"<|a|>","ids":[7]}}},
        "decoder":{"type":"Sequence","decoders":[{"type":"Replace","pattern":{"String":"▁"},"content":" "},
        {"type":"ByteFallback"},{"type":"Fuse"},{"type":"Strip","content":" ","start":1,"stop":0}]},
        "model":{"type":"BPE","unk_token":"u","fuse_unk":true,"byte_fallback":true,"ignore_merges":false,
        "vocab":{"u":0,"a":1,"b":2,"ab":3,"▁":4,"▁ab":5,"<0x41>":6},"merges":["a b",["▁","ab"]]}}
        """,
        """
        {"added_tokens":[{"id":4,"content":"<|a|>","special":true}],"normalizer":null,
        "pre_tokenizer":{"type":"ByteLevel","add_prefix_space":true,"use_regex":true},"post_processor":{"type":"ByteLevel"},
        "decoder":{"type":"ByteLevel"},"model":{"type":"BPE","vocab":{"a":0,"b":1,"ab":2,"Ġ":3},"merges":["a b"]}}
        """,
    ];

    public static TheoryData<int> Seeds => [.. Enumerable.Range(0, 100)];

    [Theory]
    [MemberData(nameof(Seeds))]
    public void A_damaged_file_is_read_or_refused(int seed)
    {
        var mutation = new Mutation(seed, s_snippets);
        int read = 0;
        for (int i = 0; i < Batch; i++)
        {
            string json = mutation.Apply(s_files[i % s_files.Length]);
            try
            {
                Use(Tokenizer.FromJson(json));
                read++;
            }
            catch (InvalidDataException e)
            {
                e.Message.ShouldNotBeEmpty();
            }
            catch (Exception e)
            {
                Assert.Fail($"{e.GetType().Name}: {e.Message}\n{json}");
            }
        }
        read.ShouldBeInRange(1, Batch - 1);
    }

    [Fact]
    public void The_undamaged_files_are_read()
    {
        foreach (string json in s_files) Use(Tokenizer.FromJson(json));
    }

    private static void Use(Tokenizer tokenizer)
    {
        foreach (string text in s_texts)
        {
            tokenizer.EncodeWhole(text, allowSpecial: true);
            int[] ids = tokenizer.Encode(text);
            ids.Where(id => tokenizer.IsSpecial(id) && tokenizer.PieceOf(id) == "<|a|>").ShouldBeEmpty();
            tokenizer.Decode(ids, skipSpecial: true);
            var decoder = new IncrementalDecoder(tokenizer);
            foreach (int id in ids) decoder.Push(id);
            decoder.Flush();
        }
    }
}
