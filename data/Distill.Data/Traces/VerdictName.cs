using Distill.Data.Verification;

namespace Distill.Data.Traces;

/// <summary>Verdicts as files spell them.</summary>
internal static class VerdictName
{
    public static string Of(Verdict verdict) => verdict switch
    {
        Verdict.Correct => "correct",
        Verdict.Incorrect => "incorrect",
        Verdict.Undecidable => "undecidable",
        _ => throw new ArgumentOutOfRangeException(nameof(verdict), verdict, null),
    };

    public static Verdict Parse(string name) => name switch
    {
        "correct" => Verdict.Correct,
        "incorrect" => Verdict.Incorrect,
        "undecidable" => Verdict.Undecidable,
        _ => throw new InvalidDataException($"the verdict '{name}' is none of correct, incorrect, undecidable"),
    };
}
