using System.ComponentModel;
using Distill.Client;
using Distill.Generation;
using Distill.Teacher.Tests.Constraints;
using Distill.Teacher.Tests.Fixtures;
using Json.Schema;
using Microsoft.Extensions.AI;

namespace Distill.Teacher.Tests.Client;

/// <summary>Replies in the format that a request asks for, by a trained model that never saw JSON and by untrained ones.</summary>
public sealed class StructuredOutputTests
{
    private static readonly ChatOptions s_short = new() { MaxOutputTokens = 400, Temperature = 1 };

    public enum Mood
    {
        Calm,
        Cross,
    }

    [Fact]
    public async Task A_type_can_be_asked_for()
    {
        using var model = ConstrainedText.Untrained(TinyTokenizer.Tokenizer, 5, 4000);
        using var engine = new GenerationEngine(model);
        using var client = new EngineChatClient(engine, TinyTokenizer.Encoder, "untrained");
        int got = 0;
        for (int seed = 0; seed < 20; seed++)
        {
            var options = s_short.Clone();
            (options.Seed, options.MaxOutputTokens) = (seed, 3000);
            var response = await client.GetResponseAsync<Report>("Report.", options);
            if (response.FinishReason != ChatFinishReason.Stop) continue;
            response.TryGetResult(out var report).ShouldBeTrue(response.Text);
            report!.Title.ShouldNotBeNull();
            got++;
        }

        got.ShouldBeGreaterThan(10, (await client.GetResponseAsync<Report>("Report.", s_short)).Text);
        (await client.GetResponseAsync<Mood[]>("Moods.", s_short.Clone())).Result.ShouldAllBe(mood => Enum.IsDefined(mood));
    }

    [Fact]
    public async Task A_trained_model_thinks_freely_and_then_answers_in_the_format()
    {
        using var model = TinyReasoner.Open();
        using var engine = new GenerationEngine(model);
        using var client = new EngineChatClient(engine, TinyReasoner.Encoder, "tiny");
        const string schema = """
            {"type": "object", "properties": {"answer": {"type": "integer", "minimum": -999, "maximum": 999}}, "required": ["answer"],
             "additionalProperties": false}
            """;
        var free = await client.GetResponseAsync(TinyReasoner.Question);
        var response = await client.GetResponseAsync(
            TinyReasoner.Question, new ChatOptions { ResponseFormat = ChatResponseFormat.ForJsonSchema(ConstrainedText.Read(schema)) });
        response.FinishReason.ShouldBe(ChatFinishReason.Stop);
        JsonSchema.FromText(schema).Evaluate(ConstrainedText.Read(response.Text)).IsValid.ShouldBeTrue(response.Text);
        Reasoning(response).ShouldBe(Reasoning(free));
        response.Usage!.ReasoningTokenCount.ShouldNotBeNull().ShouldBeGreaterThan(5);
        var cut = await client.GetResponseAsync(
            TinyReasoner.Question, new ChatOptions { ResponseFormat = ChatResponseFormat.Json, MaxOutputTokens = 4 });
        cut.FinishReason.ShouldBe(ChatFinishReason.Length);
    }

    [Fact]
    public async Task A_schema_that_is_not_supported_is_refused_by_name()
    {
        using var model = TinyReasoner.Open();
        using var engine = new GenerationEngine(model);
        using var client = new EngineChatClient(engine, TinyReasoner.Encoder, "tiny");
        var format = ChatResponseFormat.ForJsonSchema(ConstrainedText.Read("""{"type": "object", "minProperties": 2}"""));
        (await Should.ThrowAsync<NotSupportedException>(() => client.GetResponseAsync("x", new ChatOptions { ResponseFormat = format })))
            .Message.ShouldContain("minProperties");
    }

    private static string Reasoning(ChatResponse response) =>
        string.Concat(response.Messages[0].Contents.OfType<TextReasoningContent>().Select(content => content.Text));

    [Description("A report.")]
    private sealed record Report(
        string Title, long Pages, double? Weight, DateTimeOffset Written, Guid Id, TimeOnly At, DateOnly Day, bool IsDraft, Mood Mood,
        [property: Description("inner")] Part[] Parts);

    private sealed record Part(string Letter, IReadOnlyDictionary<string, int>? Counts);
}
