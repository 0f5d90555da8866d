using Distill.Data.Problems;

namespace Distill.Data.Tests.Problems.Oracles;

/// <summary>
/// What a family must be right about, worked out from the words of a problem alone by code that shares nothing with the family:
/// a family and its verifier can be wrong together, not with this one.
/// </summary>
internal abstract class Oracle
{
    private static readonly Dictionary<string, Oracle> All = new()
    {
        ["arithmetic"] = new ArithmeticOracle(),
        ["words"] = new WordsOracle(),
        ["countdown"] = new CountdownOracle(),
        ["knights"] = new KnightsOracle(),
        ["contradiction"] = new ContradictionOracle(),
    };

    /// <exception cref="KeyNotFoundException">A new family needs an oracle too.</exception>
    public static Oracle Of(string family) => All[family];

    public abstract bool Accepts(string text, string answer);

    /// <summary>No answer exists, or the statements contradict each other.</summary>
    public abstract bool IsUnsatisfiable(string text);

    /// <summary>Fails unless the reference solution is a gapless, true way to the reference answer.</summary>
    public abstract void CheckSteps(Problem problem);

    public abstract bool IsTrue(string fact);
}
