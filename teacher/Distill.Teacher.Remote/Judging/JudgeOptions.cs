namespace Distill.Teacher.Remote.Judging;

/// <summary>Which model judges, and by what. All of it decides verdicts but the last.</summary>
internal sealed record JudgeOptions
{
    /// <summary>Address of the endpoint: models of one name differ between endpoints.</summary>
    public required string Address { get; init; }

    public required string Model { get; init; }

    public JudgeRubric Rubric { get; init; } = new(JudgeRubric.Default);

    /// <summary>Longest reply, reasoning included. Default 1,024.</summary>
    public int MaxTokens { get; init; } = 1024;

    /// <summary>Longest question, reference or answer that is put to the judge, in characters. Default 20,000.</summary>
    public int LongestText { get; init; } = 20_000;

    /// <summary>Answers judged at once. Default 4.</summary>
    public int Concurrency { get; init; } = 4;
}
