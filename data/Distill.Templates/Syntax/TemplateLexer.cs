using System.Text.RegularExpressions;
using Distill.Templates.Runtime;

namespace Distill.Templates.Syntax;

/// <summary>
/// Cuts a template into text and tags, with white space handled as transformers does: <c>trim_blocks</c> (a newline after a block or
/// comment
/// goes), <c>lstrip_blocks</c> (blanks before one at the start of a line go), and the <c>-</c> and <c>+</c> signs.
/// </summary>
internal sealed partial class TemplateLexer
{
    private readonly string _source;
    private readonly List<Segment> _segments = [];
    private int _at;
    private bool _atLineStart = true;

    private TemplateLexer(string source) => _source = source;

    public static List<Segment> Read(string source)
    {
        source = source.Replace("\r\n", "\n").Replace('\r', '\n');
        if (source.EndsWith('\n')) source = source[..^1];
        var lexer = new TemplateLexer(source);
        while (lexer.ReadOne()) { }
        return lexer._segments;
    }

    private bool ReadOne()
    {
        int open = NextTag(_at);
        if (open < 0)
        {
            AddData(_source[_at..]);
            return false;
        }
        char kind = _source[open + 1];
        char sign = open + 2 < _source.Length && _source[open + 2] is '-' or '+' ? _source[open + 2] : ' ';
        AddData(BeforeTag(_source[_at..open], kind, sign));
        _at = open + (sign == ' ' ? 2 : 3);
        if (kind == '#') SkipComment();
        else if (kind == '%' && RawStart().Match(_source, _at) is { Success: true } raw) ReadRaw(raw);
        else ReadTag(kind);
        return true;
    }

    private int NextTag(int from)
    {
        for (int at = _source.IndexOf('{', from); at >= 0 && at + 1 < _source.Length; at = _source.IndexOf('{', at + 1))
            if (_source[at + 1] is '{' or '%' or '#') return at;
        return -1;
    }

    private string BeforeTag(string text, char kind, char sign)
    {
        if (sign == '-') return text.AsSpan().TrimEnd(PythonSpace.Characters).ToString();
        if (sign == '+' || kind == '{') return text;
        int line = text.LastIndexOf('\n') + 1;
        return (line > 0 || _atLineStart) && PythonSpace.IsBlank(text.AsSpan(line)) ? text[..line] : text;
    }

    private void ReadTag(char kind)
    {
        string close = kind == '{' ? "}}" : "%}";
        var tokens = ExpressionLexer.Read(_source, ref _at, close, allowPlus: kind == '%');
        _segments.Add(new Segment(kind == '{' ? SegmentKind.Output : SegmentKind.Block, "", tokens));
        Close(close);
    }

    private void SkipComment()
    {
        int end = _source.IndexOf("#}", _at, StringComparison.Ordinal);
        if (end < 0) throw TemplateException.Syntax("a comment has no end");
        _at = end > _at && _source[end - 1] is '-' or '+' ? end - 1 : end;
        Close("#}");
    }

    private void ReadRaw(Match start)
    {
        _at = start.Index + start.Length;
        var end = RawEnd().Match(_source, _at);
        if (!end.Success) throw TemplateException.Syntax("a raw block has no end");
        AddData(BeforeTag(_source[_at..end.Index], '%', end.Groups["sign"].Value is [var sign] ? sign : ' '));
        _at = end.Groups["close"].Index;
        Close("%}");
    }

    /// <summary>Moves behind the end of a tag and the white space it swallows.</summary>
    private void Close(string close)
    {
        char sign = _source[_at];
        _at += sign is '-' or '+' ? close.Length + 1 : close.Length;
        int end = _at;
        if (sign == '-') while (end < _source.Length && PythonSpace.IsSpace(_source[end])) end++;
        else if (sign != '+' && close != "}}" && end < _source.Length && _source[end] == '\n') end++;
        _atLineStart = end > _at && _source[end - 1] == '\n';
        _at = end;
    }

    private void AddData(string text)
    {
        if (text.Length > 0) _segments.Add(new Segment(SegmentKind.Data, text, []));
    }

    [GeneratedRegex(@"\G\s*raw\s*(-%\}\s*|%\})", RegexOptions.CultureInvariant)]
    private static partial Regex RawStart();

    [GeneratedRegex(@"\{%(?<sign>[-+]?)\s*endraw\s*(?<close>[-+]?%\})", RegexOptions.CultureInvariant)]
    private static partial Regex RawEnd();
}
