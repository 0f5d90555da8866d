using Distill.Data.Problems;
using Distill.Verification;

namespace Distill.Data.Tests.Verification;

/// <summary>The verifiers besides math, by their names.</summary>
public sealed class NamedVerifierTests
{
    private static readonly string[] Colours = ["red", "dark blue", "green", "A circle"];

    [Fact]
    public void All_are_registered_for_problems()
    {
        Verifiers.All.Select(verifier => verifier.Name).ShouldBe(["auto", "math", "integer", "choice", "exact", "regex", "json"]);
        foreach (var verifier in Verifiers.All) ProblemVerifiers.Standard.TryGet(verifier.Name).ShouldBeSameAs(verifier);
        Verifiers.TryGet("none").ShouldBeNull();
    }

    [Theory]
    [InlineData("1234", "1,234", Verdict.Correct)]
    [InlineData("1234", "\\boxed{1234}", Verdict.Correct)]
    [InlineData("1,234", "$1234.00", Verdict.Correct)]
    [InlineData("-7", "x = -7", Verdict.Correct)]
    [InlineData("12", "The answer is 12 apples.", Verdict.Correct)]
    [InlineData("12", "13", Verdict.Incorrect)]
    [InlineData("12", "12%", Verdict.Undecidable)]
    [InlineData("12", "12.5", Verdict.Undecidable)]
    [InlineData("12", "6+6", Verdict.Undecidable)]
    [InlineData("12", "twelve", Verdict.Undecidable)]
    public void Whole_numbers(string gold, string answer, Verdict expected) => new Asked(gold).By("integer", answer).ShouldBe(expected);

    [Theory]
    [InlineData("B", "B", Verdict.Correct)]
    [InlineData("B", "(b)", Verdict.Correct)]
    [InlineData("(B)", "B.", Verdict.Correct)]
    [InlineData("B", "\\boxed{\\textbf{(B)}}", Verdict.Correct)]
    [InlineData("B", "The answer is (B).", Verdict.Correct)]
    [InlineData("B", "Option B", Verdict.Correct)]
    [InlineData("B", "B) dark blue", Verdict.Correct)]
    [InlineData("B", "(B) Dark  blue.", Verdict.Correct)]
    [InlineData("B", "dark blue", Verdict.Correct)]
    [InlineData("dark blue", "B", Verdict.Correct)]
    [InlineData("D", "A circle", Verdict.Correct)]
    [InlineData("B", "C", Verdict.Incorrect)]
    [InlineData("A", "A circle", Verdict.Incorrect)]
    [InlineData("B", "Z", Verdict.Incorrect)]
    [InlineData("B", "B) green", Verdict.Undecidable)]
    [InlineData("B", "B or C", Verdict.Undecidable)]
    [InlineData("B", "blue", Verdict.Undecidable)]
    [InlineData("B", "", Verdict.Undecidable)]
    [InlineData("B", "B. No, wait, it is C", Verdict.Undecidable)]
    public void Choices(string gold, string answer, Verdict expected) =>
        new Asked(gold, "", Colours).By("choice", answer).ShouldBe(expected);

    [Theory]
    [InlineData("B", null)]
    [InlineData("green", null)]
    [InlineData("E", "option E")]
    [InlineData("yellow", "neither")]
    public void A_reference_that_is_no_choice_is_named(string gold, string? reason)
    {
        string? fault = new Asked(gold, "", Colours).FaultBy("choice");
        if (reason is null) fault.ShouldBeNull();
        else fault.ShouldNotBeNull().ShouldContain(reason);
        if (reason is not null) new Asked(gold, "", Colours).By("choice", gold).ShouldBe(Verdict.Undecidable);
    }

    [Fact]
    public void Two_choices_with_one_text_are_told_apart_by_letters_only()
    {
        var problem = new Asked("A", "", "same", "same");

        problem.By("choice", "same").ShouldBe(Verdict.Undecidable);
        problem.By("choice", "A) same").ShouldBe(Verdict.Correct);
        problem.By("choice", "B) same").ShouldBe(Verdict.Incorrect);
    }

    [Theory]
    [InlineData("New York", "new  york.", Verdict.Correct)]
    [InlineData("New York", "\\boxed{\\text{New York}}", Verdict.Correct)]
    [InlineData("New York", "The answer is **New York**.", Verdict.Correct)]
    [InlineData("New York", "New York City", Verdict.Incorrect)]
    [InlineData("New York", "NewYork", Verdict.Incorrect)]
    [InlineData("1/2", "0.5", Verdict.Incorrect)]
    [InlineData("New York", " ", Verdict.Undecidable)]
    [InlineData("New York", "<think>New York", Verdict.Undecidable)]
    public void Exact_text(string gold, string answer, Verdict expected) => new Asked(gold).By("exact", answer).ShouldBe(expected);

    [Theory]
    [InlineData("[0-9]{3}-[0-9]{4}", "555-0199", Verdict.Correct)]
    [InlineData("[0-9]{3}-[0-9]{4}", "The answer is 555-0199.", Verdict.Correct)]
    [InlineData("a|b", "b", Verdict.Correct)]
    [InlineData("a|b", "ab", Verdict.Incorrect)]
    [InlineData("a", "a\n\nb", Verdict.Incorrect)]
    [InlineData("(?i)yes", "YES", Verdict.Correct)]
    [InlineData("(a*)*b", "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa", Verdict.Incorrect)]
    [InlineData("(", "(", Verdict.Undecidable)]
    [InlineData("(a)\\1", "aa", Verdict.Undecidable)]
    [InlineData("a)|(.*", "anything", Verdict.Undecidable)]
    [InlineData("(a{1000}){1000}", "a", Verdict.Undecidable)]
    [InlineData("((a{99}){99}){99,}", "a", Verdict.Undecidable)]
    [InlineData("(?x)(a{1000}) {1000}", "a", Verdict.Undecidable)]
    [InlineData("(?x)(a{1000})#(\n{1000}", "a", Verdict.Undecidable)]
    [InlineData("[(]a{1000}", "a", Verdict.Incorrect)]
    [InlineData("[]()-[(]](a{9}|b{2,9})c{2}", "]bbbcc", Verdict.Correct)]
    [InlineData("[A-Z]{1,50}( [A-Z]{1,50}){0,9}", "NEW YORK", Verdict.Correct)]
    public void Patterns(string gold, string answer, Verdict expected)
    {
        new Asked(gold).By("regex", answer).ShouldBe(expected);
        (new Asked(gold).FaultBy("regex") is null).ShouldBe(expected != Verdict.Undecidable);
    }

    [Theory]
    [InlineData("""{"a": 1}""", """{"b": 2, "a": 1.0}""", Verdict.Correct)]
    [InlineData("""{"a": {"b": [1, "x", null]}}""", """ {"a":{"b":[1e0,"x",null],"c":true}} """, Verdict.Correct)]
    [InlineData("""{"a": 1}""", "Here it is:\n```json\n{\"a\": 1}\n```", Verdict.Correct)]
    [InlineData("""{"a": 1}""", """\boxed{{"a": 1}}""", Verdict.Correct)]
    [InlineData("12300", "1.23e4", Verdict.Correct)]
    [InlineData("0.1", "1e-1", Verdict.Correct)]
    [InlineData("""{"a": 1}""", """{"a": 2}""", Verdict.Incorrect)]
    [InlineData("""{"a": 1}""", """{"a": "1"}""", Verdict.Incorrect)]
    [InlineData("""{"a": 1}""", """{"b": 1}""", Verdict.Incorrect)]
    [InlineData("[1, 2]", "[2, 1]", Verdict.Incorrect)]
    [InlineData("[1, 2]", "[1, 2, 3]", Verdict.Incorrect)]
    [InlineData("1e99999999999999999999", "1e99999999999999999998", Verdict.Incorrect)]
    [InlineData("""{"a": 1}""", """{"a": 1, "a": 2}""", Verdict.Undecidable)]
    [InlineData("""{"a": 1}""", """{"a": 1""", Verdict.Undecidable)]
    [InlineData("""{"a": 1}""", "\uD800", Verdict.Undecidable)]
    [InlineData("""{"a": 1}""", """{"a": "\ud800"}""", Verdict.Undecidable)]
    [InlineData("""{"a": 1}""", """{"a": 1, "\ud800": 1}""", Verdict.Undecidable)]
    [InlineData("""{"a": 1}""", """{"a": 1, "b": ["\udc00"]}""", Verdict.Undecidable)]
    [InlineData("""{"a": "\ud800"}""", """{"a": 1}""", Verdict.Undecidable)]
    [InlineData("""{"a": "\ud83d\ude00"}""", """{"a": "😀"}""", Verdict.Correct)]
    [InlineData("not json", "not json", Verdict.Undecidable)]
    public void Json(string gold, string answer, Verdict expected) => new Asked(gold).By("json", answer).ShouldBe(expected);

    [Fact]
    public void Half_of_a_surrogate_pair_is_no_vote_and_no_reference()
    {
        new Asked("1").ClassBy("json", """{"a": "\ud800"}""").ShouldBeNull();
        new Asked("""{"a": "\ud800"}""").FaultBy("json").ShouldNotBeNull();
    }

    [Theory]
    [InlineData("B", new[] { "x", "y" }, "B) y", Verdict.Correct)]
    [InlineData("C", new string[0], "(C)", Verdict.Correct)]
    [InlineData("y", new[] { "x", "y" }, "B", Verdict.Correct)]
    [InlineData("\\frac{1}{2}", new string[0], "0.5", Verdict.Correct)]
    [InlineData("1,234", new string[0], "1234", Verdict.Correct)]
    [InlineData("Paris", new string[0], "The answer is Paris.", Verdict.Correct)]
    [InlineData("on", new string[0], "no", Verdict.Incorrect)]
    [InlineData("2 hours 30 minutes", new string[0], "2 hours 30 minutes", Verdict.Correct)]
    [InlineData("3", new[] { "2", "3" }, "3", Verdict.Correct)]
    public void Auto_chooses_by_the_reference(string gold, string[] choices, string answer, Verdict expected) =>
        new Asked(gold, "", choices).By("auto", answer).ShouldBe(expected);

    [Fact]
    public void No_reference_is_accepted_that_cannot_be_read()
    {
        foreach (var verifier in Verifiers.All)
        {
            // As patterns, these are good ones.
            string[] unreadable = verifier.Name == "regex" ? ["", "  "] : ["", "  ", "<think>", "\\boxed{"];
            foreach (string gold in unreadable)
            {
                verifier.FaultOf(new Asked(gold)).ShouldNotBeNull($"{verifier.Name}: '{gold}'");
                verifier.Verify(gold, new Asked(gold)).ShouldNotBe(Verdict.Correct);
            }

            verifier.Verify(null, new Asked("1")).ShouldBe(Verdict.Undecidable);
            verifier.ClassOf(null, new Asked("1")).ShouldBeNull();
        }
    }
}

/// <summary>What the schema of the json verifier says.</summary>
public sealed class JsonSchemaTests
{
    private const string Schema = """
        {
          "$schema": "https://json-schema.org/draft/2020-12/schema", "title": "A pet",
          "type": "object", "required": ["name", "age"], "additionalProperties": false,
          "properties": {
            "name": { "type": "string", "minLength": 1, "pattern": "^[A-Z]" },
            "age": { "type": "integer", "minimum": 0, "exclusiveMaximum": 100 },
            "kind": { "enum": ["cat", "dog"] },
            "toys": { "type": "array", "items": { "type": "string" }, "maxItems": 2 }
          }
        }
        """;

    [Theory]
    [InlineData("""{"name": "Ada", "age": 3}""", Verdict.Correct)]
    [InlineData("""{"name": "Ada", "age": 3.0, "kind": "cat", "toys": ["ball"]}""", Verdict.Correct)]
    [InlineData("""{"name": "Ada", "age": 3, "kind": "cow"}""", Verdict.Incorrect)]
    [InlineData("""{"name": "Ada", "age": 3, "toys": ["a", "b", "c"]}""", Verdict.Incorrect)]
    [InlineData("""{"name": "Ada", "age": 3, "toys": [1]}""", Verdict.Incorrect)]
    [InlineData("""{"name": "Ada", "age": 3, "more": 1}""", Verdict.Incorrect)]
    [InlineData("""{"age": 3}""", Verdict.Incorrect)]
    public void An_answer_must_fit(string answer, Verdict expected) =>
        Verifiers.Json(Schema).Verify(answer, new Asked("""{"age": 3}""")).ShouldBe(expected);

    [Fact]
    public void A_reference_may_leave_fields_out_and_not_contradict()
    {
        Verifiers.Json(Schema).FaultOf(new Asked("""{"name": "Ada", "age": 3}""")).ShouldBeNull();
        Verifiers.Json(Schema).FaultOf(new Asked("""{"name": "Ada", "age": 300}""")).ShouldNotBeNull();
    }

    [Theory]
    [InlineData("""{"type": "object", "if": {}}""", "if")]
    [InlineData("""{"$ref": "https://example.org/x"}""", "$ref")]
    [InlineData("""{"properties": {"a": {"pattern": "(a)\\1"}}}""", "backtracking")]
    [InlineData("[1]", "object")]
    [InlineData("{", "not JSON")]
    public void What_is_not_read_is_refused(string schema, string reason) =>
        Should.Throw<ArgumentException>(() => Verifiers.Json(schema)).Message.ShouldContain(reason);
}
