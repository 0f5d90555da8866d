using System.Text;
using Distill.Templates.Values;

namespace Distill.Templates.Runtime;

/// <summary>Values as JSON in the spelling of Python's <c>json.dumps</c>.</summary>
/// <param name="indent">Text of one level; null writes everything in one line.</param>
internal sealed class JsonPrinter(RenderContext context, string? indent, string itemSeparator, string keySeparator, bool asciiOnly,
    bool sortKeys)
{
    private readonly StringBuilder _output = new();
    private bool _foreign;
    private int _level;

    public Text Print(Value value)
    {
        Write(value);
        return _foreign ? Text.FromMessages(_output.ToString()) : Text.Own(_output.ToString());
    }

    private void Write(Value value)
    {
        context.Budget.Step();
        context.Budget.Enter();
        switch (value)
        {
            case Text text:
                WriteText(text);
                break;
            case Sequence { IsIndexable: true } sequence:
                WriteItems('[', ']', sequence.Items, Write);
                break;
            case Mapping mapping:
                WriteItems('{', '}', Entries(mapping), WriteEntry);
                break;
            default:
                Append(Scalar(value) ?? throw TemplateException.Type($"Object of type {value.TypeName} is not JSON serializable"));
                break;
        }
        context.Budget.Leave();
    }

    private static string? Scalar(Value value) => value switch
    {
        None => "null",
        Values.Boolean boolean => boolean.Value ? "true" : "false",
        Integer integer => Numbers.Print(integer.Value),
        Float { Value: double.PositiveInfinity } => "Infinity",
        Float { Value: double.NegativeInfinity } => "-Infinity",
        Float { Value: double.NaN } => "NaN",
        Float real => Numbers.Print(real.Value),
        _ => null,
    };

    private void WriteItems<T>(char open, char close, IReadOnlyList<T> items, Action<T> write)
    {
        Append(open.ToString());
        _level++;
        for (int i = 0; i < items.Count; i++)
        {
            if (i > 0) Append(itemSeparator);
            NewLine();
            write(items[i]);
        }
        _level--;
        if (items.Count > 0) NewLine();
        Append(close.ToString());
    }

    private void NewLine()
    {
        if (indent is null) return;
        context.Budget.Charge((long)indent.Length * _level);
        Append("\n");
        for (int i = 0; i < _level; i++) _output.Append(indent);
    }

    private List<KeyValuePair<Text, Value>> Entries(Mapping mapping)
    {
        var source = sortKeys ? context.Comparison.Sort([.. mapping.Entries], e => e.Key, descending: false) : mapping.Entries;
        return [.. source.Select(e => KeyValuePair.Create(Key(e.Key), e.Value))];
    }

    private static Text Key(Value key) =>
        key as Text ?? Text.Own(Scalar(key) ?? throw TemplateException.Type($"keys must be texts or numbers, not {key.TypeName}"));

    private void WriteEntry(KeyValuePair<Text, Value> entry)
    {
        WriteText(entry.Key);
        Append(keySeparator);
        Write(entry.Value);
    }

    private void WriteText(Text text)
    {
        _foreign |= text.IsForeign;
        var quoted = new StringBuilder("\"");
        foreach (char c in text.Value)
        {
            quoted.Append(c switch
            {
                '"' => "\\\"",
                '\\' => "\\\\",
                '\n' => "\\n",
                '\r' => "\\r",
                '\t' => "\\t",
                '\b' => "\\b",
                '\f' => "\\f",
                _ => c < ' ' || (asciiOnly && c > '~') ? $"\\u{(int)c:x4}" : c.ToString(),
            });
        }
        Append(quoted.Append('"').ToString());
    }

    private void Append(string text)
    {
        context.Budget.Charge(text.Length);
        _output.Append(text);
    }
}
