using System.Text.RegularExpressions;

namespace Distill.Tokenization.Templates;

/// <summary>
/// Templates of the plainest kind: text, <c>{{ sums of strings and message fields }}</c>, one loop over messages, and the generation
/// prompt's condition. Anything else is refused.
/// </summary>
internal sealed partial class Template
{
    private readonly IReadOnlyList<string[]> _parts;
    private readonly int _loopStart;
    private readonly int _loopEnd;

    private Template(IReadOnlyList<string[]> parts, int loopStart, int loopEnd) =>
        (_parts, _loopStart, _loopEnd) = (parts, loopStart, loopEnd);

    public static Template Parse(string source)
    {
        var parts = new List<string[]>();
        int at = 0;
        foreach (Match tag in Tags().Matches(source))
        {
            AddText(parts, source[at..tag.Index]);
            string inside = tag.Groups["inside"].Value.Trim();
            parts.Add(tag.Value[1] == '{' ? Sum(inside) : [Statement(inside)]);
            at = tag.Index + tag.Length;
        }
        AddText(parts, source[at..]);
        int start = parts.FindIndex(p => p[0] == "for"), end = parts.FindIndex(p => p[0] == "endfor");
        if (start < 0 || end < start) throw new InvalidDataException("the template has no loop over messages");
        return new Template(parts, start, end);
    }

    public List<TemplatePiece> Render(IReadOnlyList<ChatMessage> messages, bool addGenerationPrompt)
    {
        var pieces = new List<TemplatePiece>();
        Write(0, _loopStart, null, addGenerationPrompt, pieces);
        foreach (var message in messages) Write(_loopStart + 1, _loopEnd, message, addGenerationPrompt, pieces);
        Write(_loopEnd + 1, _parts.Count, null, addGenerationPrompt, pieces);
        return pieces;
    }

    private void Write(int from, int to, ChatMessage? message, bool addGenerationPrompt, List<TemplatePiece> pieces)
    {
        bool on = true;
        foreach (string[] part in _parts.Skip(from).Take(to - from))
        {
            if (part[0] == "if") on = addGenerationPrompt;
            else if (part[0] == "endif") on = true;
            else if (on) pieces.AddRange(part.Select(p => Piece(p, message)));
        }
    }

    private static TemplatePiece Piece(string part, ChatMessage? message) => part switch
    {
        "message.content" => new TemplatePiece(message!.Content, FromMessages: true),
        "message.role" => new TemplatePiece(message!.Role, FromMessages: false),
        _ => new TemplatePiece(part[1..], FromMessages: false),
    };

    private static void AddText(List<string[]> parts, string text)
    {
        if (text.Length > 0) parts.Add(["=" + text]);
    }

    private static string[] Sum(string inside) => [.. inside.Split('+', StringSplitOptions.TrimEntries).Select(term => term switch
    {
        "message.content" or "message['content']" or "message[\"content\"]" => "message.content",
        "message.role" or "message['role']" or "message[\"role\"]" => "message.role",
        ['\'', .., '\''] or ['"', .., '"'] => "=" + term[1..^1],
        _ => throw new InvalidDataException($"'{term}' in the template is not supported"),
    })];

    private static string Statement(string inside) => inside switch
    {
        "for message in messages" => "for",
        "if add_generation_prompt" => "if",
        "endfor" or "endif" => inside,
        _ => throw new InvalidDataException($"'{inside}' in the template is not supported"),
    };

    [GeneratedRegex(@"\{\{-?(?<inside>.*?)-?\}\}|\{%-?(?<inside>.*?)-?%\}\n?", RegexOptions.Singleline)]
    private static partial Regex Tags();
}
