using Distill.Tokenization.Templates.Values;

namespace Distill.Tokenization.Templates.Runtime;

/// <summary>Text while it is written.</summary>
internal sealed class Output(RenderContext context)
{
    private readonly List<Text> _parts = [];
    private readonly List<TextRange> _generated = [];

    public int Length { get; private set; }

    /// <summary>Stretches that <c>{% generation %}</c> marks.</summary>
    public IReadOnlyList<TextRange> Generated => _generated;

    public void Write(Text text)
    {
        if (text.Value.Length == 0) return;
        context.Budget.Charge(text.Value.Length);
        _parts.Add(text);
        Length += text.Value.Length;
    }

    public void MarkGenerated(int start)
    {
        if (Length > start) _generated.Add(new TextRange(start, Length));
    }

    public Text ToText() => Text.Concat([Text.Empty, .. _parts]);
}
