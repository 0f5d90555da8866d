namespace Distill.Verification.Mathematics.Reading;

internal enum TokenKind
{
    /// <summary>Digits in one spelling: <c>1234.5</c>, <c>3.6e6</c>, <c>0.1(6)</c> for a repeating decimal.</summary>
    Number,

    /// <summary>A run of letters.</summary>
    Word,

    /// <summary>Words that LaTeX sets as text.</summary>
    Text,

    /// <summary>A command that means something: <c>frac</c>, <c>sin</c>, <c>alpha</c>.</summary>
    Command,

    /// <summary>Any other sign, under one spelling: ≤ also for <c>\le</c>.</summary>
    Sign,

    /// <summary><c>\begin{…}</c> and <c>\end{…}</c> with the name of the environment.</summary>
    Begin,
    End,
}

/// <param name="Text">What it says; of a command without its backslash.</param>
/// <param name="AfterBlank">Whether something blank was before it.</param>
internal readonly record struct Token(TokenKind Kind, string Text, bool AfterBlank)
{
    public bool Is(TokenKind kind, string text) => Kind == kind && Text == text;

    public bool IsSign(string text) => Is(TokenKind.Sign, text);

    public bool IsWordLike => Kind is TokenKind.Word or TokenKind.Text;
}
