using Distill.Client;
using Distill.Generation;
using Distill.Teacher.Tests.Fixtures;
using Microsoft.Extensions.AI;

namespace Distill.Teacher.Tests.Client;

/// <summary>A folder as a chat client in one line: what it opens, what it refuses, and what its end ends.</summary>
public sealed class DistillChatClientTests
{
    [Fact]
    public async Task It_answers_as_the_engine_that_others_share_does()
    {
        using var client = DistillChatClient.Open(TinyReasoner.Folder);
        var response = await client.GetResponseAsync(TinyReasoner.Question, cancellationToken: TestContext.Current.CancellationToken);
        response.ModelId.ShouldBe("tiny-reasoner");
        using var model = TinyReasoner.Open();
        using var engine = new GenerationEngine(model);
        using var shared = new EngineChatClient(engine, TinyReasoner.Encoder, "tiny-reasoner");
        var expected = await shared.GetResponseAsync(TinyReasoner.Question, cancellationToken: TestContext.Current.CancellationToken);
        response.Text.ShouldBe(expected.Text);
        response.Messages[0].Contents.OfType<TextReasoningContent>().Single().Text
            .ShouldBe(expected.Messages[0].Contents.OfType<TextReasoningContent>().Single().Text);
        client.GetService<ChatClientMetadata>()!.DefaultModelId.ShouldBe("tiny-reasoner");
        client.GetService<DistillChatClient>().ShouldBeSameAs(client);
    }

    [Fact]
    public async Task Options_reach_model_and_engine()
    {
        using var client = DistillChatClient.Open(TinyReasoner.Folder, options =>
        {
            options.ModelName = "mine";
            (options.Slots, options.MaxLength, options.Threads) = (2, 30, 1);
            options.GraphFile = "onnx/model.onnx";
        });
        client.Engine.MaxLength.ShouldBe(30);
        var response = await client.GetResponseAsync(TinyReasoner.Question, cancellationToken: TestContext.Current.CancellationToken);
        response.ModelId.ShouldBe("mine");
        response.FinishReason.ShouldBe(ChatFinishReason.Length);
        response.Usage!.TotalTokenCount.ShouldBe(30);
    }

    [Fact]
    public void Everything_that_is_wrong_is_said_at_once()
    {
        var wrong = new DistillChatClientOptions
        {
            Folder = "nowhere/at-all", Threads = -1, Slots = 0, MaxLength = 1, MaxWaiting = 0, Device = ComputeDevice.Cuda(),
            Sampling = new SamplingOptions { Temperature = -1 },
        };
        string said = Should.Throw<ArgumentException>(() => DistillChatClient.Open(wrong)).Message;
        foreach (string part in (string[])["Threads -1", "Slots 0", "MaxLength 1", "MaxWaiting 0", "cuda:0", "serve-model", "temperature"])
            said.ShouldContain(part);
        said.ShouldContain($"'nowhere/at-all' does not exist: it was looked for at '{Path.GetFullPath("nowhere/at-all")}'");
    }

    [Fact]
    public void A_folder_of_something_else_is_told_what_it_is()
    {
        using var folder = new TemporaryFolder();
        Said(folder.Path).ShouldContain("is no model folder");
        Said(Path.Combine(RepositoryFolder.Root, "student", "models", "tiny-base")).ShouldContain("'distill export' makes");
        Said("").ShouldContain("Folder is not set");
        string broken = TinyReasoner.Copy(Path.Combine(folder.Path, "broken"));
        File.WriteAllText(Path.Combine(broken, "tokenizer.json"), "{}");
        Said(broken).ShouldContain("tokenizer.json");
        Said(TinyReasoner.Folder, options => options.MaxLength = 513).ShouldContain("513 is more than the 512 tokens");
        Said(TinyReasoner.Folder, options => options.MaxCacheBytes = 1000).ShouldContain("take fewer slots");
        Said(TinyReasoner.Folder, options => options.GraphFile = "../model.onnx").ShouldContain("name given for the graph");
    }

    [Fact]
    public async Task Its_end_ends_the_requests_and_may_come_twice()
    {
        var client = DistillChatClient.Open(TinyReasoner.Folder, options => options.Slots = 1);
        var running = Enumerable.Range(0, 4).Select(i => client.GetResponseAsync(
            TinyReasoner.Question, new ChatOptions { Temperature = 1, Seed = i }, TestContext.Current.CancellationToken)).ToList();
        Parallel.For(0, 3, _ => client.Dispose());
        foreach (var request in running)
        {
            try
            {
                (await request).FinishReason.ShouldNotBeNull(); // was done before
            }
            catch (ObjectDisposedException)
            {
                // Ended with the client.
            }
        }

        await Should.ThrowAsync<ObjectDisposedException>(
            () => client.GetResponseAsync(TinyReasoner.Question, cancellationToken: TestContext.Current.CancellationToken));
    }

    // A model that reads long contexts: what serves 4,096 tokens by default would take gigabytes for all of them.
    [Fact]
    public void A_long_context_is_not_taken_whole_unless_asked_for()
    {
        new DistillChatClientOptions().LengthFor(131_072).ShouldBe(4096);
        new DistillChatClientOptions().LengthFor(512).ShouldBe(512);
        new DistillChatClientOptions { MaxLength = 8192 }.LengthFor(131_072).ShouldBe(8192);
    }

    private static string Said(string folder, Action<DistillChatClientOptions>? configure = null) =>
        Should.Throw<ArgumentException>(() => DistillChatClient.Open(folder, configure)).Message;
}
