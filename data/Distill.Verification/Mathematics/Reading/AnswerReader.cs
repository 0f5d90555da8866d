using Distill.Verification.Named;

namespace Distill.Verification.Mathematics.Reading;

/// <summary>
/// Reads an answer as what it is: a quantity, a list, a set, a point, an interval, a matrix, an equation, a ratio, or words. Goes no
/// deeper than brackets may. One use per text.
/// </summary>
internal sealed partial class AnswerReader
{
    private const int MaxLength = 4_000;
    private const int MaxItems = 200;
    private const int MaxWords = 60;
    private const string Punctuation = "'’.,;:!?\"-()–&";

    private static readonly HashSet<string> Openings =
    [
        "answer", "so", "thus", "hence", "therefore", "then", "approximately", "about", "option", "choice", "is", "the", "final", "we",
        "get",
    ];

    private static readonly Dictionary<string, AnswerValue> NamedSets = new(StringComparer.Ordinal)
    {
        ["no solution"] = Group.EmptySet, ["no solutions"] = Group.EmptySet, ["no real solution"] = Group.EmptySet,
        ["no real solutions"] = Group.EmptySet, ["empty set"] = Group.EmptySet, ["the empty set"] = Group.EmptySet,
        ["all real numbers"] = Group.RealNumbers, ["all reals"] = Group.RealNumbers, ["all real"] = Group.RealNumbers,
    };

    private readonly string text;
    private readonly Token[] tokens;
    private readonly int[] partners;
    private readonly bool gluedUnits;

    private AnswerReader(string text, Token[] tokens, int[] partners, bool gluedUnits) =>
        (this.text, this.tokens, this.partners, this.gluedUnits) = (text, tokens, partners, gluedUnits);

    /// <param name="joinsThousands">Whether <c>1,234</c> is one number.</param>
    /// <param name="gluedUnits">Whether <c>5m</c> is a length rather than a product.</param>
    /// <returns>Null when the text is nothing that is read here.</returns>
    public static AnswerValue? Read(string text, bool joinsThousands = true, bool gluedUnits = false)
    {
        if (text.Length > MaxLength) return null;
        if (Tokenizer.Read(text, joinsThousands) is not { Count: > 0 } tokens || Brackets.Partners(tokens) is not { } partners)
            return WordsOf(text);
        return new AnswerReader(text, [.. tokens], partners, gluedUnits).Read(0, tokens.Count) ?? WordsOf(text);
    }

    private AnswerValue? Read(int start, int end)
    {
        (start, end) = Trimmed(start, end);
        if (start >= end) return null;
        return ReadWords(start, end)
            ?? ReadBased(start, end)
            ?? (Separators(start, end) is { Count: > 0 } separators ? ReadList(start, end, separators) : ReadOne(start, end));
    }

    private AnswerValue? ReadOne(int start, int end) => ReadSetOperation(start, end)
        ?? ReadRelation(start, end)
        ?? ReadBracketed(start, end)
        ?? ReadRatio(start, end)
        ?? ReadQuantity(start, end);

    private (int Start, int End) Trimmed(int start, int end)
    {
        while (end > start && tokens[end - 1].Kind == TokenKind.Sign && tokens[end - 1].Text is "." or ":" or ";" or "," or "?") end--;
        int first = start;
        while (first < end && tokens[first].IsWordLike && IsOpening(tokens[first].Text)) first++;
        while (first > start && first < end && tokens[first].Kind == TokenKind.Sign && tokens[first].Text is ":" or ",") first++;
        return (first < end ? first : start, end);
    }

    private static bool IsOpening(string word) =>
        word.ToLowerInvariant().Split([' ', ':', ',', '.'], StringSplitOptions.RemoveEmptyEntries).All(Openings.Contains);

    /// <summary>Nothing but words. A word of variables is a product: "ab" is, "no" and "below" are not.</summary>
    private AnswerValue? ReadWords(int start, int end)
    {
        var part = tokens.AsSpan(start, end - start);
        bool hasText = false;
        foreach (var token in part)
        {
            bool isMark = token.Kind == TokenKind.Sign && token.Text is "'" or "-" or "." or "\"" or "?" or "!";
            if (!token.IsWordLike && !isMark) return null;
            hasText |= token.Kind == TokenKind.Text || (token.Kind == TokenKind.Word && !IsProduct(token.Text));
        }

        if (!hasText || part.Length > MaxWords) return null;
        string joined = string.Join(' ', part.ToArray().Where(token => token.IsWordLike).Select(token => token.Text));
        string folded = AnswerText.Folded(start == 0 && end == tokens.Length ? text : joined).Trim('.', '!', '?', '"', '\'', ' ');
        // "Option D" is D.
        if (folded.StartsWith("option ", StringComparison.Ordinal) || folded.StartsWith("choice ", StringComparison.Ordinal))
            folded = folded["option ".Length..].Trim('(', ')', ' ');
        return NamedSets.GetValueOrDefault(folded) ?? new Words(folded);
    }

    private static bool IsProduct(string word) => word.Length == 1 || word == "pi" || Functions.IsName(word)
        || (word.Length == 2 && !EnglishWords.OfTwoLetters.Contains(word.ToLowerInvariant())) || Units.IsAlphabetical(word);

    /// <summary>Words in a text that no tokens could be made of.</summary>
    private static Words? WordsOf(string text)
    {
        bool isProse = text.Any(char.IsLetter)
            && text.All(letter => char.IsLetter(letter) || char.IsWhiteSpace(letter)
                || Punctuation.Contains(letter, StringComparison.Ordinal));
        if (!isProse || text.Count(char.IsWhiteSpace) > MaxWords) return null;
        string folded = AnswerText.Folded(text).Trim('.', '!', '?', '"', '\'', ' ');
        return folded.Length > 0 ? new Words(folded) : null;
    }

    // 1100101_{2}, (55)_8
    private BasedNumber? ReadBased(int start, int end)
    {
        int at = end - 1;
        if (tokens[at].IsSign("}") && partners[at] == at - 2) at--;
        if (at <= start + 1 || tokens[at].Kind != TokenKind.Number) return null;
        string radix = tokens[at].Text;
        if (tokens[at - 1].IsSign("{")) at--;
        if (--at <= start || !tokens[at].IsSign("_")) return null;
        if (tokens[start].IsSign("(") && partners[start] == at - 1) (start, at) = (start + 1, at - 1);
        if (tokens[start].Kind != TokenKind.Number) return null;
        var digits = tokens.AsSpan(start, at - start);
        bool isDigits = digits.Length <= 8;
        foreach (var token in digits) isDigits &= token.Kind is TokenKind.Number or TokenKind.Word or TokenKind.Text;
        return isDigits ? new BasedNumber(string.Concat(digits.ToArray().Select(token => token.Text.ToUpperInvariant())), radix) : null;
    }

    /// <summary>Positions of commas, semicolons, "and" and "or" outside of brackets.</summary>
    private List<int> Separators(int start, int end)
    {
        var found = new List<int>();
        for (int i = start; i < end; i = Next(i))
        {
            var token = tokens[i];
            bool separates = token.Kind == TokenKind.Sign
                ? token.Text is "," or ";"
                : token.IsWordLike && token.Text.Trim(' ', ',').ToLowerInvariant() is "and" or "or";
            if (separates) found.Add(i);
        }

        return found;
    }

    private AnswerValue? ReadList(int start, int end, List<int> separators)
    {
        var items = new List<AnswerValue>();
        bool hasOr = false;
        separators.Add(end);
        foreach (int separator in separators)
        {
            // "1, 2, and 3" has two separators side by side.
            if (separator > start)
            {
                if (items.Count >= MaxItems || Read(start, separator) is not { } item) return null;
                AddTo(items, item);
            }

            hasOr |= separator < end && tokens[separator].Text.Trim().Equals("or", StringComparison.OrdinalIgnoreCase);
            start = separator + 1;
        }

        if (items.Count == 1) return items[0];
        bool areIntervals = items.All(item => item is Relation or Group { Kind: GroupKind.Bracketed });
        return hasOr && areIntervals ? new SetOperation("∪", items) : new Group(GroupKind.List, "", items);
    }

    // 1 ± √5, -2 are three values.
    private static void AddTo(List<AnswerValue> items, AnswerValue item)
    {
        if (item is Group { Kind: GroupKind.List } both) items.AddRange(both.Items);
        else items.Add(item);
    }

    private SetOperation? ReadSetOperation(int start, int end)
    {
        var items = new List<AnswerValue>();
        string? sign = null;
        int from = start;
        for (int i = start; i <= end; i = i < end ? Next(i) : i + 1)
        {
            bool isEnd = i == end;
            if (!isEnd && !(tokens[i].Kind == TokenKind.Sign && tokens[i].Text is "∪" or "∩" or "∖")) continue;
            if (isEnd && sign is null) return null;
            if (!isEnd && sign is not null && sign != tokens[i].Text) return null;
            if (!isEnd) sign = tokens[i].Text;
            // x ∈ A ∪ B names the whole.
            int itemStart = from == start && from + 1 < i && tokens[from + 1].IsSign("∈") ? from + 2 : from;
            if (items.Count >= MaxItems || Read(itemStart, i) is not { } item) return null;
            items.Add(item);
            from = i + 1;
        }

        return new SetOperation(sign!, items);
    }

    private int Next(int at) => partners[at] > at ? partners[at] + 1 : at + 1;

    private Expression? ReadExpression(int start, int end) =>
        start < end ? ExpressionParser.Parse(tokens.AsSpan(start, end - start)) : null;
}
