using System.Text.Json;

namespace Distill.Pipeline.Tests.CommandLine;

/// <summary>What <c>distill score</c> finds, against recorded figures and against its own sums.</summary>
public sealed class ScoreCommandTests : IDisposable
{
    private readonly TemporaryFolder folder = new();

    public void Dispose() => folder.Dispose();

    [Fact]
    public void Four_texts_of_gsm8k_score_as_pytorch_recorded()
    {
        string model = FixtureFolder.Require("..", "models", "smollm2-135m-instruct");
        using var reference = JsonDocument.Parse(File.ReadAllText(Path.Combine(model, "reference.json")));
        var texts = reference.RootElement.GetProperty("gsm8k").GetProperty("texts").EnumerateArray().Take(4).ToList();
        string file =
            folder.File("texts.jsonl",
                string.Join('\n', texts.Select(text => JsonSerializer.Serialize(new { text = text.GetProperty("text").GetString() }))));
        var run = CommandLineRun.Of("score", model, file, "--json", "--no-tokens");
        run.Code.ShouldBe(0, run.Error);
        var lines = Lines(run);
        for (int i = 0; i < texts.Count; i++)
        {
            lines[i].GetProperty("tokens").GetInt32().ShouldBe(texts[i].GetProperty("tokens").GetInt32());
            lines[i].GetProperty("meanNll").GetDouble().ShouldBe(texts[i].GetProperty("mean_nll").GetDouble(), 1e-4);
            lines[i].GetProperty("sum").GetDouble().ShouldBe(-texts[i].GetProperty("sum_nll").GetDouble(), 1e-2);
        }

        double sum = texts.Sum(text => text.GetProperty("sum_nll").GetDouble()),
            count = texts.Sum(text => text.GetProperty("tokens").GetInt32() - 1);
        lines[^1].GetProperty("total").GetProperty("perplexity").GetDouble().ShouldBe(Math.Exp(sum / count), 1e-3);
    }

    [Fact]
    public void Of_a_prompt_and_a_completion_only_the_completion_counts()
    {
        string model = TinyCheckpoint.Write(At("model"));
        var run = CommandLineRun.With("""
            {"prompt":"12 + 3","completion":" = 15"}
            {"prompt":"12 + 3","completion":[5, 6, 7]}
            {"text":"12 + 3"}

            {"ids":[5]}
            """, default, "score", model, "-", "--jsonl", "--json", "--top", "2");
        run.Code.ShouldBe(0, run.Error);
        var lines = Lines(run);
        lines.Count.ShouldBe(5);
        int prompt = lines[2].GetProperty("tokens").GetInt32();
        foreach (var line in lines.Take(2))
        {
            double[] scores = [.. line.GetProperty("logProbabilities").EnumerateArray().Skip(prompt).Select(value => value.GetDouble())];
            line.GetProperty("scored").GetInt32().ShouldBe(scores.Length);
            line.GetProperty("sum").GetDouble().ShouldBe(scores.Sum(), 1e-9);
            line.GetProperty("perplexity").GetDouble().ShouldBe(Math.Exp(-scores.Average()), 1e-6);
            line.GetProperty("top").EnumerateArray().Skip(1).ShouldAllBe(others => others.GetArrayLength() == 2);
        }

        lines[1].GetProperty("scored").GetInt32().ShouldBe(3);
        lines[2].GetProperty("scored").GetInt32().ShouldBe(prompt - 1);
        lines[3].GetProperty("line").GetInt32().ShouldBe(5);
        lines[3].GetProperty("perplexity").ValueKind.ShouldBe(JsonValueKind.Null);
        lines[4].GetProperty("total").GetProperty("scored").GetInt64()
            .ShouldBe(lines.Take(4).Sum(line => line.GetProperty("scored").GetInt32()));
    }

    [Fact]
    public void A_checkpoint_and_its_export_score_alike_and_people_get_tables()
    {
        string trained = TinyCheckpoint.Write(At("trained")), file = folder.File("texts.txt", "12 + 3 = 15\nTom has 4 apples.\n");
        CommandLineRun.Of("export", trained, "--out", At("onnx")).Code.ShouldBe(0);
        var one = CommandLineRun.Of("score", trained, file, "--json");
        var two = CommandLineRun.Of("score", At("onnx"), file, "--json");
        two.Out.ShouldBe(one.Out);
        var table = CommandLineRun.Of("score", trained, file, "--top", "3");
        foreach (string word in (string[])["instead", "log-probability", "line 2: ", "all 2: ", "perplexity"]) table.Out.ShouldContain(
            word);
        CommandLineRun.Of("score", trained, file, "--no-tokens").Out.ShouldNotContain("log-probability");
        Lines(CommandLineRun.Of("score", trained, file, "--whole", "--json"))[0].GetProperty("pieces").EnumerateArray()
            .Select(piece => piece.GetString()).ShouldContain("Ċ"); // the line end in the byte alphabet
    }

    [Fact]
    public void A_text_that_is_too_long_is_refused_before_anything_runs_or_cut()
    {
        string trained = TinyCheckpoint.Write(At("trained"));
        string file = folder.File("texts.txt", "short\n" + string.Concat(Enumerable.Range(0, 600).Select(i => $"{i} ")));
        var run = CommandLineRun.Of("score", trained, file);
        run.Code.ShouldBe(1);
        run.Error.ShouldContain("Line 2 has");
        run.Error.ShouldContain("--cut");
        run.Out.ShouldBeEmpty();
        Lines(CommandLineRun.Of("score", trained, file, "--cut", "--json"))[1].GetProperty("tokens").GetInt32().ShouldBe(512);
    }

    [Theory]
    [InlineData("Line 1 has neither 'text' nor 'ids' nor 'prompt' with 'completion'.", "{}")]
    [InlineData("Line 2 is not JSON", "{\"text\":\"a\"}\n{")]
    [InlineData("Line 1 is not an object.", "[1]")]
    [InlineData("Line 1 has 'ids' with 1.5, which is no token id.", "{\"ids\":[1.5]}")]
    [InlineData("Line 1 has token 99999; the model's are 0 to", "{\"ids\":[1, 99999]}")]
    [InlineData("Line 1 has no token.", "{\"text\":\"\"}")]
    [InlineData("'-' holds no text.", "\n\n")]
    public void A_line_that_cannot_be_scored_is_named(string message, string input)
    {
        var run = CommandLineRun.With(input, default, "score", TinyCheckpoint.Write(At("model")), "-", "--jsonl");
        run.Code.ShouldBe(1, run.Error);
        run.Error.ShouldContain(message);
    }

    private static List<JsonElement> Lines(CommandLineRun run) =>
        [.. run.Out.Split('\n', StringSplitOptions.RemoveEmptyEntries).Select(line => JsonDocument.Parse(line).RootElement)];

    private string At(string name) => Path.Combine(folder.Path, name);
}
