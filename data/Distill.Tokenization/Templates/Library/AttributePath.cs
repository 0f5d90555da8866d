using System.Globalization;
using Distill.Tokenization.Templates.Runtime;
using Distill.Tokenization.Templates.Values;

namespace Distill.Tokenization.Templates.Library;

/// <summary><c>attribute='a.b.0'</c> of filters: items within items.</summary>
internal static class AttributePath
{
    /// <param name="path">A text with dots, an integer, or nothing, which stands for the value itself.</param>
    /// <param name="otherwise">Takes the place of what is missing; null leaves it undefined.</param>
    public static Func<Value, Value> Reader(RenderContext context, Value? path, Value? otherwise = null)
    {
        var subscripts = new Subscripts(context);
        Value[] steps = path switch
        {
            null or None => [],
            Text text => [.. text.Value.Split('.').Select(Step)],
            Integer => [path],
            _ => throw TemplateException.Type($"an attribute must be a text or an integer, not '{path.TypeName}'"),
        };
        return value =>
        {
            foreach (var step in steps)
            {
                value = subscripts.Item(value, step);
                if (value is Undefined && otherwise is not (null or None)) value = otherwise;
            }
            return value;
        };
    }

    private static Value Step(string part) =>
        part.Length > 0 && part.All(char.IsAsciiDigit) && int.TryParse(part, NumberStyles.None, CultureInfo.InvariantCulture, out int index)
        ? new Integer(index)
        : Text.Own(part);
}
