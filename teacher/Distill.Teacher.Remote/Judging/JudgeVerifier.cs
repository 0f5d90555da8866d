using System.Collections.Concurrent;
using Distill.Teacher.Remote.Collection;
using Distill.Verification;
using Microsoft.Extensions.AI;

namespace Distill.Teacher.Remote.Judging;

/// <summary>
/// A model compares answers with references by a rubric. Every reply is kept, so that a verdict is paid once, by whatever run; a reply that
/// cannot be read is undecidable, and so is a text that the endpoint does not take. Many answers are judged
/// at once by <see cref="PrepareAsync"/>; <see cref="Verify"/> then finds what was said, and asks by itself only for what was not.
/// Thread-safe.
/// </summary>
/// <param name="client">Any; it should repeat failed attempts itself. Stays the caller's to dispose.</param>
/// <param name="store">May be a teacher's too.</param>
internal sealed class JudgeVerifier(IChatClient client, JudgeOptions options, CompletionStore store) : IVerifier
{
    public const string JudgeName = "judge";

    private const int MarkLength = 16;

    private const string RefusedText = "content_filter";

    private readonly ConcurrentDictionary<string, Lazy<Task<Verdict>>> underWay = new(StringComparer.Ordinal);
    private int replies, refusals;

    public string Name => JudgeName;

    public int Version => options.Rubric.Version;

    /// <summary>Judges many answers at once, and waits for all of them.</summary>
    /// <param name="progress">Number judged so far; called by any thread, one at a time.</param>
    /// <exception cref="RemoteTeacherException">The endpoint does not answer; what it said is kept.</exception>
    public async Task PrepareAsync(
        IEnumerable<(string? Answer, IVerifiable Problem)> answers, Action<int>? progress, CancellationToken cancellation)
    {
        int done = 0;
        var gate = new Lock();
        await Parallel.ForEachAsync(
            answers,
            new ParallelOptions { MaxDegreeOfParallelism = options.Concurrency, CancellationToken = cancellation },
            async (pair, token) =>
            {
                await VerifyAsync(pair.Answer, pair.Problem, token).ConfigureAwait(false);
                lock (gate) progress?.Invoke(++done);
            }).ConfigureAwait(false);
    }

    /// <inheritdoc/>
    /// <exception cref="RemoteTeacherException">The endpoint does not answer: that says nothing of the answer.</exception>
    public Verdict Verify(string? answer, IVerifiable problem) =>
        Task.Run(() => VerifyAsync(answer, problem, CancellationToken.None)).GetAwaiter().GetResult();

    /// <summary>Which answers mean the same only the judge could say, and it would see the reference: equal texts are one class.</summary>
    public string? ClassOf(string? answer, IVerifiable problem) => Plain(answer) is { Length: > 0 } text ? text : null;

    /// <summary>Asks nobody.</summary>
    public string? FaultOf(IVerifiable problem) => problem switch
    {
        { ReferenceAnswer: var reference } when string.IsNullOrWhiteSpace(reference) =>
            "it has no reference that a judge could compare with",
        _ when problem.Text.Length > options.LongestText =>
            $"its question is longer than the {options.LongestText:N0} characters a judge is shown",
        _ when problem.ReferenceAnswer.Length > options.LongestText =>
            $"its reference is longer than the {options.LongestText:N0} characters a judge is shown",
        _ => null,
    };

    private async Task<Verdict> VerifyAsync(string? answer, IVerifiable problem, CancellationToken cancellation)
    {
        string text = Plain(answer);
        if (text.Length == 0 || text.Length > options.LongestText || FaultOf(problem) is not null) return Verdict.Undecidable;
        string request = TeacherIdentity.OfJudgement(
            options.Address, options.Model, options.Rubric.Digest, options.MaxTokens, problem.Text, problem.ReferenceAnswer, text);
        if (store.Find(request) is { } known)
        {
            // What was judged before shows too that the endpoint does judge.
            Interlocked.Increment(ref replies);
            return VerdictOf(known);
        }

        var asked = underWay.GetOrAdd(request, _ => new Lazy<Task<Verdict>>(() => AskAsync(request, problem, text, cancellation)));
        try
        {
            return await asked.Value.ConfigureAwait(false);
        }
        finally
        {
            underWay.TryRemove(new KeyValuePair<string, Lazy<Task<Verdict>>>(request, asked));
        }
    }

    private async Task<Verdict> AskAsync(string request, IVerifiable problem, string answer, CancellationToken cancellation)
    {
        // Another may have ended between the look into the store and this call.
        if (store.Find(request) is { } known) return VerdictOf(known);
        var messages = options.Rubric.Messages(request[..MarkLength], problem, answer);
        try
        {
            var response = await client.GetResponseAsync(
                messages, new ChatOptions { Temperature = 0, MaxOutputTokens = options.MaxTokens }, cancellation).ConfigureAwait(false);
            Interlocked.Increment(ref replies);
            return VerdictOf(store.Keep(request, StoredCompletion.Of(response, messages[^1].Text)));
        }
        catch (RemoteTeacherException fault) when (fault is { Kind: RemoteFaultKind.Refused, Status: 400 or 413 or 422 })
        {
            // One text that the endpoint does not take cannot be judged; an endpoint that takes none stops the run.
            if (Interlocked.Increment(ref refusals) > Volatile.Read(ref replies)) throw;
            // Kept, so that no later stage asks again and takes the one refusal that it sees for an endpoint that takes nothing.
            return VerdictOf(store.Keep(request, new StoredCompletion("", "", RefusedText, 0, 0)));
        }
    }

    private static Verdict VerdictOf(StoredCompletion reply)
    {
        string stop = RemoteStopReason.Of(reply.FinishReason);
        return RemoteStopReason.IsBroken(stop) || reply.Refusal is not null ? Verdict.Undecidable : JudgeRubric.Read(reply.Text);
    }

    private static string Plain(string? answer) => answer?.Trim() ?? "";
}
