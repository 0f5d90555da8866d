using Distill.Data.Problems;
using Distill.Data.Traces;
using Distill.Generation;
using Distill.Teacher.Remote.Batches;
using Microsoft.Extensions.AI;

namespace Distill.Teacher.Remote.Collection;

/// <summary>
/// Problems × samples → traces by a remote teacher: the same rows and parts as <see cref="TraceCollection"/> makes, with token ids where
/// the server gives them. Every completion is kept in the store before it counts, so a kill or a failing endpoint costs only what was
/// under way. Whatever a model says becomes a row, and so does a question that the endpoint does not take; only an endpoint that does not
/// answer, or takes hardly any question (see <see cref="RejectedRequests"/>), stops the collection.
/// </summary>
internal sealed class RemoteTraceCollection
{
    private readonly IChatClient client;
    private readonly RemoteTraceOptions options;
    private readonly CompletionStore store;
    private readonly TimeProvider clock;
    private readonly string teacherDigest;
    private readonly string sampling;
    private readonly RejectedRequests rejected;
    private readonly BatchedCompletions? batches;

    /// <param name="client">
    /// Any; it should repeat failed attempts itself (<see cref="Calls.ResilientChatClient"/>). Stays the caller's to dispose.
    /// </param>
    /// <param name="clock">Measures the rate; default: the system's.</param>
    /// <param name="batches">Fills the store before anything is asked one by one; null: nothing does.</param>
    /// <exception cref="ArgumentException">The options cannot be used; every problem is named.</exception>
    public RemoteTraceCollection(IChatClient client, RemoteTraceOptions options, CompletionStore store, TimeProvider? clock = null,
        BatchedCompletions? batches = null)
    {
        var problems = options.FindProblems();
        if (problems.Count > 0) throw new ArgumentException(string.Join(" ", problems), nameof(options));
        (this.client, this.options, this.store, this.clock, this.batches) = (client, options, store, clock ?? TimeProvider.System, batches);
        rejected = new RejectedRequests(options.Concurrency);
        teacherDigest = TeacherIdentity.Of(options);
        sampling = RemoteSampling.Write(options);
    }

    /// <summary>What the endpoint did not take, so far.</summary>
    public RejectedRequests Rejected => rejected;

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
        var all = RemoteProblems.Of(problems, options.ProblemsPerPart);
        await RunAsync(all, isFinished, sink, progress, CancellationToken.None, cancellation).ConfigureAwait(false);
    }

    /// <summary>The same for problems that are read part by part.</summary>
    /// <param name="deadline">Nothing is begun after it: parts that were begun end with what there is.</param>
    /// <inheritdoc cref="RunAsync(IReadOnlyList{Problem}, Func{int, bool}, Action{TracePart}, Action{TraceProgress}, CancellationToken)"/>
    public async Task RunAsync(
        RemoteProblems problems, Func<int, bool> isFinished, Action<TracePart> sink, Action<TraceProgress>? progress,
        CancellationToken deadline, CancellationToken cancellation)
    {
        var work = new RemoteWork(problems, options, isFinished, sink, progress, clock, deadline);
        do
        {
            // Threads of the pool: completions that are in the store come without a wait, and would be read one by one by the caller's.
            var workers = Enumerable.Range(0, options.Concurrency)
                .Select(_ => Task.Run(() => WorkAsync(work, cancellation), cancellation)).ToList();
            try
            {
                await Task.WhenAll(workers).ConfigureAwait(false);
            }
            catch (RemoteTeacherException)
            {
                cancellation.ThrowIfCancellationRequested();
                throw;
            }

            Settle(work, rejected.End());
        }
        while (work.HasMore); // what was held back can let a further round begin
        if (deadline.IsCancellationRequested) work.Cut();
    }

    /// <summary>Everything of the problems in batches, each request once.</summary>
    public static IReadOnlyList<BatchRequest> BatchRequestsOf(RemoteTraceOptions options, IEnumerable<Problem> problems)
    {
        string teacher = TeacherIdentity.Of(options);
        return
        [
            .. problems.SelectMany(problem =>
            {
                var prompt = RemotePrompt.Of(problem, options);
                return Enumerable.Range(0, options.Samples).Select(sample => SeedOf(options, problem, sample))
                    .Select(seed => new BatchRequest(TeacherIdentity.OfRequest(teacher, prompt.Text, seed), prompt, seed));
            }).DistinctBy(request => request.Id),
        ];
    }

    private async Task WorkAsync(RemoteWork work, CancellationToken cancellation)
    {
        while (await work.NextAsync(cancellation).ConfigureAwait(false) is { } item)
        {
            try
            {
                cancellation.ThrowIfCancellationRequested();
                await AnswerAsync(work, item, cancellation).ConfigureAwait(false);
            }
            catch
            {
                // The other workers finish what they have been billed for, and take no more.
                work.Stop();
                throw;
            }
        }
    }

    private async Task AnswerAsync(RemoteWork work, RemoteItem item, CancellationToken cancellation)
    {
        ulong seed = SeedOf(options, item.Problem, item.Sample);
        if (rejected.ReasonOf(item.Problem.Id) is { } before)
        {
            work.Hold(item);
            Settle(work, rejected.Reject(new HeldTrace(item, ToTrace(item, seed, before)), null));
            return;
        }

        StoredCompletion completion;
        bool isNew;
        try
        {
            (completion, isNew) = await CompletionAsync(item.Problem, seed, cancellation).ConfigureAwait(false);
        }
        catch (RemoteTeacherException fault) when (IsOfOneQuestion(fault))
        {
            work.Hold(item);
            Settle(work, rejected.Reject(new HeldTrace(item, ToTrace(item, seed, fault.Message)), fault));
            return;
        }

        // A verdict may ask a judge: its faults are not the teacher's.
        work.Finish(item, ToTrace(item, seed, completion), isNew);
        if (isNew || batches is not null) Settle(work, rejected.CountAnswer());
        else rejected.CountKnown();
    }

    private static ulong SeedOf(RemoteTraceOptions options, Problem problem, int sample) =>
        SeedSequence.Derive(options.Seed, SeedSequence.Hash(problem.Id), (ulong)sample);

    // 413 and 422 are servers' other words for a question they cannot take.
    private static bool IsOfOneQuestion(RemoteTeacherException fault) => fault.Kind == RemoteFaultKind.TooLarge
        || fault is { Kind: RemoteFaultKind.Refused, Status: 400 or 413 or 422 } || fault is { Kind: RemoteFaultKind.OtherTokens };

    private static void Settle(RemoteWork work, IReadOnlyList<HeldTrace> traces)
    {
        foreach (var (item, trace) in traces) work.Finish(item, trace, isNew: false, wasHeld: true);
    }

    private async Task<(StoredCompletion Completion, bool IsNew)> CompletionAsync(
        Problem problem, ulong seed, CancellationToken cancellation)
    {
        var prompt = RemotePrompt.Of(problem, options);
        string plain = TeacherIdentity.OfRequest(teacherDigest, prompt.Text, seed);
        string request = options.Tokenizer is null ? plain : TeacherIdentity.WithTokens(plain, options.TopLogProbabilities);
        if (store.Find(request) is { } known) return (Checked(known), false);
        if (batches?.FaultOf(request) is { } fault) throw fault;
        var response = await AskAsync(prompt, seed, cancellation).ConfigureAwait(false);
        var completion = StoredCompletion.Of(
            response, prompt.Text, options.Tokenizer is null ? null : options.TopLogProbabilities);
        // Paid is paid: without its tokens it is still the completion of the same request for text.
        bool lacksTokens = options.Tokenizer is not null && completion.Tokens is null && !IsWithoutText(completion);
        var kept = store.Keep(lacksTokens ? plain : request, completion);
        return lacksTokens
            ? throw new RemoteTeacherException(
                RemoteFaultKind.Refused,
                "The endpoint sent no token ids with log-probabilities for every token, which servers of vLLM do. Leave token_ids out, or "
                + "take such a server; the text is kept.")
            : (Checked(kept), true);
    }

    // A filter's or a tool's reply has no tokens to give.
    private static bool IsWithoutText(StoredCompletion completion) => completion.Text.Length + completion.Reasoning.Length == 0;

    /// <exception cref="RemoteTeacherException">The tokens are not those of the tokenizer.</exception>
    private StoredCompletion Checked(StoredCompletion completion) =>
        options.Tokenizer is { } tokenizer && completion.Tokens is { } tokens
            && TokenCheck.FaultOf(completion, tokens, tokenizer) is { } fault
            ? throw new RemoteTeacherException(
                RemoteFaultKind.OtherTokens,
                $"The tokenizer is not the teacher's: {fault}. Give its folder (tokenizer), or leave token_ids out.")
            : completion;

    private Task<ChatResponse> AskAsync(RemotePrompt prompt, ulong seed, CancellationToken cancellation) =>
        client.GetResponseAsync(prompt.Messages, RemoteSampling.Of(options, seed), cancellation);

    private Trace ToTrace(RemoteItem item, ulong seed, string rejection) =>
        ToTrace(item, seed, new StoredCompletion("", "", "", 0, 0), RemoteOutcome.Rejected(rejection));

    private Trace ToTrace(RemoteItem item, ulong seed, StoredCompletion completion) =>
        ToTrace(item, seed, completion, RemoteOutcome.Of(completion));

    private Trace ToTrace(RemoteItem item, ulong seed, StoredCompletion completion, RemoteOutcome outcome) => new()
    {
        Problem = item.Problem,
        Reasoning = outcome.Reasoning,
        Answer = outcome.Answer,
        PromptTokens = completion.PromptTokens,
        CompletionTokens = completion.CompletionTokens,
        StopReason = outcome.StopReason,
        Refusal = outcome.Refusal,
        Preamble = [.. RemotePrompt.Of(item.Problem, options).Messages.SkipLast(1)
            .Select(message => new TraceMessage(message.Role.Value, message.Text))],
        SampleIndex = item.Sample,
        Seed = seed,
        Sampling = sampling,
        Teacher = options.Teacher,
        TeacherDigest = teacherDigest,
        TemplateDigest = "",
        TokenizerFingerprint = options.Tokenizer?.Fingerprint ?? "",
        TokenIds = completion.Tokens?.ToIds() ?? [],
        TokenLogProbabilities = completion.Tokens?.ToScores() ?? [],
        TopIds = completion.Tokens?.ToTopIds() ?? [],
        TopLogProbabilities = completion.Tokens?.ToTopScores() ?? [],
    };
}

/// <summary>Sampling of a remote teacher: in the spelling of all traces, and as a client is told.</summary>
internal static class RemoteSampling
{
    public static ChatOptions Of(RemoteTraceOptions options, ulong seed) => new()
    {
        Temperature = (float)options.Temperature,
        TopP = (float)options.TopP,
        MaxOutputTokens = options.MaxTokens,
        Seed = options.SendSeed ? unchecked((long)seed) : null,
    };

    public static string Write(RemoteTraceOptions options) =>
        SamplingJson.Write(new SamplingOptions { Temperature = options.Temperature, TopP = options.TopP }, options.MaxTokens);
}
