using Distill.Data.Problems;
using Distill.Data.Traces;
using Distill.Teacher.Remote.Batches;
using Distill.Teacher.Remote.Calls;
using Distill.Teacher.Remote.Collection;
using Distill.Teacher.Remote.Endpoint;
using Distill.Teacher.Remote.Network;
using Distill.Teacher.Remote.Tests.Servers;
using Microsoft.Extensions.AI;

namespace Distill.Teacher.Remote.Tests.Batches;

/// <summary>
/// Collections by a batch interface of the tests, each by a client of its own over one folder: a process that may have died.
/// </summary>
internal sealed class BatchRun(BatchServer server, string dialect, string folder)
{
    public static readonly IReadOnlyList<Problem> Problems = ProblemSet.Generate(
        [new ProblemSetPart("arithmetic", 1, 1)], 5, Split.Train, 6);

    public List<string> Warnings { get; } = [];

    public RemoteUsage Usage { get; private set; } = RemoteUsage.None;

    public int Retries { get; init; } = 2;

    public int Samples { get; init; } = 1;

    public int MostRequests { get; init; } = int.MaxValue;

    /// <summary>Names of all requests in the store and in the batches.</summary>
    public IReadOnlyList<string> Ids => [.. RemoteTraceCollection.BatchRequestsOf(Options, Problems).Select(request => request.Id)];

    public int Stored => Directory.EnumerateFiles(folder, "*.json", SearchOption.AllDirectories)
        .Count(path => !path.Contains("batches", StringComparison.Ordinal));

    private RemoteTraceOptions Options => new()
    {
        Seed = 1, Teacher = "teacher-1", Address = "http://teacher.test/v1", MaxTokens = 64, ProblemsPerPart = 2, Samples = Samples,
        SendSeed = dialect == "openai", Instructions = "Be brief.", Concurrency = 2,
    };

    public async Task<IReadOnlyList<Trace>> CollectAsync(CancellationToken? cancellation = null)
    {
        var (calls, clock) = (new CallOptions { Retries = Retries }, new HurriedClock());
        var token = cancellation ?? TestContext.Current.CancellationToken;
        var endpoint = new EndpointOptions { Address = server.Address, Model = "teacher-1", Network = NetworkScope.Loopback };
        ChatOptions Sampling(ulong seed) => RemoteSampling.Of(Options, seed);
        using IBatchService service = dialect == "openai"
            ? new OpenAIBatches(endpoint, Sampling, TestClient.Key, calls, clock)
            : new AnthropicBatches(endpoint, Sampling, TestClient.Key, calls, clock);
        var store = new CompletionStore(folder);
        var batches = new BatchedCompletions(
            service, store, new BatchLedger(Path.Combine(folder, "batches")), new BatchOptions { MostRequests = MostRequests }, calls,
            clock, Warnings.Add);
        try
        {
            await batches.FetchAsync(RemoteTraceCollection.BatchRequestsOf(Options, Problems), null, token);
        }
        finally
        {
            Usage = batches.Usage;
        }

        var parts = new List<TracePart>();
        using var nobody = new ScriptedClient(() => throw new InvalidOperationException("Nothing is asked one by one."));
        var collection = new RemoteTraceCollection(nobody, Options, store, clock, batches);
        await collection.RunAsync(Problems, _ => false, parts.Add, cancellation: token);
        return [.. parts.OrderBy(part => part.Index).SelectMany(part => part.Traces)];
    }
}
