using System.Text.Json;
using Distill.Generation;
using Distill.Generation.Constraints;
using Distill.Teacher.Tests.Fixtures;
using Distill.Tokenization;
using Json.Schema;
using static Distill.Teacher.Tests.Constraints.ConstrainedText;

namespace Distill.Teacher.Tests.Constraints;

/// <summary>What constrained output may be and what it may not.</summary>
public sealed class JsonConstraintTests
{
    private static readonly Tokenizer s_tokenizer = TinyTokenizer.Tokenizer;
    private static readonly int s_end = TinyTokenizer.Encoder.EndToken;

    [Theory]
    [InlineData("""{"a":1}""", true)]
    [InlineData("""{ "a": [1, -0.5e+3, true, null, {"b": {}}], "c": "\u00e9\n\"x\"" }""", true)]
    [InlineData("{\n  \"a\": [\n    1,\n    2\n  ]\n}", true)]
    [InlineData("""{"name":"Ærø 😀","empty":"","list":[]}""", true)]
    [InlineData("""[1]""", false)]
    [InlineData("""{"a":01}""", false)]
    [InlineData("""{"a":1,}""", false)]
    [InlineData("""{"a":1,"a":2}""", false)]
    [InlineData("""{"a":"\ud800"}""", false)]
    [InlineData("""{"a":.5}""", false)]
    [InlineData("""{"a":1}  """, false)]
    [InlineData("""{"a":   1}""", false)]
    [InlineData("{\"a\":\"\t\"}", false)]
    [InlineData("""{"a":1""", false)]
    public void Any_object_is_what_JSON_says(string text, bool allowed) =>
        Takes(JsonConstraint.AnyObject(s_tokenizer), s_tokenizer, text, s_end).ShouldBe(allowed);

    [Theory]
    [InlineData("""{"type":"integer","minimum":-5,"exclusiveMaximum":12}""", "-5 -1 0 7 11", "-6 12 13 -0 1.0 1e1 110")]
    [InlineData("""{"type":"number","minimum":0.25,"maximum":3}""", "0.25 0.5 1 2.999 3 3.0", "0.24 0 3.01 -1 4 30 1e0")]
    [InlineData("""{"type":"number","exclusiveMinimum":-1.5,"maximum":-1}""", "-1 -1.25 -1.49999", "-1.5 -2 0 -0.5")]
    [InlineData("""{"type":"number"}""", "0 -0 1.5 1e5 1E-5 -12.25e+10", "01 +1 1. 1e 1e123 --1")]
    [InlineData("""{"type":"string","minLength":2,"maxLength":3}""", "\"ab\" \"é😀b\" \"\\n\\n\"", "\"a\" \"abcd\" \"\"")]
    [InlineData("""{"type":"string","pattern":"^(foo|ba+r)$"}""", "\"foo\" \"bar\" \"baaar\"", "\"br\" \"foobar\" \"\"")]
    [InlineData("""{"type":"string","pattern":"o{2}"}""", "\"oo\" \"foot\"", "\"o\" \"ono\"")]
    [InlineData("""{"type":"string","format":"date"}""", "\"2024-02-29\" \"2026-11-30\"", "\"2023-02-29\" \"2026-11-31\" \"2026-13-01\"")]
    [InlineData("""{"type":"string","format":"uri"}""", "\"https://example.com/a?b=%20#c\" \"mailto:a@b\"", "\"x\" \"https://a..b/\"")]
    [InlineData("""{"properties":{"a":{"type":"integer"}},"required":["b"]}""", """{"b":[],"a":1}""", """{"a":1} {"b":1,"c":1}""")]
    [InlineData("""{"enum":["a","ab",1,12,null]}""", "\"a\" \"ab\" 1 12 null", "\"b\" 2 121 true \"abc\"")]
    [InlineData("""{"enum":["a",1,1.5],"type":"integer"}""", "1", "\"a\" 1.5")]
    [InlineData("""{"type":["string","null"]}""", "\"x\" null", "1 true")]
    [InlineData("""{"type":"array","items":{"type":"integer"},"minItems":1,"maxItems":2}""", "[1] [1,22]", "[] [1,2,3] [\"a\"]")]
    [InlineData("""{"type":"object","properties":{"a":{"type":"integer"},"b":{}},"required":["a"],"additionalProperties":false}""",
        """{"a":1} {"b":null,"a":2} {"a":1,"b":{"c":[]}}""", """{} {"b":1} {"a":1,"c":2} {"a":"x"} {"a":1,"a":2}""")]
    [InlineData("""{"properties":{"a":{"type":"integer"}},"additionalProperties":{"type":"boolean"}}""",
        """{} {"a":1} {"z":true,"a":1} {"aa":false}""", """{"a":true} {"z":1} {"z":true,"z":false}""")]
    [InlineData("""{"anyOf":[{"type":"object","properties":{"a":{"const":1}},"additionalProperties":false},{"type":"integer"}]}""",
        """{"a":1} 5 {}""", """{"a":2} true {"b":1}""")]
    [InlineData("""{"$ref":"#/$defs/n","$defs":{"n":{"type":"object","properties":{"n":{"$ref":"#/$defs/n"}}}}}""",
        """{} {"n":{}} {"n":{"n":{"n":{}}}}""", """{"n":1} {"m":{}}""")]
    public void A_schema_allows_what_it_says(string schema, string allowed, string refused)
    {
        var constraint = JsonConstraint.OfSchema(Read(schema), s_tokenizer);
        var reference = JsonSchema.FromText(schema);
        foreach (string text in allowed.Split(' '))
        {
            Takes(constraint, s_tokenizer, text, s_end).ShouldBeTrue(text);
            reference.Evaluate(Read(text)).IsValid.ShouldBeTrue(text);
        }

        foreach (string text in refused.Split(' ')) Takes(constraint, s_tokenizer, text, s_end).ShouldBeFalse(text);
    }

    [Theory]
    [InlineData("""{"type":"object","minProperties":1}""", "'minProperties'")]
    [InlineData("""{"type":"object","properties":{"a":{"type":"number","multipleOf":2}}}""", "#/properties/a")]
    [InlineData("""{"not":{}}""", "'not'")]
    [InlineData("""{"allOf":[{},{}]}""", "'allOf'")]
    [InlineData("""{"oneOf":[{"type":"number"},{"type":"integer"}]}""", "'oneOf'")]
    [InlineData("""{"type":"string","format":"hostname"}""", "'hostname'")]
    [InlineData("""{"type":"string","pattern":"(?=x)"}""", "(?")]
    [InlineData("""{"type":"string","pattern":"a\\b"}""", "\\b")]
    [InlineData("""{"type":"string","pattern":"a","maxLength":3}""", "length")]
    [InlineData("""{"$ref":"https://example.com/x"}""", "reference")]
    public void What_is_not_supported_is_refused_by_name(string schema, string named) =>
        Should.Throw<NotSupportedException>(() => JsonConstraint.OfSchema(Read(schema), s_tokenizer)).Message.ShouldContain(named);

    [Theory]
    [InlineData("""false""")]
    [InlineData("""{"type":"float"}""")]
    [InlineData("""5""")]
    [InlineData("""{"enum":[]}""")]
    [InlineData("""{"$ref":"#/$defs/x"}""")]
    [InlineData("""{"$ref":"#"}""")]
    [InlineData("""{"anyOf":[{"$ref":"#"},{"type":"null"}]}""")]
    [InlineData("""{"type":"object","properties":{"a":{"$ref":"#"}},"required":["a"]}""")]
    [InlineData("""{"type":"integer","minimum":1,"maximum":0}""")]
    [InlineData("""{"type":"string","minLength":3,"maxLength":2}""")]
    [InlineData("""{"minLength":-1}""")]
    [InlineData("""{"enum":["\ud800"]}""")]
    public void What_no_value_satisfies_is_refused(string schema) =>
        Should.Throw<ArgumentException>(() => JsonConstraint.OfSchema(Read(schema), s_tokenizer));

    [Fact]
    public void An_untrained_model_writes_what_the_schema_allows()
    {
        int finished = 0;
        for (int seed = 0; seed < 150; seed++)
        {
            var schema = new RandomSchemas(new Random(seed)).Next();
            using var model = Untrained(s_tokenizer, seed, 600);
            var completion = new BatchGenerator(model, slots: 3).Complete([new GenerationRequest
            {
                Prompt = [5], MaxNewTokens = 500, StopTokens = [s_end], Seeds = [1, 2, 3],
                Sampling = new SamplingOptions { Temperature = seed % 3 },
                Constraint = JsonConstraint.OfSchema(schema, s_tokenizer),
            }])[0];
            foreach (var each in completion.Where(each => each.StopReason == StopReason.StopToken))
            {
                finished++;
                int thought = each.Tokens.ToList().LastIndexOf(TinyTokenizer.Close); // it may think first, of anything
                string text = s_tokenizer.Decode([.. each.Tokens.Skip(thought + 1).SkipLast(1)]);
                IsValid(schema, text).ShouldBeTrue($"{schema}\n{text}");
            }
        }

        finished.ShouldBeGreaterThan(300);
    }

    [Fact]
    public void However_the_allowed_tokens_are_chosen_some_token_is_allowed_next()
    {
        for (int seed = 0; seed < 150; seed++)
        {
            var schema = new RandomSchemas(new Random(1000 + seed)).Next();
            var state = JsonConstraint.OfSchema(schema, s_tokenizer).Begin([TinyTokenizer.Close], [s_end]);
            var random = new Random(seed);
            var text = new List<int>();
            while (text.Count < 400)
            {
                int[] allowed = Ids(state.Allowed);
                allowed.ShouldNotBeEmpty($"{schema}\n{s_tokenizer.Decode([.. text])}");
                int next = allowed[random.Next(allowed.Length)];
                if (next == s_end) break;
                state.Advance(next);
                text.Add(next);
            }
        }
    }

    private static bool IsValid(JsonElement schema, string text) =>
        JsonSchema.FromText(schema.GetRawText()).Evaluate(Read(text)).IsValid;
}
