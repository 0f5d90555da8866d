using Distill.Tokenization.Templates.Values;

namespace Distill.Tokenization.Templates.Runtime;

/// <summary>Text while it is written.</summary>
internal sealed class Output(RenderContext context)
{
    private readonly List<Text> _parts = [];

    public void Write(Text text)
    {
        if (text.Value.Length == 0) return;
        context.Budget.Charge(text.Value.Length);
        _parts.Add(text);
    }

    public Text ToText() => Text.Concat([Text.Empty, .. _parts]);
}
