namespace Distill.Generation.Constraints;

/// <summary>The patterns of one schema: each is made once, and all share one limit of memory and of work. Not thread-safe.</summary>
/// <param name="vocabulary">What the output is written with; null where every byte can be written.</param>
internal sealed class PatternSet(ConstraintVocabulary? vocabulary)
{
    // Half a KiB each.
    private const int MostStates = 10_000;
    private const int MostWork = 1_000_000;

    private readonly Dictionary<string, PatternAutomaton> made = [];
    private int states, work;

    /// <exception cref="NotSupportedException">What of the pattern is not known, or that the schema's patterns are too large.</exception>
    public PatternAutomaton Of(string pattern)
    {
        if (!made.TryGetValue(pattern, out var automaton)) made[pattern] = automaton = PatternAutomaton.Of(pattern, this);
        return automaton;
    }

    /// <summary>Whether some token has the byte, and a string in one spelling.</summary>
    public bool CanStand(byte value) =>
        (value >= 0x20 || "\b\f\n\r\t"u8.Contains(value)) && (value < 0x80 || vocabulary?.Has(value) != false);

    /// <param name="states">Of an automaton.</param>
    /// <param name="members">Of the sets that its states are made of, and of the network that they are from.</param>
    public void Spend(int states, int members)
    {
        this.states += states;
        work += members;
        if (this.states > MostStates || work > MostWork)
            throw new NotSupportedException($"more than {MostStates} states, all patterns together, or too many ways to match");
    }
}
