using Distill.Data.Problems;
using Distill.Pipeline.Graph;
using Distill.Pipeline.Recipes.Sections;
using Distill.Pipeline.Runs;
using Distill.Teacher.Remote.Batches;
using Distill.Teacher.Remote.Calls;
using Distill.Teacher.Remote.Collection;
using Distill.Teacher.Remote.Endpoint;

namespace Distill.Pipeline.Models;

/// <summary>A teacher at an endpoint, asked one by one or in batches; what it says is kept in one store. Dispose it.</summary>
internal sealed class RemoteTeacherConnection : IDisposable
{
    private readonly StageContext context;
    private readonly RemoteTraceOptions options;
    private readonly CompletionStore store;
    private readonly ResilientChatClient client;
    private readonly IBatchService? service;
    private readonly BatchedCompletions? batches;

    /// <param name="folder">Of the completions that were paid for.</param>
    /// <exception cref="InvalidDataException">The environment lacks the API key.</exception>
    public RemoteTeacherConnection(StageContext context, RemoteTeacherSection endpoint, RemoteTraceOptions options, string folder)
    {
        (this.context, this.options) = (context, options);
        store = new CompletionStore(folder);
        var key = endpoint.ReadKey();
        var (address, calls) = (endpoint.ToOptions(options.Teacher), endpoint.ToCalls());
        client = new ResilientChatClient(new CompatibleChatClient(address, key, context.Clock), calls, context.Clock);
        service = endpoint.Batch switch
        {
            BatchInterface.OpenAI => new OpenAIBatches(address, Sampling, key, calls, context.Clock),
            BatchInterface.Anthropic => new AnthropicBatches(address, Sampling, key, calls, context.Clock),
            _ => null,
        };
        if (service is null) return;
        var ledger = new BatchLedger(Path.Combine(folder, "batches", TeacherIdentity.Of(options)[..16]));
        batches = new BatchedCompletions(service, store, ledger, endpoint.ToBatches(), calls, context.Clock, context.Warning);
    }

    /// <summary>What was asked for, and not found in the store.</summary>
    public RemoteUsage Usage => batches?.Usage ?? client.Usage;

    /// <summary>
    /// Makes the completions of some problems sure to be in the store where there is a batch interface; else does nothing.
    /// </summary>
    public async Task FetchAsync(IEnumerable<Problem> problems, CancellationToken cancellation)
    {
        if (batches is null) return;
        await batches.FetchAsync(
            RemoteTraceCollection.BatchRequestsOf(options, problems),
            progress => context.Progress(new StageProgress(
                progress.Done, progress.Total, "requests", $"{progress.Batches:N0} batches under way", 0, "")),
            cancellation).ConfigureAwait(false);
    }

    public RemoteTraceCollection ToCollection() => new(client, options, store, context.Clock, batches);

    public void Dispose()
    {
        client.Dispose();
        service?.Dispose();
    }

    private Microsoft.Extensions.AI.ChatOptions Sampling(ulong seed) => RemoteSampling.Of(options, seed);
}
