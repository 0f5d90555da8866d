namespace Distill.Teacher.Remote.Collection;

/// <summary>What a collection asks of a remote teacher. All of it decides the traces but the last two.</summary>
public sealed record RemoteTraceOptions
{
    /// <summary>The run's seed; each sample's own follows from it, the problem's id and the sample's number.</summary>
    public required ulong Seed { get; init; }

    /// <summary>What the endpoint calls the model.</summary>
    public required string Teacher { get; init; }

    /// <summary>Address of the endpoint: models of one name differ between endpoints.</summary>
    public required string Address { get; init; }

    /// <summary>Put before every problem as the system message, e.g. in what form to answer; not part of the traces. Empty, the default: none.</summary>
    public string Instructions { get; init; } = "";

    /// <summary>Completions per problem. 1 and more, default 1.</summary>
    public int Samples { get; init; } = 1;

    /// <summary>0 is greedy. Default 0.7.</summary>
    public double Temperature { get; init; } = 0.7;

    /// <summary>(0, 1], default 1.</summary>
    public double TopP { get; init; } = 1;

    /// <summary>Longest completion in the endpoint's tokens, reasoning included.</summary>
    public required int MaxTokens { get; init; }

    /// <summary>Send each sample's seed. Endpoints that know seeds then repeat themselves; some others refuse the key. Default true.</summary>
    public bool SendSeed { get; init; } = true;

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
        Check(ProblemsPerPart >= 1, nameof(ProblemsPerPart), ProblemsPerPart, "1 and more");
        Check(Concurrency >= 1, nameof(Concurrency), Concurrency, "1 and more");
        return problems;
    }
}
