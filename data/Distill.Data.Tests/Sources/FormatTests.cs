using Distill.Data.Problems;
using Distill.Data.Sources;
using Distill.Data.Sources.Formats;
using Distill.Data.Tests.Problems;

namespace Distill.Data.Tests.Sources;

public sealed class FormatTests
{
    [Fact]
    public void Gsm8k_splits_the_answer_from_its_solution_and_keeps_the_calculator_marks()
    {
        var draft = SourceReading.Draft("""
            {"question": "How many?", "answer": "He has 48/2 = <<48/2=24>>24 clips.\nThat is all.\n#### 1,024"}
            """);

        draft.Answer.ShouldBe("1,024");
        draft.Solution.ShouldBe("He has 48/2 = <<48/2=24>>24 clips.\nThat is all.");
        draft.Verifier.ShouldBe("math");
        SolutionText.WithoutMarks(draft.Solution!).ShouldBe("He has 48/2 = 24 clips.\nThat is all.");
    }

    [Theory]
    [InlineData("a << b and c >> d", "a << b and c >> d")]
    [InlineData("<<1+1=2>>2 <<2*3=6>>6", "2 6")]
    [InlineData("x <<= 2; y >>= 1", "x <<= 2; y >>= 1")]
    public void Only_calculator_marks_are_removed(string solution, string shown) => SolutionText.WithoutMarks(solution).ShouldBe(shown);

    [Fact]
    public void Math_takes_what_the_last_box_holds_and_type_and_level()
    {
        var draft = SourceReading.Draft("""
            {"problem": "Find it.", "level": "Level 5", "type": "Algebra",
             "solution": "First \\boxed{1}, then \\[ x = \\boxed{\\frac{1}{2}} \\]"}
            """);

        (draft.Answer, draft.Level, draft.Domain).ShouldBe((@"\frac{1}{2}", 5, "Algebra"));
    }

    [Theory]
    [InlineData(@"\boxed{a} and \boxed{b", "a")]
    [InlineData(@"\boxed{\{1, 2\}}", @"\{1, 2\}")]
    [InlineData(@"\fbox{7}", "7")]
    [InlineData("boxed{7}", null)]
    [InlineData("none", null)]
    public void A_box_is_balanced_or_none(string text, string? content) => MarkedAnswer.Boxed(text).ShouldBe(content);

    [Theory]
    [InlineData("""{"question":"q","choices":["x","y","z"],"answer":1}""", "B")]
    [InlineData("""{"question":"q","choices":["x","y","z"],"answer":"C"}""", "C")]
    [InlineData("""{"question":"q","choices":["x","y","z"],"answer":"(b)"}""", "B")]
    [InlineData("""{"question":"q","choices":["x","y","z"],"answer":"z"}""", "C")]
    [InlineData("""{"question":"q","choices":["2","1","0"],"answer":"1"}""", "B")]
    [InlineData("""{"question":"q","choices":{"text":["x","y"],"label":["1","2"]},"answerKey":"2"}""", "B")]
    [InlineData("""{"question":"q","options":{"A":"x","B":"y"},"answer":"B"}""", "B")]
    public void The_answer_of_options_becomes_the_letter_under_which_it_is_shown(string row, string letter)
    {
        SourceReading.Guess(row).ShouldBe("multiple_choice");

        var draft = SourceReading.Draft(row);

        draft.Answer.ShouldBe(letter);
        draft.Verifier.ShouldBe("choice");
        draft.Text.ShouldStartWith("q\n\nA. ");
        draft.Text.ShouldEndWith($"{(char)('A' + draft.Choices.Count - 1)}. {draft.Choices[^1]}");
    }

    [Fact]
    public void Options_may_stand_in_columns_and_in_the_question_itself()
    {
        var columns = new ColumnMapping { Choices = "opa, opb, opc" };
        var draft = SourceReading.Draft("""{"question":"q","opa":"x","opb":"y","opc":null,"answer":"y"}""", "columns", columns);
        draft.Choices.ShouldBe(["x", "y"]);
        draft.Answer.ShouldBe("B");

        SourceReading.Draft("""{"question":"Which?\nA. x\nB. y","choices":["x","y"],"answer":"A"}""").Text.ShouldBe("Which?\nA. x\nB. y");
    }

    [Theory]
    [InlineData("null")]
    [InlineData("\"\"")]
    public void Columns_of_options_may_be_empty_at_the_end_only(string empty)
    {
        var columns = new ColumnMapping { Choices = "A, B, C, D" };
        SourceReading.Draft($$"""{"question":"q","A":"x","B":"y","C":"z","D":{{empty}},"answer":"C"}""", "columns", columns)
            .Choices.ShouldBe(["x", "y", "z"]);

        string gap = $$"""{"question":"q","A":"x","B":{{empty}},"C":"z","D":"w","answer":"C"}""";
        Should.Throw<FormatException>(() => SourceReading.Draft(gap, "columns", columns)).Message.ShouldBe("'B' is empty and 'D' is not");
    }

    [Theory]
    [InlineData("""["C","D","A","B"]""", "A", "the answer 'A' is the text of choice C and the letter of choice A")]
    [InlineData("""["2","1","0"]""", "2", "the answer '2' is the text of choice A and the index of choice C")]
    public void An_answer_that_means_one_option_as_a_text_and_another_as_a_letter_or_index_is_refused(
        string choices, string answer, string reason) =>
        Should.Throw<FormatException>(() => SourceReading.Draft($$"""{"question":"q","choices":{{choices}},"answer":"{{answer}}"}"""))
            .Message.ShouldBe(reason);

    [Theory]
    [InlineData("""{"question":"q","choices":["A","B","C"],"answer":"B"}""", "B")]
    [InlineData("""{"question":"q","choices":["0","1","2"],"answer":"2"}""", "C")]
    [InlineData("""{"question":"q","choices":["2","1","0"],"answer":2}""", "C")]
    [InlineData("""{"question":"q","choices":["7","8","9"],"answer":"9"}""", "C")]
    [InlineData("""{"question":"q","choices":{"text":["B","A"],"label":["A","B"]},"answerKey":"B"}""", "B")]
    public void Options_that_are_letters_or_numbers_are_found_where_all_readings_agree(string row, string letter) =>
        SourceReading.Draft(row).Answer.ShouldBe(letter);

    [Fact]
    public void Messages_are_a_system_message_a_question_and_a_reply()
    {
        var draft = SourceReading.Draft("""
            {"messages":[{"role":"system","content":"Be brief."},{"role":"user","content":"2 + 2?"},
             {"role":"assistant","content":"It is \\boxed{4}."}]}
            """);

        (draft.System, draft.Text, draft.Answer, draft.Solution).ShouldBe(("Be brief.", "2 + 2?", "4", @"It is \boxed{4}."));
        var parts = SourceReading.Draft("""
            {"messages":[{"role":"user","content":[{"type":"text","text":"2 + "},{"type":"text","text":"2?"}]}],"answer":"4"}
            """);
        (parts.Text, parts.Answer).ShouldBe(("2 + 2?", "4"));
    }

    [Theory]
    [InlineData("""[{"role":"user","content":"a"},{"role":"assistant","content":"b"},{"role":"user","content":"c"}]""", "2 questions")]
    [InlineData("""[{"role":"assistant","content":"b"}]""", "no message of the user")]
    [InlineData("""[{"role":"user","content":"a"},{"role":"tool","content":"b"}]""", "role 'tool'")]
    [InlineData("""[{"role":"user","content":[{"type":"image_url"}]},{"role":"assistant","content":"4"}]""", "only text")]
    [InlineData("""[{"role":"user","content":"a"},{"role":"assistant","content":"a long reply\nin lines"}]""", "says no answer")]
    [InlineData("""["hello"]""", "no message")]
    public void A_chat_that_cannot_be_asked_as_one_question_says_why(string chat, string reason) =>
        Should.Throw<FormatException>(() => SourceReading.Draft($$"""{"messages":{{chat}}}""")).Message.ShouldContain(reason);

    [Fact]
    public void Open_r1_leaves_generations_alone()
    {
        var draft = SourceReading.Draft("""
            {"problem":"p","solution":"s","answer":"7","problem_type":"Algebra","uuid":"u-1","generations":["<think>...</think>"]}
            """);
        (draft.Text, draft.Answer, draft.Solution, draft.Domain, draft.Id).ShouldBe(("p", "7", "s", "Algebra", "u-1"));
    }

    [Fact]
    public void Open_thoughts_reads_the_solution_between_its_marks_and_no_system_message()
    {
        var draft = SourceReading.Draft("""
            {"system":"Your role ...","conversations":[{"from":"user","value":"p"},
             {"from":"assistant","value":
              "<|begin_of_thought|>\\boxed{1}<|end_of_thought|><|begin_of_solution|>so \\boxed{2}<|end_of_solution|>"}]}
            """);
        (draft.Text, draft.Answer, draft.Solution, draft.System).ShouldBe(("p", "2", @"so \boxed{2}", null));
    }

    [Fact]
    public void Distill_s_own_problems_stay_as_they_are()
    {
        using var folder = new TemporaryFolder();
        Problem[] problems = [.. FamilySamples.WithTwins("words", 2).Take(5)];
        using (var stream = File.Create(folder["p.jsonl"])) ProblemFile.Write(stream, problems);

        SourceReading.Problems(folder["p.jsonl"]).ShouldBe(problems);
    }

    [Theory]
    [InlineData("""{"question":"q","answer":"Paris"}""", "columns")]
    [InlineData("""{"question":"q","answer":"so\n#### 4"}""", "gsm8k")]
    [InlineData("""{"problem":"q","solution":"\\boxed{4}"}""", "math")]
    [InlineData("""{"problem":"q","solution":"\\boxed{4}","answer":"4"}""", "columns")]
    [InlineData("""{"prompt":"q","completion":"4"}""", "columns")]
    [InlineData("""{"problem":"q","answer":"4","generations":[]}""", "open_r1")]
    [InlineData("""{"conversations":[]}""", "open_thoughts")]
    public void The_first_row_tells_the_format(string row, string format) => SourceReading.Guess(row).ShouldBe(format);

    [Fact]
    public void Every_format_has_a_name_of_its_own_and_says_what_it_looks_like()
    {
        ProblemFormats.All.Select(format => format.Name).ShouldBeUnique();
        ProblemFormats.All.ShouldAllBe(format => format.Description.Length > 10);
        Should.Throw<ArgumentException>(() => ProblemFormats.Get("gsm9k")).Message.ShouldContain("gsm8k");
    }

    [Fact]
    public void Templates_put_columns_together_and_paths_lead_into_nested_values()
    {
        var reading = SourceReading.Columns("{title}\n{meta.body} {{x}}", "meta.answers.1");
        var draft = SourceReading.Draft(
            """{"title":"T","meta":{"body":"B","answers":["no","yes"]}}""", "columns", reading.Columns);
        (draft.Text, draft.Answer).ShouldBe(("T\nB {x}", "yes"));
        SourceReading.Draft("""{"question":"q","a.b":"dotted","a":{"b":"nested"}}""", "columns",
            SourceReading.Columns(answer: "a.b").Columns).Answer.ShouldBe("dotted");
        Should.Throw<FormatException>(() => SourceReading.Draft("""{"title":"T"}""", "columns", reading.Columns)).Message
            .ShouldContain("'meta.body' has no value");
        foreach (string wrong in (string[])["{", "{}", "a {b"])
            Should.Throw<FormatException>(() => ColumnExpression.Parse(wrong)).Message.ShouldContain("brace");
    }

    [Theory]
    [InlineData("data/gsm8k/train.jsonl", "gsm8k")]
    [InlineData("data/questions.csv.gz", "questions")]
    [InlineData("data/train.jsonl", "train")]
    [InlineData("data/*.csv", "data")]
    [InlineData("data/math/train-*.parquet", "math")]
    [InlineData("/x/my set/test-00001.jsonl", "my-set")]
    public void A_file_is_called_by_what_it_is(string path, string name) => SourceName.OfFile(path).ShouldBe(name);
}
