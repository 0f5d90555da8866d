using System.Text;
using System.Text.Json;
using CsCheck;
using Distill.Tokenization.Training;

namespace Distill.Data.Tests.Tokenization;

public sealed class BytePairTrainerTests
{
    [Fact]
    public void Training_reaches_the_vocabulary_size_asked_for() => TinyTokenizer.Trained.VocabularySize.ShouldBe(300);

    [Fact]
    public void Special_tokens_get_the_lowest_ids_in_order()
    {
        string[] tokens = ["<|pad|>", "<|end|>", "<|system|>", "<|user|>", "<|assistant|>", "<think>", "</think>"];
        tokens.Select(t => TinyTokenizer.Tokenizer.IdOf(t)).ShouldBe([0, 1, 2, 3, 4, 5, 6]);
        TinyTokenizer.Tokenizer.IsSpecial(4).ShouldBeTrue();
        TinyTokenizer.Tokenizer.IsSpecial(5).ShouldBeFalse();
        TinyTokenizer.Tokenizer.IsAdded(5).ShouldBeTrue();
        TinyTokenizer.Tokenizer.EndToken.ShouldBe(1);
        TinyTokenizer.Tokenizer.PadToken.ShouldBe(0);
    }

    [Fact]
    public void The_most_frequent_pair_merges_first()
    {
        var trained = BytePairTrainer.Train(["aab aab ab", "ab"], new BytePairTrainerOptions { VocabularySize = 264 });
        using var json = JsonDocument.Parse(trained.TokenizerJson);
        json.RootElement.GetProperty("model").GetProperty("merges").EnumerateArray().Single().GetString().ShouldBe("a b");
    }

    [Fact]
    public void Of_equally_frequent_pairs_that_with_the_lowest_ids_merges_first()
    {
        var trained = BytePairTrainer.Train(["zy", "zy", "cd", "cd"], new BytePairTrainerOptions { VocabularySize = 264 });
        using var json = JsonDocument.Parse(trained.TokenizerJson);
        json.RootElement.GetProperty("model").GetProperty("merges")[0].GetString().ShouldBe("c d");
    }

    [Fact]
    public void The_order_of_the_texts_plays_no_part() =>
        BytePairTrainer.Train(TinyTokenizer.Texts.Reverse(), TinyTokenizer.Options).TokenizerJson
            .ShouldBe(TinyTokenizer.Trained.TokenizerJson);

    [Fact]
    public void Digits_never_merge() => TinyTokenizer.Tokenizer.Encode("1200").Length.ShouldBe(4);

    [Fact]
    public void Frequent_words_become_one_token() => TinyTokenizer.Tokenizer.Encode(" apples").Length.ShouldBe(1);

    [Fact]
    public void Training_stops_when_no_pair_is_frequent_enough() =>
        BytePairTrainer.Train(["ab"], new BytePairTrainerOptions { VocabularySize = 300 }).VocabularySize.ShouldBe(263);

    [Fact]
    public void A_vocabulary_too_small_for_the_bytes_is_refused() =>
        Should.Throw<ArgumentException>(() => BytePairTrainer.Train([], new BytePairTrainerOptions { VocabularySize = 262 })).Message
            .ShouldContain("263");

    [Fact]
    public void The_configuration_names_class_tokens_and_template()
    {
        using var json = JsonDocument.Parse(TinyTokenizer.Trained.ConfigJson);
        json.RootElement.GetProperty("tokenizer_class").GetString().ShouldBe("PreTrainedTokenizerFast");
        json.RootElement.GetProperty("added_tokens_decoder").GetProperty("1").GetProperty("content").GetString().ShouldBe("<|end|>");
        json.RootElement.GetProperty("chat_template").GetString().ShouldBe(TinyTokenizer.Encoder.Template.Source);
    }

    [Fact]
    public void Any_text_survives_encoding_and_decoding() => Gen.String.Select(WellFormed).Sample(
        text => TinyTokenizer.Tokenizer.Decode(TinyTokenizer.Tokenizer.Encode(text)) == text);

    private static string WellFormed(string text) => Encoding.UTF8.GetString(Encoding.UTF8.GetBytes(text));
}
