using System.Globalization;
using System.Text;
using Distill.Templates.Values;

namespace Distill.Templates.Runtime;

/// <summary>Values as text, as Python's <c>str</c> and <c>repr</c> write them.</summary>
internal sealed class ValuePrinter(Budget budget)
{
    /// <summary>What <c>{{ value }}</c> prints.</summary>
    public Text Print(Value value)
    {
        switch (value)
        {
            case Text text:
                return text;
            case Undefined:
                return Text.Empty;
            default:
                return Represent(value);
        }
    }

    /// <summary>The same in ASCII: what is beyond is escaped.</summary>
    public Text RepresentInAscii(Value value) => Represent(value).Map(text => string.Concat(CodePoints.Of(Text.Own(text))
        .Select(point => point.Value.Length == 1 && char.IsAscii(point.Value[0]) ? point.Value : Escape(point.Value))));

    /// <summary>How a value appears inside a printed list. Foreign as a whole if any text in it is.</summary>
    public Text Represent(Value value)
    {
        var output = new StringBuilder();
        bool foreign = Write(value, output);
        return foreign ? Text.FromMessages(output.ToString()) : Text.Own(output.ToString());
    }

    private bool Write(Value value, StringBuilder output)
    {
        budget.Step();
        budget.Enter();
        int before = output.Length;
        bool foreign = value switch
        {
            Text text => WriteText(text, output),
            Sequence sequence => WriteSequence(sequence, output),
            Mapping mapping => WriteMapping(mapping, output),
            Namespace space => WriteNamespace(space, output),
            _ => WriteScalar(value, output),
        };
        if (value is not (Sequence or Mapping or Namespace)) budget.Charge(output.Length - before);
        budget.Leave();
        return foreign;
    }

    private static bool WriteScalar(Value value, StringBuilder output)
    {
        output.Append(value switch
        {
            None => "None",
            Values.Boolean boolean => boolean.Value ? "True" : "False",
            Integer integer => Numbers.Print(integer.Value),
            Float real => Numbers.Print(real.Value),
            Undefined => "Undefined",
            Values.Range { Step: 1 } range => $"range({range.Start}, {range.Stop})",
            Values.Range range => $"range({range.Start}, {range.Stop}, {range.Step})",
            Function { Macro: { } macro } => macro.Name is null ? "<Macro anonymous>" : $"<Macro '{macro.Name}'>",
            Loop loop => $"<LoopContext {loop.Index + 1}/{loop.Count}>",
            _ => throw TemplateException.Unsupported($"a {value.TypeName} cannot be printed"),
        });
        return false;
    }

    private bool WriteSequence(Sequence sequence, StringBuilder output)
    {
        var (open, close) = sequence.Kind switch
        {
            SequenceKind.List => ("[", "]"),
            SequenceKind.Tuple => ("(", sequence.Items.Count == 1 ? ",)" : ")"),
            _ => (sequence.TypeName + "([", "])"),
        };
        bool foreign = false;
        output.Append(open);
        for (int i = 0; i < sequence.Items.Count; i++)
        {
            if (i > 0) output.Append(", ");
            foreign |= Write(sequence.Items[i], output);
        }
        output.Append(close);
        return foreign;
    }

    private bool WriteNamespace(Namespace space, StringBuilder output)
    {
        output.Append("<Namespace ");
        bool foreign = WriteEntries(space.Members.Select(m => KeyValuePair.Create<Value, Value>(Text.Own(m.Key), m.Value)), output);
        output.Append('>');
        return foreign;
    }

    private bool WriteMapping(Mapping mapping, StringBuilder output) => WriteEntries(mapping.Entries, output);

    private bool WriteEntries(IEnumerable<KeyValuePair<Value, Value>> entries, StringBuilder output)
    {
        bool foreign = false, first = true;
        output.Append('{');
        foreach (var (key, item) in entries)
        {
            if (!first) output.Append(", ");
            first = false;
            foreign |= Write(key, output);
            output.Append(": ");
            foreign |= Write(item, output);
        }
        output.Append('}');
        return foreign;
    }

    private static bool WriteText(Text text, StringBuilder output)
    {
        if (text.IsMarkup) throw TemplateException.Unsupported("escaped text cannot be printed inside a list");
        char quote = text.Value.Contains('\'') && !text.Value.Contains('"') ? '"' : '\'';
        output.Append(quote);
        foreach (var point in CodePoints.Of(text)) WriteCharacter(point.Value, quote, output);
        output.Append(quote);
        return text.IsForeign;
    }

    private static void WriteCharacter(string character, char quote, StringBuilder output)
    {
        switch (character)
        {
            case "\n": output.Append("\\n"); break;
            case "\r": output.Append("\\r"); break;
            case "\t": output.Append("\\t"); break;
            case "\\": output.Append("\\\\"); break;
            default:
                if (character[0] == quote) output.Append('\\').Append(quote);
                else if (IsPrintable(character)) output.Append(character);
                else output.Append(Escape(character));
                break;
        }
    }

    private static string Escape(string character)
    {
        int code = character.Length == 2 ? char.ConvertToUtf32(character, 0) : character[0];
        return code <= 0xFF ? $"\\x{code:x2}" : code <= 0xFFFF ? $"\\u{code:x4}" : $"\\U{code:x8}";
    }

    public static bool IsPrintable(string character) => character == " " || CharUnicodeInfo.GetUnicodeCategory(character, 0)
        is not (UnicodeCategory.Control or UnicodeCategory.Format or UnicodeCategory.Surrogate
            or UnicodeCategory.PrivateUse or UnicodeCategory.OtherNotAssigned
            or UnicodeCategory.LineSeparator or UnicodeCategory.ParagraphSeparator or UnicodeCategory.SpaceSeparator);
}
