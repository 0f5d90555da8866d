using System.Text;
using System.Text.Json;

namespace Distill.Generation.Constraints;

/// <summary>
/// A part of a schema, ready to be walked: what its values may begin with, and which readings follow. Immutable once its schema has been
/// read; recursion goes through <see cref="ReferenceNode"/>.
/// </summary>
internal abstract class SchemaNode
{
    /// <summary>Objects and arrays open at once, at most: recursion ends, and every JSON reader takes the output.</summary>
    public const int MostDepth = 32;

    /// <summary><see cref="LeastDepth"/> of what no value satisfies.</summary>
    public const int Never = 1 << 20;

    /// <summary>Objects and arrays that the flattest of its values opens. 0 until settled.</summary>
    public int LeastDepth { get; protected set; }

    /// <summary>Whether a value can end within the bound when so many objects and arrays are open already.</summary>
    public bool Fits(int depth) => depth + LeastDepth <= MostDepth;

    /// <summary>Adds the readings of a value's first byte.</summary>
    public abstract void Begin(byte next, int depth, Frame rest, List<Frame> into);

    /// <summary>Computes <see cref="LeastDepth"/> anew from the nodes below; true when it grew.</summary>
    public bool Settle()
    {
        int least = Math.Min(Depth(), Never), before = LeastDepth;
        // Values only grow towards the least solution; beyond the bound they do not matter.
        LeastDepth = least > MostDepth ? Never : least;
        return LeastDepth > before;
    }

    /// <summary>Nodes at which a value may begin in the same place.</summary>
    public virtual IEnumerable<SchemaNode> Openings => [];

    protected abstract int Depth();
}

/// <summary>One of several.</summary>
internal sealed class AnyOfNode(IReadOnlyList<SchemaNode> alternatives) : SchemaNode
{
    public override IEnumerable<SchemaNode> Openings => alternatives;

    public override void Begin(byte next, int depth, Frame rest, List<Frame> into)
    {
        foreach (var alternative in alternatives)
        {
            if (alternative.Fits(depth)) alternative.Begin(next, depth, rest, into);
        }
    }

    protected override int Depth() => alternatives.Select(alternative => alternative.LeastDepth).DefaultIfEmpty(Never).Min();
}

/// <summary>A schema that others refer to, perhaps from within itself.</summary>
internal sealed class ReferenceNode : SchemaNode
{
    public SchemaNode? Target { get; set; }

    public override IEnumerable<SchemaNode> Openings => Target is null ? [] : [Target];

    public override void Begin(byte next, int depth, Frame rest, List<Frame> into) => Target!.Begin(next, depth, rest, into);

    protected override int Depth() => Target!.LeastDepth;
}

/// <summary>One of given values, in one spelling.</summary>
internal sealed class LiteralNode : SchemaNode
{
    private readonly byte[][] texts; // sorted

    public LiteralNode(IEnumerable<JsonElement> values)
        : this(values.Select(JsonSpelling.Of).Distinct().Select(Encoding.UTF8.GetBytes).ToArray())
    {
    }

    private LiteralNode(byte[][] texts)
    {
        this.texts = texts;
        Array.Sort(texts, static (a, b) => a.AsSpan().SequenceCompareTo(b));
    }

    public IReadOnlyList<byte[]> Texts => texts;

    /// <summary>Those that are objects.</summary>
    public LiteralNode Objects => new([.. texts.Where(text => text[0] == '{')]);

    /// <summary>The values of several.</summary>
    public static LiteralNode Of(IEnumerable<LiteralNode> nodes) =>
        new([.. nodes.SelectMany(node => node.texts).DistinctBy(Convert.ToHexString)]);

    public override void Begin(byte next, int depth, Frame rest, List<Frame> into) =>
        new TextFrame(texts, 0, texts.Length, 0, rest).Step(next, into);

    protected override int Depth() => texts.Length == 0 ? Never : 0;
}

/// <summary>A string of so many characters.</summary>
internal sealed class StringNode(int least, int? most) : SchemaNode
{
    public int Least { get; } = least;

    public int? Most { get; } = most;

    public override void Begin(byte next, int depth, Frame rest, List<Frame> into)
    {
        if (next == '"') into.Add(new StringFrame(this, 0, TextScan.Start, rest));
    }

    protected override int Depth() => Least > Most ? Never : 0;
}

/// <summary>A string that matches a pattern.</summary>
internal sealed class PatternNode(PatternAutomaton pattern) : SchemaNode
{
    public override void Begin(byte next, int depth, Frame rest, List<Frame> into)
    {
        if (next == '"') into.Add(new PatternFrame(pattern, pattern.Start, false, rest));
    }

    protected override int Depth() => pattern.Start < 0 ? Never : 0;
}

/// <param name="range">Null: any. With one there is no exponent.</param>
internal sealed class NumberNode(bool isInteger, NumberRange? range) : SchemaNode
{
    public bool IsInteger => isInteger;

    public NumberRange? Range => range;

    public bool TakesExponent => !isInteger && range is null;

    public override void Begin(byte next, int depth, Frame rest, List<Frame> into)
    {
        NumberPhase? phase = next switch
        {
            (byte)'-' => NumberPhase.Sign,
            (byte)'0' => NumberPhase.Zero,
            >= (byte)'1' and <= (byte)'9' => NumberPhase.Whole,
            _ => null,
        };
        string text = range is null ? "" : ((char)next).ToString();
        if (phase is { } begun && range?.CanReach(text) != false) into.Add(new NumberFrame(this, begun, 1, text, rest));
    }

    protected override int Depth() => range is { IsEmpty: true } ? Never : 0;
}

/// <summary>An object.</summary>
/// <param name="properties">At most 128; names as <see cref="JsonSpelling.OfName"/> gives them.</param>
/// <param name="required">Bits of the indices.</param>
/// <param name="others">What other members hold; null where there are none.</param>
internal sealed class ObjectNode(IReadOnlyList<PropertyNode> properties, UInt128 required, SchemaNode? others) : SchemaNode
{
    public const int MostProperties = 128;

    private readonly Dictionary<string, int> indices = properties.Select((property, index) => (property.Name, index)).ToDictionary();

    public IReadOnlyList<PropertyNode> Properties => properties;

    public UInt128 Required => required;

    public SchemaNode? Others => others;

    public int IndexOf(string name) => indices.GetValueOrDefault(name, -1);

    public override void Begin(byte next, int depth, Frame rest, List<Frame> into)
    {
        if (next == '{') into.Add(new ObjectFrame(this, 0, null, ContainerPhase.Open, depth + 1, default, rest));
    }

    protected override int Depth() =>
        1 + properties.Where((_, index) => ((required >> index) & UInt128.One) != 0).Select(property => property.Value.LeastDepth)
            .DefaultIfEmpty(0).Max();
}

/// <param name="Name">As its bytes are written between quotation marks, one to a character.</param>
internal sealed record PropertyNode(string Name, SchemaNode Value);

/// <summary>An array of so many items.</summary>
internal sealed class ArrayNode(SchemaNode items, int least, int? most) : SchemaNode
{
    public SchemaNode Items => items;

    public int Least { get; } = least;

    public int? Most { get; } = most;

    public override void Begin(byte next, int depth, Frame rest, List<Frame> into)
    {
        if (next == '[') into.Add(new ArrayFrame(this, 0, ContainerPhase.Open, depth + 1, default, rest));
    }

    protected override int Depth() => Least > Most ? Never : 1 + (Least > 0 ? items.LeastDepth : 0);
}
