using Distill.Data.Problems;
using Distill.Data.Problems.Twins;

namespace Distill.Data.Tests.Problems.Twins;

/// <summary>Twins of problems that no family made: what is safe, and what is refused.</summary>
public sealed class FileTwinTests
{
    private const string Clips =
        "Natalia sold clips to 48 of her friends in April, and then she sold half as many clips in May. "
        + "How many clips did Natalia sell altogether in April and May?";

    private const string ClipSolution = "Natalia sold 48/2 = <<48/2=24>>24 clips in May.\nNatalia sold 48+24 = <<48+24=72>>72 clips.";

    [Fact]
    public void A_problem_of_a_file_has_the_three_safe_twins()
    {
        var problem = Of(Clips, "72", ClipSolution);

        var twins = ProblemTwins.Of(problem);

        twins.Select(twin => twin.Kind).ShouldBe([TwinKind.Renamed, TwinKind.Irrelevant, TwinKind.Recomputed]);
        twins.Select(twin => twin.Problem.Id).ShouldBe(["mine#7~renamed", "mine#7~irrelevant", "mine#7~recomputed"]);
        twins.ShouldAllBe(twin => twin.Problem.Split == problem.Split && twin.Problem.Source == "mine");
        twins.ShouldAllBe(twin => twin.Problem.Verifier == "integer");
        ProblemTwins.Of(problem).ShouldBe(twins);
        ProblemTwins.Of(twins[0].Problem).ShouldBeEmpty();
    }

    [Fact]
    public void A_renamed_twin_has_other_names_in_text_and_solution()
    {
        var twin = Twin(Of(Clips, "72", ClipSolution), TwinKind.Renamed)!;

        var name = twin.Text.Split(' ')[0];
        name.ShouldNotBe("Natalia");
        twin.Text.ShouldBe(Clips.Replace("Natalia", name));
        twin.ReferenceSolution.ShouldBe(ClipSolution.Replace("Natalia", name));
        twin.ReferenceAnswer.ShouldBe("72");
    }

    [Theory]
    [InlineData("Tom has 3 apples and James' sister has 4. How many apples do they have?", "'s sister")]
    [InlineData("If Tom has 3 apples and he eats one, how many apples does Tom have?", "If ")]
    public void Possessives_and_openers_are_no_hindrance(string text, string kept)
    {
        var twin = Twin(Of(text, "7"), TwinKind.Renamed)!;

        twin.Text.ShouldContain(kept);
        twin.Text.ShouldNotContain("Tom");
        twin.Text.ShouldNotContain("James");
    }

    [Theory]
    [InlineData("Tom Sawyer has 3 apples and he eats one. How many apples does he have?")]
    [InlineData("Mr. Thomas has 3 apples and he eats one. How many apples does he have?")]
    [InlineData("Tom's Diner has 3 apples and sells one of them. How many apples are there?")]
    [InlineData("Tom, whose name has three letters, has 3 apples. How many apples does he have?")]
    [InlineData("Tim, or Timothy as he is known, has 3 apples and he eats one. How many apples are left?")]
    [InlineData("Tom has 3 apples and she eats one. How many apples does she have?")]
    [InlineData("Jordan went to Paris in May with 3 apples and ate one. How many apples are left in May?")]
    [InlineData("The train has 3 cars and loses one of them. How many cars are left?")]
    public void Names_that_are_not_surely_people_are_left_alone(string text) => Twin(Of(text, "2"), TwinKind.Renamed).ShouldBeNull();

    [Fact]
    public void A_name_in_the_answer_or_the_options_is_left_alone()
    {
        const string text = "Tom has 3 apples and Anna has 4 of them. Who has more apples than the other?";

        Twin(Of(text, "Anna"), TwinKind.Renamed).ShouldBeNull();
        Twin(Of(text, "B") with { Choices = ["Tom", "Anna"] }, TwinKind.Renamed).ShouldBeNull();
    }

    [Fact]
    public void An_irrelevant_clause_goes_before_the_question()
    {
        var twin = Twin(Of(Clips, "72", ClipSolution), TwinKind.Irrelevant)!;

        var (opening, question) = (Clips[..(Clips.IndexOf(". ", StringComparison.Ordinal) + 2)], "How many clips");
        twin.Text.ShouldStartWith(opening);
        twin.Text[opening.Length..].ShouldMatch($@"^[A-Z][^.?]*[0-9]+[^.?]*\. {question}");
        (twin.ReferenceAnswer, twin.ReferenceSolution, twin.Signature).ShouldBe(("72", ClipSolution, Clips));
    }

    [Fact]
    public void It_goes_to_the_beginning_where_the_question_points_back()
    {
        const string text = "A robe takes 2 bolts of blue fiber and half that much white fiber. How many bolts in total does it take?";

        Twin(Of(text, "3"), TwinKind.Irrelevant)!.Text.ShouldEndWith($". {text}");
    }

    [Fact]
    public void It_never_shares_a_thing_or_a_unit_with_the_text()
    {
        const string text = "The clock tower, the oak in the park, the museum, the lake and the bus are on television and in the "
            + "newspaper; the library and the radio have a satellite and a thermometer, and {0} is 3 meters from the lighthouse. "
            + "How far is {0}?";

        Twin(Of(text.Replace("{0}", "the poster"), "3"), TwinKind.Irrelevant).ShouldBeNull();
    }

    [Theory]
    [InlineData("Find the value of $x^2 + 3$ when the value of $x$ is 4.")]
    [InlineData("What is the sum of 3 and 4? A) 6 B) 7 (C) 8")]
    [InlineData("Wie viele Äpfel hat Anna? Anna hat 3 Äpfel und Ben hat 4 Äpfel.")]
    [InlineData("How many letters has the word in this sentence. How many are there?")]
    [InlineData("3 + 4")]
    public void Text_that_is_not_plain_prose_gets_no_clause(string text) => Twin(Of(text, "7"), TwinKind.Irrelevant).ShouldBeNull();

    private static Problem? Twin(Problem problem, TwinKind kind) =>
        ProblemTwins.Of(problem).FirstOrDefault(twin => twin.Kind == kind)?.Problem;

    private static Problem Of(string text, string answer, string? solution = null) =>
        new("mine#7", "mine", "math", Split.Test, 1, text, answer, solution, text) { Verifier = "integer" };
}

/// <summary>Twins of generated problems through the same door.</summary>
public sealed class ProblemTwinTests
{
    [Fact]
    public void A_generated_problem_has_the_twins_of_its_family()
    {
        var (problem, twins) = FamilySamples.Of("words", 1)[0];

        ProblemTwins.Of(problem).ShouldBe(twins);
    }

    [Fact]
    public void A_problem_that_its_family_does_not_make_has_none()
    {
        var problem = FamilySamples.Of("words", 1)[0].Problem;

        ProblemTwins.Of(problem with { Text = "how many ?" }).ShouldBeEmpty();
        ProblemTwins.Of(problem with { Id = "words/9/test/7/000001" }).ShouldBeEmpty();
    }

    [Theory]
    [InlineData("gsm8k/17~renamed", "gsm8k/17", TwinKind.Renamed)]
    [InlineData("a~b~recomputed", "a~b", TwinKind.Recomputed)]
    [InlineData("words/1/test/7/000041~unsatisfiable", "words/1/test/7/000041", TwinKind.Unsatisfiable)]
    public void The_id_of_a_twin_is_taken_apart_whatever_the_original_is_called(string id, string original, TwinKind kind)
    {
        ProblemId.TryParseTwin(id).ShouldBe((original, kind));
        ProblemId.OfTwin(original, kind).ShouldBe(id);
    }

    [Theory]
    [InlineData("gsm8k/17")]
    [InlineData("~renamed")]
    [InlineData("gsm8k/17~other")]
    [InlineData("gsm8k/17~renamed ")]
    public void Other_ids_are_those_of_no_twin(string id) => ProblemId.TryParseTwin(id).ShouldBeNull();
}
