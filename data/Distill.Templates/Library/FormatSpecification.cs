using System.Globalization;
using System.Numerics;
using System.Text.RegularExpressions;
using Distill.Templates.Runtime;
using Distill.Templates.Values;

namespace Distill.Templates.Library;

/// <summary>
/// Python's mini-language for one value: <c>[[fill]align][sign][z][#][0][width][, or _][.precision][type]</c>.
/// </summary>
internal sealed partial class FormatSpecification
{
    private const int Widest = 10_000;

    private readonly RenderContext _context;
    private readonly Text _fill;
    private readonly char _align;
    private readonly char _sign;
    private readonly bool _hidesNegativeZero;
    private readonly bool _alternate;
    private readonly int _width;
    private readonly string _separator;
    private readonly int? _precision;
    private readonly char _type;

    private FormatSpecification(RenderContext context, Text text)
    {
        _context = context;
        var match = Pattern().Match(text.Value);
        if (!match.Success) throw TemplateException.Type($"'{text.Value[..Math.Min(text.Value.Length, 40)]}' is no format specification");
        bool zeros = match.Groups["zeros"].Success, aligned = match.Groups["align"].Success;
        var fill = match.Groups["fill"];
        _fill = fill.Success ? text.Slice(fill.Index, fill.Index + fill.Length) : Text.Own(zeros ? "0" : " ");
        _align = aligned ? match.Groups["align"].Value[0] : zeros ? '0' : '\0';
        _sign = Letter(match.Groups["sign"]);
        _hidesNegativeZero = match.Groups["z"].Success;
        _alternate = match.Groups["alternate"].Success;
        _width = Size(match.Groups["width"]) ?? 0;
        _separator = match.Groups["separator"].Value;
        _precision = Size(match.Groups["precision"]);
        _type = Letter(match.Groups["type"]);
    }

    public static Text Apply(RenderContext context, Value value, Text specification)
    {
        if (specification.Value.Length == 0) return context.Printer.Print(value);
        return value switch
        {
            Text { IsMarkup: true } => throw TemplateException.Unsupported("escaped text cannot be changed"),
            Text text => new FormatSpecification(context, specification).OfText(text),
            _ when Numbers.Is(value) => new FormatSpecification(context, specification).OfNumber(value),
            _ => throw TemplateException.Type($"a '{value.TypeName}' takes no format specification"),
        };
    }

    private Text OfText(Text text)
    {
        if (_type is not ('\0' or 's') || _sign != '\0' || _hidesNegativeZero || _alternate || _separator.Length > 0 || _align == '=')
            throw TemplateException.Type("the specification does not suit a text");
        int[] starts = CodePoints.Starts(text.Value);
        return Padded(text.Slice(0, starts[Math.Min(_precision ?? int.MaxValue, starts.Length - 1)]), '<');
    }

    private Text OfNumber(Value value)
    {
        if (_type == 'c') return Padded(Character(value), '>');
        bool whole = Numbers.Whole(value) is not null && _type is '\0' or 'd' or 'b' or 'o' or 'x' or 'X' or 'n';
        if (!whole && _type is not ('\0' or 'e' or 'E' or 'f' or 'F' or 'g' or 'G' or 'n' or '%')) throw NoSuchType(value);
        if (_separator.Length > 0 && (_type == 'n' || (_separator == "," && _type is 'b' or 'o' or 'x' or 'X')))
            throw TemplateException.Type($"'{_separator}' does not go with '{_type}'");
        return whole ? OfWhole(Numbers.Whole(value)!.Value) : OfReal(Numbers.Real(value), value);
    }

    private Text OfWhole(BigInteger value)
    {
        if (_precision is not null || _hidesNegativeZero) throw TemplateException.Type("the specification does not suit an integer");
        string digits = NumberFormat.Whole(value, _type);
        string prefix = _alternate && _type is 'b' or 'o' or 'x' or 'X' ? $"0{_type}" : "";
        return Assembled(value.Sign < 0, prefix, digits, "", _type is 'b' or 'o' or 'x' or 'X' ? 4 : 3);
    }

    private Text OfReal(double value, Value source)
    {
        if (double.IsInfinity(value) && source is Integer) throw TemplateException.Type("the integer is too large for a real number");
        string text = NumberFormat.Real(value, _type, _precision, _alternate);
        int whole = text.TakeWhile(char.IsAsciiDigit).Count();
        bool isZero = !text.Any(c => c is >= '1' and <= '9') && double.IsFinite(value);
        bool negative = double.IsNegative(value) && !double.IsNaN(value) && !(_hidesNegativeZero && isZero);
        return whole > 0
            ? Assembled(negative, "", text[..whole], text[whole..], 3)
            : Assembled(negative, "", "", text, 3);
    }

    /// <summary>Sign, prefix, digits in groups, and the rest, filled up to the width.</summary>
    private Text Assembled(bool negative, string prefix, string digits, string rest, int group)
    {
        string sign = negative ? "-" : _sign is '+' or ' ' ? _sign.ToString() : "";
        int left = _width - sign.Length - prefix.Length - rest.Length;
        bool fillsZeros = _align == '0' || (_align == '=' && _fill.Value == "0");
        if (_separator.Length > 0 && digits.Length > 0)
        {
            while (fillsZeros && Grouped(digits, group).Length < left) digits = "0" + digits;
            digits = Grouped(digits, group);
        }
        if (_align is not ('0' or '=')) return Padded(Text.Own(sign + prefix + digits + rest), '>');
        var body = TextOperations.Pad(_context, Text.Own(digits + rest), left + rest.Length, _fill, missing => missing);
        return Text.Concat([Text.Own(sign + prefix), body]);
    }

    private string Grouped(string digits, int size)
    {
        int first = digits.Length % size;
        var groups = Enumerable.Range(0, digits.Length / size).Select(i => digits.Substring(first + i * size, size));
        return string.Join(_separator, first > 0 ? groups.Prepend(digits[..first]) : groups);
    }

    private Text Character(Value value)
    {
        if (Numbers.Whole(value) is not { } code) throw NoSuchType(value);
        if (_sign != '\0' || _alternate || _precision is not null || _separator.Length > 0 || _hidesNegativeZero)
            throw TemplateException.Type("the specification does not suit a character");
        return CodePoints.Character(code);
    }

    private Text Padded(Text text, char otherwise)
    {
        char align = _align is '\0' or '0' ? otherwise : _align;
        return TextOperations.Pad(
            _context, text, _width, _fill, missing => align == '<' ? 0 : align == '^' ? missing / 2 : missing);
    }

    private TemplateException NoSuchType(Value value) => TemplateException.Type($"'{_type}' formats no '{value.TypeName}'");

    private static char Letter(Group group) => group is { Success: true, Value: [var letter] } ? letter : '\0';

    private static int? Size(Group group)
    {
        if (!group.Success) return null;
        return int.TryParse(group.Value, NumberStyles.None, CultureInfo.InvariantCulture, out int size) && size <= Widest
            ? size
            : throw TemplateException.Limit($"a width in a format is larger than {Widest}");
    }

    [GeneratedRegex(@"\A((?<fill>[\uD800-\uDBFF][\uDC00-\uDFFF]|[\s\S])?(?<align>[<>=^]))?(?<sign>[-+ ])?(?<z>z)?(?<alternate>#)?"
        + @"(?<zeros>0)?(?<width>[0-9]+)?(?<separator>[,_])?(\.(?<precision>[0-9]+))?(?<type>[a-zA-Z%])?\z", RegexOptions.CultureInvariant)]
    private static partial Regex Pattern();
}
