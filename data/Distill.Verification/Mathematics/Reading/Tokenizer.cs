using Distill.Verification.Named;

namespace Distill.Verification.Mathematics.Reading;

/// <summary>Cuts an answer, LaTeX or plain, into tokens. One pass; one use per text.</summary>
internal sealed class Tokenizer
{
    private const int MaxTokens = 1_500;
    private const int MaxTextDepth = 8;

    private readonly string text;
    private readonly bool joinsThousands;
    private readonly int textDepth;
    private readonly List<Token> tokens;
    private readonly bool hasLoneDollar;
    private int position;
    private int brackets;
    private bool afterBlank;

    private Tokenizer(string text, bool joinsThousands, List<Token> tokens, int textDepth)
    {
        (this.text, this.joinsThousands, this.tokens, this.textDepth) = (text, joinsThousands, tokens, textDepth);
        int dollars = 0;
        for (int i = 0; i < text.Length; i++)
            if (text[i] == '$' && (i == 0 || text[i - 1] != '\\')) dollars++;
        hasLoneDollar = dollars % 2 == 1;
    }

    /// <param name="joinsThousands">Whether <c>1,234</c> outside of brackets is one number rather than two.</param>
    /// <returns>Null when the text holds a sign that no answer needs, or too much.</returns>
    public static List<Token>? Read(string text, bool joinsThousands = true)
    {
        var tokens = new List<Token>();
        return new Tokenizer(text, joinsThousands, tokens, 0).Run() ? tokens : null;
    }

    private bool Run()
    {
        while (position < text.Length)
        {
            if (tokens.Count > MaxTokens || !Next()) return false;
        }

        return true;
    }

    private bool Next()
    {
        char letter = text[position];
        if (char.IsWhiteSpace(letter) || letter == '~') return Blank(1);
        if (letter == '\\') return NextCommand();
        if (NumberReader.StartsAt(text, position)) return NextNumber();
        if (letter == 'ℝ') return Add(TokenKind.Command, "R", 1);
        if (char.IsLetter(letter)) return NextWord();
        if (letter == '$' && !IsCurrency()) return Blank(1);
        if (letter is '√' or '∛') return NextRootSign(letter);
        if (Signs.Fraction(letter) is { } fraction) return NextFraction(fraction);
        if (Signs.SuperscriptDigit(letter) >= 0) return NextRaised("^", Signs.SuperscriptDigit);
        if (Signs.SubscriptDigit(letter) >= 0) return NextRaised("_", Signs.SubscriptDigit);
        return Signs.OfLetter(letter) is { } sign && AddSign(sign, 1);
    }

    private bool NextNumber()
    {
        bool isRaised = tokens.Count > 0 && tokens[^1].Kind == TokenKind.Sign && tokens[^1].Text is "^" or "_";
        var number = new NumberReader(text, joinsThousands && brackets == 0, joinsThousands && brackets == 0 && !isRaised);
        string digits = number.Read(position);
        return Add(TokenKind.Number, digits, number.End - position);
    }

    private bool NextWord()
    {
        int end = position;
        while (end < text.Length && char.IsLetter(text[end]) && text[end] != 'ℝ') end++;
        return Add(TokenKind.Word, text[position..end], end - position);
    }

    // "$5" is money; a pair of dollars only marks mathematics.
    private bool IsCurrency()
    {
        int next = position + 1;
        while (next < text.Length && text[next] is ' ' or '-') next++;
        return hasLoneDollar && next < text.Length && (char.IsAsciiDigit(text[next]) || text[next] == '.');
    }

    private bool NextRootSign(char letter)
    {
        bool added = Add(TokenKind.Command, "sqrt", 1);
        return added && (letter == '√' || (AddSign("[", 0) && Add(TokenKind.Number, "3", 0) && AddSign("]", 0)));
    }

    private bool NextFraction((string Numerator, string Denominator) fraction) => Add(TokenKind.Command, "frac", 0)
        && AddSign("{", 0) && Add(TokenKind.Number, fraction.Numerator, 0) && AddSign("}", 0)
        && AddSign("{", 0) && Add(TokenKind.Number, fraction.Denominator, 0) && AddSign("}", 1);

    private bool NextRaised(string mark, Func<char, int> digitOf)
    {
        int end = position;
        var digits = new List<char>();
        while (end < text.Length && digitOf(text[end]) is >= 0 and var digit)
        {
            digits.Add((char)('0' + digit));
            end++;
        }

        return AddSign(mark, 0) && AddSign("{", 0) && Add(TokenKind.Number, string.Concat(digits), 0) && AddSign("}", end - position);
    }

    private bool NextCommand()
    {
        int end = LatexText.CommandEnd(text, position + 1);
        string command = text[(position + 1)..end];
        int length = end - position;
        if (command.Length == 0) return false;
        if (command == "\\") return AddSign("\\\\", length);
        if (Signs.OfCommand(command) is { } sign) return AddSign(sign, length);
        if (LatexText.IsWrapping(command)) return NextText(end);
        command = Signs.Synonym(command);
        if (Signs.Blank.Contains(command)) return NextBlank(length);
        if (Signs.GreekLetter(command) is { } letter) return Add(TokenKind.Word, letter, length);
        return command switch
        {
            "and" or "or" => Add(TokenKind.Word, command, length),
            "pmod" or "bmod" or "mod" => Add(TokenKind.Word, "mod", length),
            "not" => NextNot(end),
            "begin" or "end" => NextEnvironment(command == "begin" ? TokenKind.Begin : TokenKind.End, end),
            "mathbb" => NextNumberSet(end),
            _ => Add(TokenKind.Command, command, length),
        };
    }

    private bool NextBlank(int length)
    {
        Blank(length);
        // \left. and \right. stand for no bracket at all.
        if (position < text.Length && text[position] == '.' && AnswerCleaning.IsDelimiterDot(text, position)) position++;
        return true;
    }

    private bool NextNot(int end)
    {
        while (end < text.Length && text[end] == ' ') end++;
        return end < text.Length && text[end] == '=' && AddSign("≠", end + 1 - position);
    }

    private bool NextText(int end)
    {
        if (Group(end) is not { } content)
        {
            // {\bf 7} and \text without braces set what follows.
            afterBlank = true;
            position = end;
            return true;
        }

        position = content.End;
        string words = text[content.Start..(content.End - 1)];
        afterBlank = true;
        if (Functions.Named(words.Trim()) is not null) return Add(TokenKind.Command, words.Trim(), 0);
        if (words.Count(char.IsLetter) > 1 && words.All(letter => char.IsLetter(letter) || IsProse(letter)))
            return Add(TokenKind.Text, words.Trim(), 0);
        bool isMark = !words.Any(char.IsLetterOrDigit) && words.All(IsProse);
        if (isMark || textDepth >= MaxTextDepth) return isMark;
        return new Tokenizer(words, joinsThousands, tokens, textDepth + 1) { afterBlank = true }.Run();
    }

    private static bool IsProse(char letter) => char.IsWhiteSpace(letter) || letter is '.' or ',' or ':' or '\'' or '-' or '!' or '?';

    private bool NextNumberSet(int end)
    {
        if (Group(end) is not { } content) return false;
        string name = text[content.Start..(content.End - 1)].Trim();
        position = content.End;
        return name == "R" ? Add(TokenKind.Command, "R", 0) : Add(TokenKind.Text, $"mathbb {name}", 0);
    }

    private bool NextEnvironment(TokenKind kind, int end)
    {
        if (Group(end) is not { } content) return false;
        string name = text[content.Start..(content.End - 1)].Trim().TrimEnd('*');
        position = content.End;
        if (kind == TokenKind.Begin && name == "array" && Group(position) is { } columns) position = columns.End;
        return Add(kind, name, 0);
    }

    /// <returns>The content of the braces that start here, after blanks or at once, and where they end; null when there are none.</returns>
    private (int Start, int End)? Group(int at)
    {
        while (at < text.Length && text[at] == ' ') at++;
        if (at >= text.Length || text[at] != '{') return null;
        int depth = 0;
        for (int i = at; i < text.Length; i++)
        {
            if (text[i] == '\\') i++;
            else if (text[i] == '{') depth++;
            else if (text[i] == '}' && --depth == 0) return (at + 1, i + 1);
        }

        return null;
    }

    private bool Blank(int length)
    {
        afterBlank = true;
        position += length;
        return true;
    }

    private bool AddSign(string sign, int length)
    {
        if (sign is "(" or "[" or "\\{" or "⟨") brackets++;
        if (sign is ")" or "]" or "\\}" or "⟩") brackets--;
        return Add(TokenKind.Sign, sign, length);
    }

    private bool Add(TokenKind kind, string content, int length)
    {
        tokens.Add(new Token(kind, content, afterBlank));
        afterBlank = false;
        position += length;
        return true;
    }
}
