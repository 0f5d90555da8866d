using Distill.Export.Parity;
using Distill.Export.Parity.Texts;
using Distill.Tokenization;

namespace Distill.Export.Tests.Parity;

/// <summary>A folder's tokenizer and template against those of training.</summary>
public sealed class TextComparisonTests : IDisposable
{
    private const string Template = "{% for m in messages %}<|{{ m.role }}|>{{ m.content }}{% endfor %}";

    private readonly TemporaryFolder folder = new();

    public void Dispose() => folder.Dispose();

    [Fact]
    public void The_same_files_give_the_same_ids_and_the_same_digest()
    {
        var trained = Encoder("one", Template);
        var texts = TextComparison.Run(trained, Encoder("two", Template), TextComparison.DigestOf(trained), ["own text"], []);
        texts.Differences.ShouldBeEmpty();
        texts.Chats.ShouldBe(SpotTexts.Chats.Count);
        texts.Texts.ShouldBeGreaterThan(30);
        texts.Runtimes.ShouldBeNull();
    }

    [Fact]
    public void Another_template_or_tokenizer_or_recorded_digest_is_told()
    {
        var trained = Encoder("one", Template);
        TextComparison.Run(trained, Encoder("two", Template + " "), null, [], []).Differences
            .ShouldContain("the folder has another chat template");
        TextComparison.Run(trained, Encoder("three", null), null, [], []).Differences.ShouldContain("one of the two has no chat template");
        var other = TextComparison.Run(trained, Encoder("four", Template, swapped: true), null, [], []).Differences;
        other.ShouldContain("the folder has another tokenizer");
        other.ShouldContain(difference => difference.Contains("becomes other ids"));
        TextComparison.Run(trained, trained, "0123", [], []).Differences.ShouldHaveSingleItem().ShouldContain("distill.json recorded");
    }

    [Fact]
    public void A_runtimes_known_difference_is_named_and_any_other_is_a_fault()
    {
        var encoder = Encoder("one", Template);
        RuntimeTexts Of(string name, Func<string, IReadOnlyList<int>> encode) =>
            TextComparison.Run(encoder, encoder, null, ["What is 3?"], [new Words(name, encode)]).Runtimes!.Single();
        IReadOnlyList<int> Exact(string text) => encoder.Tokenizer.Encode(text, allowSpecial: true);
        IReadOnlyList<int> UpToNul(string text) => Exact(text.Split('\0')[0]);

        Of("genai", Exact).ShouldSatisfyAllConditions(words => words.Known.ShouldBeEmpty(), words => words.Unknown.ShouldBeEmpty());
        Of("genai", UpToNul).ShouldSatisfyAllConditions(words => words.Known.ShouldHaveSingleItem().ShouldContain("NUL"),
            words => words.Unknown.ShouldBeEmpty());
        // The same of a runtime that is not known to do it.
        Of("transformers.js", UpToNul).ShouldSatisfyAllConditions(
            words => words.Unknown.ShouldHaveSingleItem(), words => words.ProblemTexts.ShouldBe(0));
        Of("genai", text => [1, .. Exact(text)]).ShouldSatisfyAllConditions(
            words => words.Unknown.Count.ShouldBeGreaterThan(3), words => words.ProblemTexts.ShouldBe(1));
    }

    // It speaks of the digit and not of what stands beside it.
    [Fact]
    public void A_known_difference_excuses_nothing_else_in_the_same_text()
    {
        var encoder = Encoder("one", Template);
        RuntimeTexts Of(Func<string, bool> isWrong) => TextComparison.Run(encoder, encoder, null, ["½ of 12?"], [new Words("genai", text =>
        {
            int[] ids = encoder.Tokenizer.Encode(text, allowSpecial: true);
            return isWrong(text) ? [1, .. ids] : ids;
        })]).Runtimes!.Single();
        Of(text => text.Contains('½')).ShouldSatisfyAllConditions(
            words => words.Known.ShouldHaveSingleItem().ShouldContain("digits"), words => words.ProblemTexts.ShouldBe(0));
        Of(text => text.Contains("of 12")).ShouldSatisfyAllConditions(
            words => words.Known.ShouldBeEmpty(), words => words.ProblemTexts.ShouldBe(1));
    }

    // Letters and digits as bytes, and control tokens.
    private ChatEncoder Encoder(string name, string? template, bool swapped = false)
    {
        string place = Path.Combine(folder.Path, name);
        Directory.CreateDirectory(place);
        var pieces = Enumerable.Range(33, 94).Select(code => (char)code).Where(c => c is not ('"' or '\\'))
            .Select(c => c.ToString()).ToList();
        if (swapped) (pieces[0], pieces[40]) = (pieces[40], pieces[0]);
        string vocabulary = string.Join(",", pieces.Select((piece, id) => $"\"{piece}\":{id}"));
        int first = pieces.Count;
        File.WriteAllText(Path.Combine(place, "tokenizer.json"), $$"""
            {"model":{"type":"BPE","vocab":{ {{vocabulary}} },"merges":[]},
             "added_tokens":[{"id":{{first}},"content":"<think>"},{"id":{{first + 1}},"content":"</think>"},
                             {"id":{{first + 2}},"content":"<end>","special":true}]}
            """);
        File.WriteAllText(Path.Combine(place, "tokenizer_config.json"), "{\"eos_token\":\"<end>\"}");
        if (template is not null) File.WriteAllText(Path.Combine(place, "chat_template.jinja"), template);
        return ChatEncoder.Load(place);
    }

    private sealed class Words(string name, Func<string, IReadOnlyList<int>> encode) : IExportedRuntime
    {
        public string Name => name;

        public IReadOnlyList<IReadOnlyList<int>> Greedy(
            IReadOnlyList<IReadOnlyList<int>> prompts, int maxNewTokens, IReadOnlyList<int> stopTokens, CancellationToken cancellation) =>
            [];

        public IReadOnlyList<IReadOnlyList<int>>? Encode(IReadOnlyList<string> texts, CancellationToken cancellation) =>
            [.. texts.Select(encode)];

        public void Dispose()
        {
        }
    }
}
