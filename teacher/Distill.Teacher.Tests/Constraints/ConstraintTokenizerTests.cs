using System.Text.Json;
using Distill.Generation.Constraints;
using Distill.Tokenization;
using static Distill.Teacher.Tests.Constraints.ConstrainedText;

namespace Distill.Teacher.Tests.Constraints;

/// <summary>Constraints over published tokenizers, and over small ones of every kind.</summary>
public sealed class ConstraintTokenizerTests
{
    private static readonly string[] s_documents =
    [
        """{"name": "Ada", "born": 1815, "tags": ["first", "poetical science"], "alive": false, "heirs": null}""",
        """{"a":{"b":{"c":[[],[{}]]}},"n":-12.5e-3,"quote":"say \"hi\"\n","path":"C:\\temp"}""",
        "{\n    \"héllo\": \"日本語 and 😀 and ñ\",\n    \"list\": [\n        1,\n        2\n    ]\n}",
        """{"code":"if (a < b) { return \"</div>\"; }","blank":"    four    blanks"}""",
    ];

    public static TheoryData<string> Tokenizers => FixtureFolder.Rows(
        FixtureFolder.Cases("tokenizers").Select(folder => Path.GetFileName(folder)).Where(name => name != "small")
            .Concat(FixtureFolder.Cases("tokenizers/small").Select(folder => "small/" + Path.GetFileName(folder)))
            .Where(name => !name.Contains("optional"))); // those are not read at all

    [Theory]
    [MemberData(nameof(Tokenizers))]
    public void Valid_documents_are_reachable_and_every_walk_is_valid(string name)
    {
        var tokenizer = Tokenizer.Load(FixtureFolder.Require("tokenizers", name));
        JsonConstraint constraint;
        try
        {
            constraint = JsonConstraint.AnyObject(tokenizer);
        }
        catch (NotSupportedException e)
        {
            e.Message.ShouldContain("tokenizer"); // one that has no token for some character, or joins its tokens with blanks
            name.ShouldStartWith("small");
            return;
        }

        int end = tokenizer.VocabularySize; // as a model's padded vocabulary has
        foreach (string document in s_documents)
        {
            int[] tokens = tokenizer.Encode(document);
            if (tokenizer.Decode(tokens) == document) Takes(constraint, tokens, end).ShouldBeTrue(document);
        }

        for (int seed = 0; seed < 12; seed++) Walk(constraint, tokenizer, end, new Random(seed));
    }

    [Fact]
    public void Added_tokens_stand_in_no_output()
    {
        string folder = FixtureFolder.Require("tokenizers", "qwen3");
        var tokenizer = Tokenizer.Load(folder);
        var state = JsonConstraint.AnyObject(tokenizer).Begin([0], [tokenizer.EndToken!.Value]);
        foreach (int token in tokenizer.Encode("{\"text\": \"in here")) state.Advance(token);
        int[] allowed = Ids(state.Allowed);
        allowed.Length.ShouldBeGreaterThan(100_000);
        allowed.ShouldAllBe(id => !tokenizer.IsAdded(id));
    }

    private static void Walk(JsonConstraint constraint, Tokenizer tokenizer, int end, Random random)
    {
        var state = constraint.Begin([0], [end]);
        var tokens = new List<int>();
        while (tokens.Count < 120)
        {
            int[] allowed = [.. Ids(state.Allowed).Where(id => !tokenizer.IsAdded(id) || id == end)];
            allowed.ShouldNotBeEmpty();
            // Quotation marks and brackets are few among so many; without a liking for them no string would end.
            int[] ending =
                [.. allowed.Where(id => id == end || "\"}]:".Contains(tokenizer.Decode([id]).Trim() is [.., var last] ? last : ' '))];
            int next = ending.Length > 0 && random.Next(2) == 0 ? ending[random.Next(ending.Length)] : allowed[random.Next(allowed.Length)];
            if (next == end) break;
            state.Advance(next);
            tokens.Add(next);
        }

        if (tokens.Count < 120) JsonDocument.Parse(tokenizer.Decode([.. tokens])).Dispose();
    }
}
