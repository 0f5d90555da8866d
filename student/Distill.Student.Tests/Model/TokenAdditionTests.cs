using System.Text;
using System.Text.Json.Nodes;
using Distill.Architecture;
using Distill.Student.Fused;
using Distill.Student.Model;
using Distill.Student.Supervised;
using Distill.Student.Training;
using Distill.Tokenization;

namespace Distill.Student.Tests.Model;

/// <summary>
/// Tokens added to a base: where their ids come from, what their rows are, and that the result is a model like any other.
/// </summary>
public sealed class TokenAdditionTests : IDisposable
{
    private static readonly string[] Think = ["<think>", "</think>"];

    private readonly TemporaryFolder folder = new();

    public void Dispose() => folder.Dispose();

    [Theory, InlineData(true), InlineData(false)]
    public void Without_anything_in_reserve_rows_are_added(bool tied)
    {
        var base_ = Weights(tied, rows: 8);
        var made = TokenAddition.Add(base_, BytePair(added: [("<|end|>", 7, true)]), Think, seed: 3);
        made.Summary.ShouldContain("<think> gets the new row 8, </think> gets the new row 9; the embedding grew from 8 to 10 rows");
        made.Weights.Architecture.ShouldBe(base_.Architecture with { VocabularySize = 10 });
        foreach (string name in (string[])[ParameterMap.Embedding, .. tied ? [] : (string[])[ParameterMap.OutputProjection]])
        {
            float[] before = base_[name].ToArray(), after = made.Weights[name].ToArray();
            after[..before.Length].ShouldBe(before);
            ShouldBeNearTheMean(before, after[before.Length..], Enumerable.Range(0, 8));
        }

        made.Weights[ParameterMap.FinalNorm].ToArray().ShouldBe(base_[ParameterMap.FinalNorm].ToArray());
        ShouldWork(made, [8, 9]);
    }

    [Fact]
    public void Reserved_ids_are_used_first_unless_somebody_names_them()
    {
        var tokenizer = BytePair(
            added: [("<|end|>", 7, true), ("<|reserved_special_token_0|>", 8, true), ("<|reserved_special_token_1|>", 9, true),
            ("<|reserved_special_token_2|>", 10, true)],
            config: """
                {"eos_token":"<|end|>","pad_token":"<|reserved_special_token_1|>",
                 "additional_special_tokens":["<|reserved_special_token_0|>","<|end|>"],
                 "added_tokens_decoder":{"7":{"content":"<|end|>","special":true},
                 "8":{"content":"<|reserved_special_token_0|>","special":true}}}
                """);
        var base_ = Weights(tied: true, rows: 11);
        var made = TokenAddition.Add(base_, tokenizer, Think, seed: 3);
        made.Summary.ShouldBe(
            "<think> takes id 8 of the reserved <|reserved_special_token_0|>, </think> takes id 10 of the reserved "
            + "<|reserved_special_token_2|>");
        made.Weights.Architecture.ShouldBe(base_.Architecture);
        float[] before = base_[ParameterMap.Embedding].ToArray(), after = made.Weights[ParameterMap.Embedding].ToArray();
        after[..(8 * 48)].ShouldBe(before[..(8 * 48)]);
        after[(9 * 48)..(10 * 48)].ShouldBe(before[(9 * 48)..(10 * 48)]);
        ShouldBeNearTheMean(before, [.. after[(8 * 48)..(9 * 48)], .. after[(10 * 48)..]], [0, 1, 2, 3, 4, 5, 6, 7, 9]);
        var config = JsonNode.Parse(made.Tokenizer.TokenizerConfig)!;
        config["additional_special_tokens"]!.ToJsonString().ShouldBe("""["\u003C|end|\u003E"]""");
        (config["added_tokens_decoder"]!["8"]!["content"]!.GetValue<string>(),
            config["added_tokens_decoder"]!["8"]!["special"]!.GetValue<bool>()).ShouldBe(("<think>", false));
        config["added_tokens_decoder"]!["10"]!["content"]!.GetValue<string>().ShouldBe("</think>");
        ShouldWork(made, [8, 10]);
    }

    [Fact]
    public void Rows_that_the_tokenizer_has_no_id_for_come_next()
    {
        var base_ = Weights(tied: true, rows: 9);
        var made = TokenAddition.Add(base_, BytePair(added: [("<unused3>", 7, false)]), [.. Think, "<tool>"], seed: 3);
        made.Summary.ShouldBe(
            "<think> takes id 7 of the reserved <unused3>, </think> takes the unused row 8, <tool> gets the new row 9; the embedding "
            + "grew from 9 to 10 rows");
        ShouldWork(made, [7, 8, 9], [.. Think, "<tool>"]);
    }

    [Fact]
    public void What_is_known_stays_and_a_piece_of_the_vocabulary_keeps_its_id_and_row()
    {
        var base_ = Weights(tied: true, rows: 9);
        var known = BytePair(added: [("<think>", 7, false), ("</think>", 8, false)]);
        var same = TokenAddition.Add(base_, known, Think, seed: 3);
        (same.Summary, same.Weights, same.Tokenizer).ShouldBe(("", base_, known));
        var made = TokenAddition.Add(base_, BytePair(added: [("<|end|>", 7, true)]), ["ab"], seed: 3);
        made.Summary.ShouldContain("ab is its piece 5");
        made.Weights[ParameterMap.Embedding].ToArray().ShouldBe(base_[ParameterMap.Embedding].ToArray());
        ShouldWork(made, [5], ["ab"]);
    }

    [Fact]
    public void The_same_seed_gives_the_same_rows_whatever_else_is_added()
    {
        float[] Row(string[] texts, ulong seed) =>
            TokenAddition.Add(Weights(tied: true, rows: 7), BytePair(added: []), texts, seed).Weights[ParameterMap.Embedding]
            .ToArray()[(7 * 48)..(8 * 48)];
        Row(Think, 3).ShouldBe(Row(["<think>"], 3));
        Row(Think, 3).ShouldNotBe(Row(Think, 4));
    }

    [Fact]
    public void The_tokenizer_of_a_real_model_learns_them()
    {
        string model = SharedModel.Require("smollm2-135m-instruct");
        var checkpoint = Checkpoint.Open(model);
        int rows = checkpoint.Architecture.VocabularySize;
        var small = checkpoint.Architecture with { Layers = 1, HiddenSize = 16, Heads = 1, KeyValueHeads = 1, HeadSize = 16,
            IntermediateSize = 16 };
        var made = TokenAddition.Add(Random(small), checkpoint.Tokenizer!, Think, seed: 1);
        Checkpoint.Save(folder.Path, made.Weights, made.Tokenizer);
        var (before, after) = (Tokenizer.Load(model), Tokenizer.Load(folder.Path));
        var ids = Think.Select(text => after.IdOf(text)!.Value).ToArray();
        ids.ShouldAllBe(id => id < made.Weights.Architecture.VocabularySize && after.IsAdded(id));
        made.Weights.Architecture.VocabularySize.ShouldBe(Math.Max(rows, ids.Max() + 1));
        foreach (string text in (string[])["Let x = 3·y², then\n  x+1 ≥ 4.", "<|im_start|>user\nHi", "naïve 漢字 🙂"])
            after.Encode(text).ShouldBe(before.Encode(text));
        after.Decode([ids[0], .. after.Encode("Two and two."), ids[1]], skipSpecial: true).ShouldBe("<think>Two and two.</think>");
    }

    // Saved, loaded, tokenized and trained like any other checkpoint.
    private void ShouldWork(TokenAddition made, int[] ids, string[]? texts = null)
    {
        texts ??= Think;
        Checkpoint.Save(folder.Path, made.Weights, made.Tokenizer);
        var opened = Checkpoint.Open(folder.Path);
        opened.LoadWeights()[ParameterMap.Embedding].ToArray().ShouldBe(made.Weights[ParameterMap.Embedding].ToArray());
        var tokenizer = Tokenizer.Load(folder.Path);
        texts.Select(text => tokenizer.IdOf(text)!.Value).ShouldBe(ids);
        ids.ShouldAllBe(id => tokenizer.IsAdded(id));
        tokenizer.Encode("ba").ShouldBe([1, 0]); // plain text as before
        tokenizer.Decode([ids[0], 0], skipSpecial: true).ShouldBe(texts[0] + "a");
        using var parameters = new FlatParameters(opened.Architecture);
        parameters.Load(opened.LoadWeights());
        float[] row = parameters.SpanOf(ParameterMap.Embedding).Slice(ids[0] * 48, 48).ToArray();
        var losses = new List<double>();
        SupervisedFineTuning.Run(
            parameters, [new TrainingSequence([0, 1, .. ids, 2, 3], 1)],
            new SupervisedOptions { Epochs = 60,
            Training = new TrainingOptions { Threads = 1, Precision = MatmulPrecision.Fp32, LearningRate = 1e-2 } },
            TimeProvider.System, statePath: null, report => losses.Add(report.Loss), TestContext.Current.CancellationToken);
        losses[^1].ShouldBeLessThan(losses[0] / 5);
        parameters.SpanOf(ParameterMap.Embedding).Slice(ids[0] * 48, 48).ToArray().ShouldNotBe(row);
    }

    private static void ShouldBeNearTheMean(float[] matrix, float[] rows, IEnumerable<int> known)
    {
        int[] used = [.. known];
        for (int i = 0; i < rows.Length; i++)
        {
            double[] column = [.. used.Select(row => (double)matrix[(row * 48) + (i % 48)])];
            double mean = column.Average(), deviation = Math.Sqrt(column.Average(value => (value - mean) * (value - mean)));
            Math.Abs(rows[i] - mean).ShouldBeLessThan(0.6 * deviation);
        }

        rows[..48].ShouldNotBe(rows[48..96]);
    }

    private static WeightSet Weights(bool tied, int rows) =>
        Random(TinyDecoder.Architecture(tied: tied) with { VocabularySize = rows, EosTokenId = 2 });

    private static WeightSet Random(DecoderArchitecture architecture)
    {
        using var parameters = TinyDecoder.Parameters(architecture);
        return parameters.ToWeightSet();
    }

    // A byte-level BPE as GPT-2's: a b c d e, the merges ab and abc.
    private static TokenizerFiles BytePair((string Content, int Id, bool Special)[] added, string? config = null)
    {
        var root = new JsonObject
        {
            ["version"] = "1.0",
            ["added_tokens"] = new JsonArray([.. added.Select(token => new JsonObject
            {
                ["id"] = token.Id, ["content"] = token.Content, ["single_word"] = false, ["lstrip"] = false, ["rstrip"] = false,
                    ["normalized"] = false,
                ["special"] = token.Special,
            })]),
            ["normalizer"] = null,
            ["pre_tokenizer"] = JsonNode.Parse("""{"type":"ByteLevel","add_prefix_space":false,"trim_offsets":true,"use_regex":true}"""),
            ["post_processor"] = null,
            ["decoder"] = JsonNode.Parse("""{"type":"ByteLevel","add_prefix_space":true,"trim_offsets":true,"use_regex":true}"""),
            ["model"] = JsonNode.Parse("""
                {"type":"BPE","dropout":null,"unk_token":null,"continuing_subword_prefix":"","end_of_word_suffix":"",
                 "fuse_unk":false,"byte_fallback":false,
                 "vocab":{"a":0,"b":1,"c":2,"d":3,"e":4,"ab":5,"abc":6},"merges":["a b","ab c"]}
                """),
        };
        return new TokenizerFiles(
            Encoding.UTF8.GetBytes(root.ToJsonString()), Encoding.UTF8.GetBytes(config ?? """{"eos_token":"c"}"""),
            Encoding.UTF8.GetBytes("{{ messages[0].content }}"));
    }
}
