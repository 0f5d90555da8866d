using Distill.Tokenization;

namespace Distill.Generation;

/// <summary>Asks for a completion's text while it is made, and for its end at the first of some strings. Immutable.</summary>
public sealed class TextOutput
{
    /// <param name="stopStrings">None may be empty.</param>
    /// <param name="skipSpecial">Control tokens leave no trace in the text.</param>
    public TextOutput(Tokenizer tokenizer, IReadOnlyList<string>? stopStrings = null, bool skipSpecial = true)
    {
        Tokenizer = tokenizer;
        StopStrings = [.. stopStrings ?? []];
        SkipSpecial = skipSpecial;
        if (StopStrings.Any(stop => stop.Length == 0)) throw new ArgumentException("An empty stop string would end every completion at once.", nameof(stopStrings));
    }

    public Tokenizer Tokenizer { get; }

    public IReadOnlyList<string> StopStrings { get; }

    public bool SkipSpecial { get; }
}
