namespace Distill.Tokenization.PreTokenizers;

/// <summary>A slice of a text on its way to the model. <paramref name="First"/>: nothing of the whole text comes before it.</summary>
internal readonly record struct Piece(string Text, int Start, int Length, bool First)
{
    public static Piece Of(string text, bool first) => new(text, 0, text.Length, first);

    public int End => Start + Length;

    public ReadOnlySpan<char> Span => Text.AsSpan(Start, Length);

    /// <summary>Characters [start, end) of <see cref="Text"/>.</summary>
    public Piece Slice(int start, int end) => new(Text, start, end - start, First && start == Start);
}
