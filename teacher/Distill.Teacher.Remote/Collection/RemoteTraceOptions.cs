using System.Globalization;
using System.Text;
using System.Text.Json;
using Distill.Data.Traces;
using Distill.Storage;
using Distill.Teacher.Remote.Calls;
using Distill.Tokenization;

namespace Distill.Teacher.Remote.Collection;

/// <summary>What a collection asks of a remote teacher. All of it decides the traces but the last two.</summary>
internal sealed record RemoteTraceOptions
{
    /// <summary>The run's seed; each sample's own follows from it, the problem's id and the sample's number.</summary>
    public required ulong Seed { get; init; }

    /// <summary>What the endpoint calls the model.</summary>
    public required string Teacher { get; init; }

    /// <summary>Address of the endpoint: models of one name differ between endpoints.</summary>
    public required string Address { get; init; }

    /// <summary>
    /// Put before every problem as the system message, e.g. in what form to answer; not part of the traces. Empty, the default: none.
    /// </summary>
    public string Instructions { get; init; } = "";

    /// <summary>Turns of user and assistant between the system message and every problem; not part of the traces. Default: none.</summary>
    public IReadOnlyList<ChatMessage> Examples { get; init; } = [];

    /// <summary>Which of the samples are asked; null, the default: all.</summary>
    public SamplingPolicy? Policy { get; init; }

    /// <summary>What all parts together may take, costs by <see cref="Prices"/>; default: no limit.</summary>
    public SampleBudget Budget { get; init; } = SampleBudget.None;

    /// <summary>Null, the default: completions cost nothing.</summary>
    public TokenPrices? Prices { get; init; }

    /// <summary>Whether a trace is right, where a policy goes by it. Called by any thread, several at once.</summary>
    public Func<Trace, bool>? IsRight { get; init; }

    /// <summary>Completions per problem. 1 and more, default 1.</summary>
    public int Samples { get; init; } = 1;

    /// <summary>0 is greedy. Default 0.7.</summary>
    public double Temperature { get; init; } = 0.7;

    /// <summary>(0, 1], default 1.</summary>
    public double TopP { get; init; } = 1;

    /// <summary>Longest completion in the endpoint's tokens, reasoning included.</summary>
    public required int MaxTokens { get; init; }

    /// <summary>
    /// Send each sample's seed. Endpoints that know seeds then repeat themselves; some others refuse the key. Default true.
    /// </summary>
    public bool SendSeed { get; init; } = true;

    /// <summary>
    /// The teacher's: token ids and log-probabilities are then asked for, checked against the text by it and kept. Null, the default: text
    /// alone.
    /// </summary>
    public Tokenizer? Tokenizer { get; init; }

    /// <summary>Alternatives kept beside each token, with <see cref="Tokenizer"/>. 0 and more, default 0.</summary>
    public int TopLogProbabilities { get; init; }

    /// <summary>Problems whose traces are committed together. 1 and more, default 128.</summary>
    public int ProblemsPerPart { get; init; } = 128;

    /// <summary>Requests under way at once. 1 and more, default 4.</summary>
    public int Concurrency { get; init; } = 4;

    /// <summary>Everything wrong, one sentence each; empty when the options can be used.</summary>
    public IReadOnlyList<string> FindProblems()
    {
        var problems = new List<string>();
        void Check(bool holds, string name, object value, string allowed)
        {
            if (!holds) problems.Add($"{name} {value}: allowed is {allowed}.");
        }

        Check(Teacher.Length > 0, nameof(Teacher), "(empty)", "the model's name");
        Check(Samples >= 1, nameof(Samples), Samples, "1 and more");
        Check(Temperature >= 0, nameof(Temperature), Temperature, "0 and more");
        Check(TopP is > 0 and <= 1, nameof(TopP), TopP, "more than 0, at most 1");
        Check(MaxTokens >= 1, nameof(MaxTokens), MaxTokens, "1 and more");
        Check(TopLogProbabilities >= 0, nameof(TopLogProbabilities), TopLogProbabilities, "0 and more");
        Check(ProblemsPerPart >= 1, nameof(ProblemsPerPart), ProblemsPerPart, "1 and more");
        Check(Concurrency >= 1, nameof(Concurrency), Concurrency, "1 and more");
        return problems;
    }
}

/// <summary>
/// Digests that stand for a remote teacher, where a local one's are taken over its files. An endpoint can change its model behind a name,
/// which no digest sees: what is cached stays what it was.
/// </summary>
internal static class TeacherIdentity
{
    private const int Version = 1;

    /// <summary>The model alone.</summary>
    public static string OfModel(string address, string model) => Digest(address.TrimEnd('/'), model);

    /// <summary>The model as it is sampled: what decides a completion besides the question and its seed.</summary>
    public static string Of(RemoteTraceOptions options) => Digest(
    [
        OfModel(options.Address, options.Teacher), RemoteSampling.Write(options), options.Instructions,
        options.SendSeed ? "seeded" : "unseeded",
        .. options.Examples.SelectMany(turn => (string[])[turn.Role, turn.Content]),
    ]);

    /// <summary>One completion: its name in the store.</summary>
    /// <param name="seed">Tells the samples of a problem apart, whether or not it is sent.</param>
    public static string OfRequest(string teacher, string prompt, ulong seed) => Digest(teacher, prompt, seed.ToString("x16"));

    /// <summary>The same with its tokens and so many alternatives beside each.</summary>
    public static string WithTokens(string request, int alternatives) =>
        Digest(request, "tokens", alternatives.ToString(CultureInfo.InvariantCulture));

    /// <summary>A judge's reply about an answer.</summary>
    public static string OfJudgement(
        string address, string model, string rubric, int maxTokens, string question, string reference, string answer) =>
        Digest(
            OfModel(address, model), "judge", rubric, maxTokens.ToString(CultureInfo.InvariantCulture), question, reference, answer);

    private static string Digest(params string[] parts) =>
        FileDigest.Of(Encoding.UTF8.GetBytes(JsonSerializer.Serialize((string[])[$"remote-teacher-{Version}", .. parts])));
}
