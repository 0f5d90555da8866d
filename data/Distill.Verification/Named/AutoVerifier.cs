namespace Distill.Verification.Named;

/// <summary>
/// Chooses by the reference answer, problem by problem: <c>choice</c> where it is a single letter or the problem has options that it
/// names, <c>math</c> where it holds a digit or LaTeX and can be read as mathematics, and <c>exact</c> for all other text.
/// </summary>
internal sealed class AutoVerifier : IVerifier
{
    private static readonly MathVerifier Math = new();
    private static readonly ChoiceVerifier Choice = new();
    private static readonly ExactVerifier Exact = new();

    public string Name => "auto";

    public int Version => Math.Version + Choice.Version + Exact.Version;

    public Verdict Verify(string? answer, IVerifiable problem) => ChosenFor(problem).Verify(answer, problem);

    public string? ClassOf(string? answer, IVerifiable problem) => ChosenFor(problem).ClassOf(answer, problem);

    public string? FaultOf(IVerifiable problem) => ChosenFor(problem).FaultOf(problem);

    internal static IVerifier ChosenFor(IVerifiable problem)
    {
        ArgumentNullException.ThrowIfNull(problem);
        string gold = problem.ReferenceAnswer;
        if ((problem.Choices.Count > 0 || gold.Trim().Length == 1) && Choice.FaultOf(problem) is null) return Choice;
        bool isMath = gold.Any(char.IsAsciiDigit) || gold.Contains('\\', StringComparison.Ordinal);
        return isMath && MathVerifier.CanRead(gold) ? Math : Exact;
    }
}
