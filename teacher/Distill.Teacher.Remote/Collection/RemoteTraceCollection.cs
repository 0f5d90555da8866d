using Distill.Data.Problems;
using Distill.Data.Traces;
using Distill.Generation;
using Distill.Tokenization;
using Microsoft.Extensions.AI;

namespace Distill.Teacher.Remote.Collection;

/// <summary>
/// Problems × samples → traces by a remote teacher: the same rows and parts as <see cref="TraceCollection"/> makes, but that a remote
/// teacher gives no token ids. Every completion is kept in the store before it counts, so a kill or a failing endpoint costs only what was
/// under way. Whatever a model says becomes a row; only an endpoint that does not answer stops the collection.
/// </summary>
internal sealed class RemoteTraceCollection
{
    private readonly IChatClient client;
    private readonly RemoteTraceOptions options;
    private readonly CompletionStore store;
    private readonly TimeProvider clock;
    private readonly string teacherDigest;
    private readonly string sampling;

    /// <param name="client">
    /// Any; it should repeat failed attempts itself (<see cref="Calls.ResilientChatClient"/>). Stays the caller's to dispose.
    /// </param>
    /// <param name="clock">Measures the rate; default: the system's.</param>
    /// <exception cref="ArgumentException">The options cannot be used; every problem is named.</exception>
    public RemoteTraceCollection(IChatClient client, RemoteTraceOptions options, CompletionStore store, TimeProvider? clock = null)
    {
        var problems = options.FindProblems();
        if (problems.Count > 0) throw new ArgumentException(string.Join(" ", problems), nameof(options));
        (this.client, this.options, this.store, this.clock) = (client, options, store, clock ?? TimeProvider.System);
        teacherDigest = TeacherIdentity.Of(options);
        sampling = RemoteSampling.Write(options);
    }

    /// <summary>Collects every part that is not finished and hands each to the sink, in the order they become whole.</summary>
    /// <param name="isFinished">Part index → the part exists already and is skipped. Called before anything is asked.</param>
    /// <param name="sink">Stores a part; once it returns, the part counts as finished. Called by any thread, one at a time.</param>
    /// <param name="progress">Called by any thread, one at a time.</param>
    /// <exception cref="RemoteTeacherException">
    /// The endpoint does not answer. What was under way with it has been finished and kept.
    /// </exception>
    /// <exception cref="OperationCanceledException">What was under way is lost, nothing else.</exception>
    public async Task RunAsync(
        IReadOnlyList<Problem> problems, Func<int, bool> isFinished, Action<TracePart> sink, Action<TraceProgress>? progress = null,
        CancellationToken cancellation = default)
    {
        var work = new RemoteWork(problems, options, isFinished, sink, progress, clock);
        // Threads of the pool: completions that are in the store come without a wait, and would be read one by one by the caller's.
        var workers = Enumerable.Range(0, options.Concurrency).Select(_ => Task.Run(() => WorkAsync(work, cancellation), cancellation))
            .ToList();
        try
        {
            await Task.WhenAll(workers).ConfigureAwait(false);
        }
        catch (RemoteTeacherException)
        {
            cancellation.ThrowIfCancellationRequested();
            throw;
        }
    }

    private async Task WorkAsync(RemoteWork work, CancellationToken cancellation)
    {
        while (work.Next() is { } item)
        {
            try
            {
                cancellation.ThrowIfCancellationRequested();
                var (trace, isNew) = await TraceAsync(item.Problem, item.Sample, cancellation).ConfigureAwait(false);
                work.Finish(item, trace, isNew);
            }
            catch
            {
                // The other workers finish what they have been billed for, and take no more.
                work.Stop();
                throw;
            }
        }
    }

    private async Task<(Trace Trace, bool IsNew)> TraceAsync(Problem problem, int sample, CancellationToken cancellation)
    {
        string prompt = ProblemPrompt.Messages(problem)[^1].Content;
        ulong seed = SeedSequence.Derive(options.Seed, SeedSequence.Hash(problem.Id), (ulong)sample);
        string system = problem.System is { Length: > 0 } own ? own : options.Instructions;
        // What is asked alike is one request; the instructions of the recipe are in the teacher's digest already.
        string asked = problem.System is { Length: > 0 } ? $"{system}\u001e{prompt}" : prompt;
        string request = TeacherIdentity.OfRequest(teacherDigest, asked, seed);
        if (store.Find(request) is { } known) return (ToTrace(problem, sample, seed, known), false);
        var response = await AskAsync(system, prompt, seed, cancellation).ConfigureAwait(false);
        return (ToTrace(problem, sample, seed, store.Keep(request, StoredCompletion.Of(response, prompt))), true);
    }

    private Task<ChatResponse> AskAsync(
        string system, string prompt, ulong seed, CancellationToken cancellation) => client.GetResponseAsync(
        system.Length == 0
            ? [new(ChatRole.User, prompt)]
            : [new(ChatRole.System, system), new(ChatRole.User, prompt)],
        new ChatOptions
        {
            Temperature = (float)options.Temperature,
            TopP = (float)options.TopP,
            MaxOutputTokens = options.MaxTokens,
            Seed = options.SendSeed ? unchecked((long)seed) : null,
        },
        cancellation);

    private Trace ToTrace(Problem problem, int sample, ulong seed, StoredCompletion completion)
    {
        string stop = RemoteStopReason.WordOf(completion.FinishReason);
        var parsed = ReasoningParser.ParseText(
            completion.Reasoning.Length == 0
                ? completion.Text
                : ThinkMarks.Open + completion.Reasoning + ThinkMarks.Close + completion.Text);
        return new Trace
        {
            Problem = problem,
            Reasoning = parsed.Reasoning,
            Answer = RemoteStopReason.IsWhole(stop) ? parsed.Answer : null,
            PromptTokens = completion.PromptTokens,
            CompletionTokens = completion.CompletionTokens,
            StopReason = stop,
            SampleIndex = sample,
            Seed = seed,
            Sampling = sampling,
            Teacher = options.Teacher,
            TeacherDigest = teacherDigest,
            TemplateDigest = "",
            TokenizerFingerprint = "",
        };
    }
}

/// <summary>Sampling of a remote teacher in the spelling of all traces.</summary>
internal static class RemoteSampling
{
    public static string Write(RemoteTraceOptions options) =>
        SamplingJson.Write(new SamplingOptions { Temperature = options.Temperature, TopP = options.TopP }, options.MaxTokens);
}

/// <summary>How traces spell an endpoint's finish reason: its own word where that is a plain one.</summary>
internal static class RemoteStopReason
{
    private const int LongestWord = 32;

    public static string WordOf(string reason) =>
        reason.Length is > 0 and <= LongestWord && reason.All(c => char.IsAsciiLetterOrDigit(c) || c is '_' or '-')
            ? reason.ToLowerInvariant()
            : "other";

    /// <summary>Whether the text ends where the model ended it. Half a number is not a number.</summary>
    public static bool IsWhole(string word) => word is not ("length" or "content_filter");
}
