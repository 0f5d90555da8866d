using Distill.Client;
using Distill.Data.Problems;
using Distill.Evaluation;
using Distill.Evaluation.Strategies;
using Distill.Generation;
using Distill.Teacher.Tests.Fixtures;
using Distill.Tokenization;
using Microsoft.Extensions.AI;

namespace Distill.Teacher.Tests.Serving;

/// <summary>
/// A model whose configuration names a second end token, and that ends its replies with it: everything that generates stops there.
/// </summary>
public sealed class EndTokenTests
{
    private static readonly int Second = TinyTokenizer.Tokens("Z")[0]; // an ordinary token of the tokenizer

    private static readonly ChatEncoder Encoder = new(TinyTokenizer.Tokenizer, TinyTokenizer.Encoder.Template, endTokens: [Second]);

    private static readonly Problem Asked = new("p", "arithmetic", "test", Split.Test, 1, "What is 40 + 2?", "42", null, "s");

    // "42" and then the second end token, over and over; the prompt never ends with a digit.
    private static ScriptedTokenModel Model() => new(TinyTokenizer.Tokenizer.VocabularySize, 300, (sequence, logits) =>
    {
        int four = TinyTokenizer.Tokens("4")[0], two = TinyTokenizer.Tokens("2")[0];
        logits.Clear();
        logits[sequence[^1] == four ? two : sequence[^1] == two ? Second : four] = 50;
    });

    [Fact]
    public void Traces_end_there()
    {
        using var model = Model();
        var options = new TraceCollectionOptions
        {
            Seed = 1, Teacher = "scripted", TeacherDigest = "", Samples = 1, KeepTokens = true, MaxNewTokens = 20,
        };
        var trace = new TraceCollection(new BatchGenerator(model), Encoder, options).Generate([Asked], 0).Traces.ShouldHaveSingleItem();
        (trace.StopReason, trace.Answer, trace.TokenIds[^1], trace.CompletionTokens).ShouldBe(("stop", "42", Second, 3));
    }

    [Fact]
    public void Evaluation_and_strategies_end_there()
    {
        using var model = Model();
        var result = new Evaluator(new BatchGenerator(model), Encoder).Run(
            "m", [Asked], [], new EvaluationOptions { Samples = 2, MaxNewTokens = 20 });
        (result.Report.Greedy, result.Report.Truncated, result.Report.MeanTokens).ShouldBe((1, 0, 3));
        var report = StrategyEvaluation.Run(
            "m", new SelfConsistency(), new Reasoner(new BatchGenerator(model), Encoder), [Asked], new StrategyOptions { Budget = 2 });
        report.Levels.ShouldAllBe(level => level.Accuracy == 1);
    }

    [Fact]
    public async Task Chat_ends_there()
    {
        using var model = Model();
        using var engine = new GenerationEngine(model);
        using var client = new EngineChatClient(engine, Encoder, "scripted");
        var response = await client.GetResponseAsync("What is 40 + 2?", cancellationToken: TestContext.Current.CancellationToken);
        (response.Text, response.FinishReason).ShouldBe(("42", ChatFinishReason.Stop));
    }

    [Theory]
    [InlineData("/v1/chat/completions"), InlineData("/v1/completions")]
    public async Task The_server_ends_there(string path)
    {
        using var model = Model();
        await using var server = await RunningServer.StartAsync(model, Encoder);
        bool chat = path.Contains("chat", StringComparison.Ordinal);
        object body = chat
            ? new { model = "tiny", messages = new[] { new { role = "user", content = "What is 40 + 2?" } }, max_tokens = 20 }
            : new { model = "tiny", prompt = "What is 40 + 2?", max_tokens = 20 };
        var choice = (await server.AskAsync(path, body)).GetProperty("choices")[0];
        choice.GetProperty("finish_reason").GetString().ShouldBe("stop");
        (chat ? choice.GetProperty("message").GetProperty("content") : choice.GetProperty("text")).GetString().ShouldBe("42");
    }
}
