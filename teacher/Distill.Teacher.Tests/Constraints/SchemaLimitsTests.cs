using Distill.Generation.Constraints;
using Distill.Teacher.Tests.Fixtures;
using Distill.Tokenization;
using static Distill.Teacher.Tests.Constraints.ConstrainedText;

namespace Distill.Teacher.Tests.Constraints;

/// <summary>Schemas that would take a machine's time, memory or stack are refused; what they resemble is taken.</summary>
public sealed class SchemaLimitsTests
{
    private static readonly Tokenizer s_tokenizer = TinyTokenizer.Tokenizer;

    [Fact]
    public void Alternatives_that_lead_back_into_themselves_are_not_expanded_for_ever() => Refused(
        $$"""
        {"oneOf":[{"$ref":"#/$defs/a"},{"type":"string"}],
         "$defs":{"a":{"anyOf":[{{Many(10, _ => """{"$ref":"#/$defs/a"}""")}}]} } }
        """,
        "'oneOf'");

    [Fact]
    public void Alternatives_of_which_one_may_hold_are_not_too_many() =>
        Refused($$"""{"oneOf":[{{Many(300, i => $$"""{"const":{{i}}}""")}}]}""", "256");

    [Fact]
    public void A_long_chain_of_references_is_refused()
    {
        Refused(Chain(1000), "one behind another");
        Takes(Constraint(Chain(60)), s_tokenizer, "\"x\"", TinyTokenizer.Encoder.EndToken).ShouldBeTrue();

        static string Chain(int length) =>
            $$"""{"$ref":"#/$defs/0","$defs":{ {{Many(length, i => $$"""
                "{{i}}":{"$ref":"#/$defs/{{i + 1}}"}
                """)}},"{{length}}":{"type":"string"} } }""";
    }

    [Fact]
    public void Choices_of_choices_do_not_multiply()
    {
        string levels = Many(12, i => $$"""
            "{{i}}":{"anyOf":[{{Many(6, _ => $$"""{"$ref":"#/$defs/{{i + 1}}"}""")}}]}
            """);
        Refused($$"""{"$ref":"#/$defs/0","$defs":{ {{levels}},"12":{"type":"string"} } }""", "begin alike");
    }

    [Fact]
    public void Alternatives_that_begin_alike_are_few_but_listed_values_may_be_many()
    {
        Refused($$"""{"anyOf":[{{Many(200, i => $$"""{"type":"string","maxLength":{{i}}}""")}}]}""", "begin alike");
        var constants = Constraint($$"""{"anyOf":[{{Many(500, i => $$"""{"const":"v{{i}}"}""")}},{"type":"null"}]}""");
        foreach (string text in (string[])["\"v0\"", "\"v499\"", "null"])
            Takes(constants, s_tokenizer, text, TinyTokenizer.Encoder.EndToken).ShouldBeTrue(text);
        Takes(constants, s_tokenizer, "\"v500\"", TinyTokenizer.Encoder.EndToken).ShouldBeFalse();
    }

    [Fact]
    public void Readings_that_multiply_on_the_way_end_the_walk()
    {
        // Twelve objects that begin alike, each with twelve strings that do: 144 readings after the name.
        string texts = Many(12, i => $$"""{"type":"string","maxLength":{{i + 5}}}""");
        string objects = Many(12, i => $$"""
            {"type":"object","properties":{"a":{"anyOf":[{{texts}}]},"b{{i}}":{} },"required":["b{{i}}"]}
            """);
        var state = Constraint($$"""{"anyOf":[{{objects}}]}""").Begin([0], [TinyTokenizer.Encoder.EndToken]);
        Should.Throw<NotSupportedException>(() =>
        {
            foreach (int token in s_tokenizer.Encode("{\"a\":\"x"))
            {
                _ = state.Allowed;
                state.Advance(token);
            }
        }).Message.ShouldContain("ways at once");
    }

    [Theory]
    [InlineData("a{1}{1}", "second quantifier")]
    [InlineData("a**", "second quantifier")]
    [InlineData("a+??", "second quantifier")]
    [InlineData("^(a?){1000}$", "too many ways")]
    public void Patterns_that_grow_are_refused(string pattern, string named) =>
        Should.Throw<NotSupportedException>(() => PatternAutomaton.Of(pattern)).Message.ShouldContain(named);

    [Fact]
    public void Quantifiers_one_after_another_do_not_nest() =>
        Should.Throw<NotSupportedException>(() => PatternAutomaton.Of("a" + string.Concat(Enumerable.Repeat("{1}", 2000))));

    [Fact]
    public void All_patterns_of_a_schema_share_a_limit()
    {
        Refused($$"""{"anyOf":[{{Many(30, i => Pattern(900 + i))}}]}""", "all patterns together");
        Constraint($$"""{"anyOf":[{{Many(30, _ => Pattern(900))}}]}"""); // made once

        static string Pattern(int length) => $$"""{"type":"string","pattern":"^x{{{length}}}$"}""";
    }

    [Fact]
    public void A_long_pattern_loses_the_states_that_lead_nowhere()
    {
        // The second alternative needs a character that is none.
        var automaton = PatternAutomaton.Of("^(a{900}|b{900}[])$");
        automaton.Matches("b"u8).ShouldBeFalse();
        automaton.Next(automaton.Start, (byte)'b').ShouldBeLessThan(0);
        automaton.Matches(Enumerable.Repeat((byte)'a', 900).ToArray()).ShouldBeTrue();
    }

    [Theory]
    [InlineData("""{"const":"\ud8c0\udc00"}""")]
    [InlineData("""{"type":"object","properties":{"\ud8c0\udc00":{}}}""")]
    public void Characters_that_no_token_writes_are_refused_where_they_are_needed(string schema)
    {
        var tokenizer = Tokenizer.Load(FixtureFolder.Require("tokenizers", "smollm2"));
        Should.Throw<NotSupportedException>(() => JsonConstraint.OfSchema(Read(schema), tokenizer)).Message.ShouldContain("no tokens for");
        JsonConstraint.OfSchema(Read(schema.Replace("\\ud8c0\\udc00", "\\ud83d\\ude00")), tokenizer);
    }

    [Fact]
    public void A_pattern_of_characters_that_no_token_writes_has_no_value()
    {
        var tokenizer = Tokenizer.Load(FixtureFolder.Require("tokenizers", "smollm2"));
        Should.Throw<ArgumentException>(
            () => JsonConstraint.OfSchema(Read("""{"type":"string","pattern":"^\ud8c0\udc00$"}"""), tokenizer));
    }

    [Theory]
    [InlineData(200, 400)]
    [InlineData(0, 1000)]
    [InlineData(3, null)]
    [InlineData(150, 150)]
    public void What_may_follow_within_a_string_is_known_without_a_walk_for_each_length(int least, int? most)
    {
        var vocabulary = ConstraintVocabulary.Of(s_tokenizer);
        var node = new StringNode(least, most);
        var looked = new HashSet<Frame>();
        for (int count = 0; count <= (most ?? least); count++)
        {
            var frame = new StringFrame(node, count, TextScan.Start, new EndFrame());
            ulong[] walked = new ulong[vocabulary.Words], added = new ulong[vocabulary.Words];
            new TrieWalk(vocabulary.All, walked).Run(frame);
            vocabulary.Masks.Add(frame, added);
            added.ShouldBe(walked, $"after {count} characters");
            looked.Add(frame.Within(vocabulary.LongestOther));
        }

        looked.Count.ShouldBeLessThanOrEqualTo((2 * vocabulary.LongestOther) + 4);
    }

    [Fact]
    public void A_tool_whose_arguments_do_not_fit_into_a_call_is_named()
    {
        string levels = Many(SchemaNode.MostDepth, i => $$"""
            "{{i}}":{"type":"object","properties":{"a":{"$ref":"#/$defs/{{i + 1}}"} },"required":["a"]}
            """);
        string deep = $$"""{"$ref":"#/$defs/0","$defs":{ {{levels}},"{{SchemaNode.MostDepth}}":{"type":"null"} } }""";
        Constraint(deep); // by itself it fits
        Should.Throw<ArgumentException>(() => Calls("deep_tool", deep)).Message.ShouldContain("'deep_tool'");
        Should.Throw<ArgumentException>(() => Calls("text_tool", """{"type":"string"}""")).Message.ShouldContain("'text_tool'");
    }

    [Theory]
    [InlineData("true")]
    [InlineData("{}")]
    [InlineData("""{"anyOf":[{"type":"object"},{"type":"null"}]}""")]
    [InlineData("""{"enum":[null,{}]}""")]
    public void Arguments_are_an_object_whatever_else_their_schema_takes(string parameters)
    {
        var calls = Calls("f", parameters);
        Takes(calls, s_tokenizer, """{"name":"f","arguments":{}}""", TinyTokenizer.Encoder.EndToken).ShouldBeTrue();
        Takes(calls, s_tokenizer, """{"name":"f","arguments":null}""", TinyTokenizer.Encoder.EndToken).ShouldBeFalse();
    }

    private static JsonConstraint Calls(string name, string parameters) =>
        JsonConstraint.OfCalls([(name, Read(parameters))], "arguments", "", "", isList: false, s_tokenizer);

    private static JsonConstraint Constraint(string schema) => JsonConstraint.OfSchema(Read(schema), s_tokenizer);

    private static void Refused(string schema, string named) =>
        Should.Throw<NotSupportedException>(() => Constraint(schema)).Message.ShouldContain(named);

    private static string Many(int count, Func<int, string> each) => string.Join(',', Enumerable.Range(0, count).Select(each));
}
