namespace Distill.Verification.Mathematics.Reading;

/// <summary>Relations, brackets, matrices, ratios and quantities.</summary>
internal sealed partial class AnswerReader
{
    private const int MaxSides = 12;

    private AnswerValue? ReadRelation(int start, int end)
    {
        List<int> cuts = [];
        for (int i = start; i < end; i = Next(i))
            if (tokens[i].Kind == TokenKind.Sign && tokens[i].Text is "=" or "≠" or "<" or ">" or "≤" or "≥" or "≈" or "∈") cuts.Add(i);
        if (cuts.Count is 0 or > MaxSides) return null;
        if (tokens[cuts[0]].IsSign("∈"))
            return cuts.Count == 1 && NameOf(start, cuts[0]) is { } element && Read(cuts[0] + 1, end) is { } set
                ? new Assignment(element, set, null)
                : null;
        var operators = cuts.Select(cut => tokens[cut].Text == "≈" ? "=" : tokens[cut].Text).ToList();
        return operators.All(sign => sign == "=") ? ReadEquation(start, end, cuts) : ReadInequality(start, end, cuts, operators);
    }

    private Relation? ReadInequality(int start, int end, List<int> cuts, List<string> operators)
    {
        var sides = Sides(start, end, cuts);
        return sides is null ? null : new Relation(sides, operators);
    }

    // x = 2·3 = 6: the name is on one side, and all others have one value; the last is taken, and the comparison looks at all.
    private AnswerValue? ReadEquation(int start, int end, List<int> cuts)
    {
        var equation = Sides(start, end, cuts) is { } sides ? new Relation(sides, [.. cuts.Select(_ => "=")]) : null;
        int last = cuts[^1];
        if (NameOf(start, cuts[0]) is { } name && (cuts.Count == 1 || equation is not null))
            return Read(last + 1, end) is { } value ? new Assignment(name, value, equation) : null;
        if (cuts.Count == 1 && NameOf(last + 1, end) is { } right)
            return Read(start, last) is { } value ? new Assignment(right, value, equation) : equation;
        return equation;
    }

    private List<Expression>? Sides(int start, int end, List<int> cuts)
    {
        var sides = new List<Expression>();
        foreach (int cut in cuts.Append(end))
        {
            if (ReadQuantity(start, cut) is not Quantity quantity) return null;
            sides.Add(quantity.Value);
            start = cut + 1;
        }

        return sides;
    }

    /// <returns>The name that a value gets: a variable, a function of variables, or a point of variables; null for anything else.</returns>
    private string? NameOf(int start, int end)
    {
        (start, end) = Trimmed(start, end);
        string? name = ReadExpression(start, end) is Name { IsVariable: true } variable ? variable.Text : null;
        if (name is not null || start >= end) return name;
        bool hasLetter = tokens[start].Kind == TokenKind.Word && tokens[start].Text.Length == 1;
        int open = hasLetter ? start + 1 : start;
        if (open >= end || !tokens[open].IsSign("(") || partners[open] != end - 1) return null;
        var names = new List<string>();
        for (int i = open + 1; i < end - 1; i++)
        {
            if (tokens[i].Kind == TokenKind.Word && tokens[i].Text.Length == 1) names.Add(tokens[i].Text);
            else if (!tokens[i].IsSign(",")) return null;
        }

        // (y, x) = (1, 2) would have to be turned round.
        if (!names.SequenceEqual(names.Order(StringComparer.Ordinal))) return null;
        return (hasLetter ? tokens[start].Text : "") + $"({string.Join(',', names)})";
    }

    private AnswerValue? ReadBracketed(int start, int end)
    {
        var first = tokens[start];
        if (first.Is(TokenKind.Command, "R") && end == start + 1) return Group.RealNumbers;
        if (first.IsSign("∅") && end == start + 1) return Group.EmptySet;
        if (partners[start] != end - 1) return null;
        if (first.Kind == TokenKind.Begin) return ReadMatrix(start, end);
        if (first.IsSign("{")) return Read(start + 1, end - 1);
        if (first.IsSign("\\{")) return ReadSet(start + 1, end - 1);
        if (first.Kind != TokenKind.Sign || first.Text is not ("(" or "[" or "⟨")) return null;
        var separators = Separators(start + 1, end - 1);
        if (separators.Count == 0)
            return first.IsSign("(") && tokens[end - 1].IsSign(")") ? Read(start + 1, end - 1) : null;
        return ReadItems(start + 1, end - 1, separators) is { } items
            ? new Group(GroupKind.Bracketed, first.Text + tokens[end - 1].Text, items)
            : null;
    }

    private AnswerValue? ReadSet(int start, int end)
    {
        if (start == end) return Group.EmptySet;
        // {x | x > 2} and {x : x > 2}
        for (int i = start; i < end; i = Next(i))
            if ((tokens[i].IsSign("|") || tokens[i].IsSign(":")) && NameOf(start, i) is not null) return Read(i + 1, end);
        if (ReadItems(start, end, Separators(start, end)) is not { } items) return null;
        var elements = new List<AnswerValue>();
        foreach (var item in items) AddTo(elements, item);
        return new Group(GroupKind.Set, "", elements);
    }

    private List<AnswerValue>? ReadItems(int start, int end, List<int> separators)
    {
        var items = new List<AnswerValue>();
        foreach (int separator in separators.Append(end))
        {
            if (items.Count >= MaxItems || Read(start, separator) is not { } item) return null;
            items.Add(item);
            start = separator + 1;
        }

        return items;
    }

    private AnswerValue? ReadMatrix(int start, int end)
    {
        string environment = tokens[start].Text;
        bool isList = environment is "cases" or "aligned" or "gathered" or "array";
        if (!isList && environment is not ("matrix" or "pmatrix" or "bmatrix" or "Bmatrix" or "smallmatrix")) return null;
        var rows = new List<IReadOnlyList<AnswerValue>>();
        int from = start + 1;
        for (int i = from; i < end; i = Next(i))
        {
            if (i != end - 1 && !tokens[i].IsSign("\\\\")) continue;
            if (i > from)
            {
                if (rows.Count >= MaxItems || ReadRow(from, i) is not { } row) return null;
                rows.Add(row);
            }

            from = i + 1;
        }

        if (rows.Count == 0) return null;
        if (environment is "matrix" or "smallmatrix" or "array" || !isList) return new Matrix(rows);
        return rows.All(row => row.Count == 1) ? new Group(GroupKind.List, "", [.. rows.Select(row => row[0])]) : null;
    }

    private List<AnswerValue>? ReadRow(int start, int end)
    {
        var cuts = new List<int>();
        for (int i = start; i < end; i = Next(i))
            if (tokens[i].IsSign("&")) cuts.Add(i);
        return ReadItems(start, end, cuts);
    }

    private Ratio? ReadRatio(int start, int end)
    {
        string? half = Units.Of(tokens.AsSpan(end - 1, 1)) is { Text: "am" or "pm" } unit && tokens[end - 1].IsWordLike ? unit.Text : null;
        if (half is not null) end--;
        var parts = new List<Expression>();
        var texts = new List<string>();
        int from = start;
        for (int i = start; i <= end; i = i < end ? Next(i) : i + 1)
        {
            if (i < end && !IsColon(i)) continue;
            if (i == end && parts.Count == 0) return null;
            if (parts.Count >= MaxSides || ReadExpression(from, i) is not { } part || part.HasVariables()) return null;
            parts.Add(part);
            texts.Add(i == from + 1 ? tokens[from].Text : "");
            from = i < end ? Next(i) : end;
        }

        // Two digits of minutes look like a time of day; 2:7 and 30:45 do not.
        bool isClock = half is not null || (texts.Count == 2 && texts[0].Length is 1 or 2 && texts[1].Length == 2
            && int.TryParse(texts[0], out int hours) && hours <= 24 && int.TryParse(texts[1], out int minutes) && minutes < 60);
        return new Ratio(parts, isClock, half);
    }

    // A colon in braces, {:}, only stands closer.
    private bool IsColon(int at) => tokens[at].IsSign(":") || (tokens[at].IsWordLike && tokens[at].Text == "to")
        || (tokens[at].IsSign("{") && partners[at] == at + 2 && tokens[at + 1].IsSign(":"));

    private AnswerValue? ReadQuantity(int start, int end)
    {
        (start, end) = Trimmed(start, end);
        if (start >= end) return null;
        var (first, currency) = Currency(start, end);
        int unitStart = UnitStart(first, end);
        if (unitStart > first && unitStart < end && Units.Of(tokens.AsSpan(unitStart, end - unitStart)) is { } unit
            && ReadExpression(first, unitStart) is { } measured)
            return currency is null || currency == unit ? WithUnit(measured, unit) : null;
        if (currency is not null)
        {
            int numberStart = first;
            // "-$5" and "$-5"
            bool isNegative = tokens[start].IsSign("-") && first == start + 2;
            return ReadExpression(numberStart, end) is { } amount ? WithUnit(isNegative ? new Negation(amount) : amount, currency) : null;
        }

        return ReadExpression(start, end) is { } value ? WithUnit(value, null) : null;
    }

    private (int First, Unit? Currency) Currency(int start, int end)
    {
        int at = tokens[start].IsSign("-") && start + 1 < end ? start + 1 : start;
        bool isCurrency = tokens[at].Kind == TokenKind.Sign && tokens[at].Text is "$" or "€" or "£" or "¥" or "₹";
        return isCurrency ? (at + 1, new Unit(tokens[at].Text, true)) : (start, null);
    }

    /// <returns>Where the unit at the end of a quantity starts; its end when there is none.</returns>
    private int UnitStart(int start, int end)
    {
        int at = end;
        while (at > start)
        {
            int before = at;
            var last = tokens[at - 1];
            if (last.Kind == TokenKind.Sign && last.Text is "$" or "€" or "£" or "¥" or "₹" or "¢" && at == end) at--;
            else if (IsUnitWord(at - 1, start)) at--;
            else if (last.Kind == TokenKind.Number && at - 2 > start && tokens[at - 2].IsSign("^") && IsUnitWord(at - 3, start)) at -= 3;
            else if (last.Kind == TokenKind.Number && at - 1 > start && tokens[at - 2].Is(TokenKind.Word, "mod")) at -= 2;
            else if (last.IsSign("}") && partners[at - 1] is var open && open - 1 > start && tokens[open - 1].IsSign("^")
                && at - open == 3 && tokens[open + 1].Kind == TokenKind.Number && IsUnitWord(open - 2, start)) at = open - 2;
            else if (IsOrdinal(at - 1) is { } raised && raised > start) at = raised;
            else if (IsModulus(at - 1) is { } modulus && modulus > start) at = modulus;
            else if (at < end && last.Kind == TokenKind.Sign && last.Text is "/" or "*" && tokens[at].IsWordLike
                && at - 2 > start && (IsUnitWord(at - 2, start) || tokens[at - 2].Kind == TokenKind.Number)
                && tokens[at - 2].Kind != TokenKind.Number) at--;
            if (at == before) break;
        }

        return at;
    }

    /// <returns>Where <c>^{th}</c> starts, when it ends here.</returns>
    private int? IsOrdinal(int last)
    {
        int open = partners[last];
        bool isRaised = tokens[last].IsSign("}") && open == last - 2 && open > 0 && tokens[open - 1].IsSign("^");
        return isRaised && tokens[open + 1].IsWordLike && tokens[open + 1].Text is "th" or "st" or "nd" or "rd" ? open - 1 : null;
    }

    /// <returns>Where <c>mod{5}</c> or <c>(mod 5)</c> starts, when it ends here.</returns>
    private int? IsModulus(int last)
    {
        int open = partners[last];
        if (open < 0 || open > last) return null;
        if (tokens[last].IsSign("}") && open > 0 && tokens[open - 1].Is(TokenKind.Word, "mod")) return open - 1;
        return tokens[last].IsSign(")") && tokens[open + 1].Is(TokenKind.Word, "mod") ? open : null;
    }

    private bool IsUnitWord(int at, int start)
    {
        if (at <= start) return false;
        var token = tokens[at];
        if (token.Kind == TokenKind.Text) return true;
        bool isAfterUnit = tokens[at - 1].IsSign("/") || tokens[at - 1].IsWordLike;
        bool isApart = token.AfterBlank || gluedUnits || isAfterUnit;
        return token.Kind == TokenKind.Word && (token.Text == "per" || Units.IsUnit(token.Text, isApart));
    }

    private static AnswerValue WithUnit(Expression value, Unit? unit)
    {
        if (Stripped(value, Function.Percent) is { } percent && unit is null) (value, unit) = (percent, Unit.Percent);
        else if (Stripped(value, Function.Degree) is { } degrees && (unit is null || unit.Text.Length == 1))
            (value, unit) = (degrees, unit is null ? Unit.Degree : new Unit($"°{unit.Text}", true));
        if (!value.All().Any(part => part is PlusMinus)) return new Quantity(value, unit);
        // Both values, each with the same sign in all places.
        var (upper, lower) = (Signed(value, isLower: false), Signed(value, isLower: true));
        return new Group(GroupKind.List, "", [new Quantity(upper, unit), new Quantity(lower, unit)]);
    }

    private static Expression? Stripped(Expression value, Function function) => value switch
    {
        Call call when call.Function == function => call.Argument,
        Negation { Inner: Call call } when call.Function == function => new Negation(call.Argument),
        _ => null,
    };

    private static Expression Signed(Expression value, bool isLower) => value switch
    {
        PlusMinus part => part.IsTurned == isLower ? Signed(part.Inner, isLower) : new Negation(Signed(part.Inner, isLower)),
        Sum sum => new Sum([.. sum.Terms.Select(term => Signed(term, isLower))]),
        Product product => new Product([.. product.Factors.Select(factor => Signed(factor, isLower))]),
        Negation negation => new Negation(Signed(negation.Inner, isLower)),
        Quotient quotient => new Quotient(Signed(quotient.Numerator, isLower), Signed(quotient.Denominator, isLower)),
        Power power => new Power(Signed(power.Base, isLower), Signed(power.Exponent, isLower)),
        Root root => root with { Radicand = Signed(root.Radicand, isLower) },
        Call call => call with { Argument = Signed(call.Argument, isLower) },
        _ => value,
    };
}
