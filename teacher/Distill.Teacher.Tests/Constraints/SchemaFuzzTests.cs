using System.Text.Json;
using System.Text.Json.Nodes;
using Distill.Generation.Constraints;
using Distill.Teacher.Tests.Fixtures;
using static Distill.Teacher.Tests.Constraints.ConstrainedText;

namespace Distill.Teacher.Tests.Constraints;

/// <summary>Schemas and patterns that nobody would write: each is taken or refused, and nothing else happens.</summary>
public sealed class SchemaFuzzTests
{
    private static readonly string[] s_values =
    [
        "null", "true", "[]", "{}", "-1", "1e99", "0.5", "\"\"", "\"string\"", "[{}]", "[\"a\",\"a\"]", "{\"a\":{}}", "\"#\"", "\"#/a/b\"",
        "[1]",
        "\"^(a|b)*$\"", "{\"a\":false}", "[\"a\"]", "3",
    ];

    [Fact]
    public void Damaged_schemas_are_taken_or_refused()
    {
        string[] keywords = [.. SchemaKeywords.Known, .. SchemaKeywords.Annotations, "not", "x"];
        int taken = 0;
        for (int seed = 0; seed < 1200; seed++)
        {
            var random = new Random(seed);
            var schema = JsonNode.Parse(new RandomSchemas(random).Next().GetRawText())!;
            var objects = Objects(schema).ToList();
            for (int change = random.Next(3); change >= 0; change--)
                objects[random.Next(objects.Count)][keywords[random.Next(keywords.Length)]] =
                    JsonNode.Parse(s_values[random.Next(s_values.Length)]);
            try
            {
                var state = JsonConstraint.OfSchema(JsonSerializer.SerializeToElement(schema), TinyTokenizer.Tokenizer).Begin([0], [1]);
                Ids(state.Allowed).ShouldNotBeEmpty(schema.ToJsonString());
                taken++;
            }
            catch (Exception e) when (e is ArgumentException or NotSupportedException)
            {
                e.Message.ShouldNotBeNullOrWhiteSpace();
            }
        }

        taken.ShouldBeInRange(50, 1150);
    }

    [Fact]
    public void Patterns_by_chance_are_taken_or_refused_and_match_what_the_platform_matches()
    {
        const string alphabet = "ab|()[]{}*+?^$.\\dws,-1x2é";
        int taken = 0;
        for (int seed = 0; seed < 2000; seed++)
        {
            var random = new Random(seed);
            string pattern = string.Concat(Enumerable.Range(0, random.Next(1, 9)).Select(_ => alphabet[random.Next(alphabet.Length)]));
            PatternAutomaton automaton;
            try
            {
                automaton = PatternAutomaton.Of(pattern);
            }
            catch (NotSupportedException)
            {
                continue;
            }

            taken++;
            System.Text.RegularExpressions.Regex expected;
            try
            {
                expected = new(pattern, System.Text.RegularExpressions.RegexOptions.ECMAScript, TimeSpan.FromSeconds(5));
            }
            catch (ArgumentException)
            {
                continue; // the platform is stricter there
            }

            for (int i = 0; i < 30; i++)
            {
                string text = string.Concat(Enumerable.Range(0, random.Next(6)).Select(_ => "ab1 xé-"[random.Next(7)]));
                automaton.Matches(System.Text.Encoding.UTF8.GetBytes(text)).ShouldBe(expected.IsMatch(text), $"/{pattern}/ on '{text}'");
            }
        }

        taken.ShouldBeGreaterThan(250);
    }

    private static IEnumerable<JsonObject> Objects(JsonNode? node) => node switch
    {
        JsonObject each => each.SelectMany(member => Objects(member.Value)).Prepend(each),
        JsonArray array => array.SelectMany(Objects),
        _ => [],
    };
}
