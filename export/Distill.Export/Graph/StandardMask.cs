using Distill.Architecture;
using Distill.Export.Onnx;

namespace Distill.Export.Graph;

/// <summary>
/// What all layers of a graph of standard operators share: the position of every token, counted over the attention mask; what each new
/// position must not see, as numbers that are added to its scores; the rotary angles; shapes that are known only at run time.
/// </summary>
internal sealed class StandardMask
{
    // Large enough to hide a score beside any other, small enough that a row of nothing but padding stays a row of numbers.
    private const float Hidden = -1e30f;

    private readonly GraphAssembly graph;
    private readonly DecoderArchitecture a;
    private readonly string positions; // [batch, total]
    private readonly string places;    // [batch, time]: those of the new ones
    private readonly string open;      // bool [batch, time, total]: what lies behind, and is no padding
    private readonly Dictionary<int, string> biases = []; // by window; 0 without one

    public StandardMask(GraphAssembly graph, DecoderArchitecture a)
    {
        (this.graph, this.a) = (graph, a);
        string time = Size("sequence.time", DecoderValues.Ids), total = Size("sequence.total", DecoderValues.Mask);
        string past = graph.Add("Sub", "sequence.past", [total, time]);
        string one = graph.Integers("constant.one", [1]), zero = graph.Integers("constant.zero", [0]);
        string axis = graph.Integers("constant.axis", [1], scalar: true);
        string counted = graph.Add("CumSum", "sequence.counted", [DecoderValues.Mask, axis]);
        positions = graph.Add("Max", "sequence.positions", [graph.Add("Sub", "sequence.before", [counted, one]), zero]);
        places = graph.Add("Slice", "sequence.places", [positions, past, total, one]);
        open = Open(past, total);
        ByHead = Shape("attention.scores", [0, a.KeyValueHeads, a.Heads / a.KeyValueHeads], time, total);
        Joined = Shape("attention.shares", [0, a.KeyValueHeads, -1], total);
        if (a.PlainLayers.Count < a.Layers) Rotary();
    }

    /// <summary>[batch, kv, heads / kv, time, total], for Reshape.</summary>
    public string ByHead { get; }

    /// <summary>[batch, kv, heads / kv · time, total], for Reshape.</summary>
    public string Joined { get; }

    /// <summary>What is added to scores, fp32 [batch, 1, 1, time, total]: nothing, or what hides a position.</summary>
    /// <param name="window">Positions that are seen, the own one among them; null for all behind.</param>
    public string Bias(int? window)
    {
        if (biases.TryGetValue(window ?? 0, out string? known)) return known;
        string name = window is null ? "mask.all" : $"mask.window{window}", seen = open;
        if (window is { } width)
        {
            string from = graph.Add("Unsqueeze", $"{name}.from", [places, graph.Integers("constant.second", [2])]);   // [batch, time, 1]
            string to = graph.Add("Unsqueeze", $"{name}.to", [positions, graph.Integers("constant.one", [1])]);       // [batch, 1, total]
            string distance = graph.Add("Sub", $"{name}.distance", [from, to]);
            string near = graph.Add("Less", $"{name}.near", [distance, graph.Integers($"{name}.width", [width])]);
            seen = graph.Add("And", $"{name}.seen", [open, near]);
        }

        string bias = graph.Add(
            "Where", $"{name}.bias", [seen, graph.Number("constant.nothing", 0), graph.Number("constant.hidden", Hidden)]);
        return biases[window ?? 0] = graph.Add("Unsqueeze", name, [bias, graph.Integers("constant.heads", [1, 2])]);
    }

    /// <summary>Turns pairs (i, i + headSize/2) of [batch, heads, time, headSize] by the angles of their positions.</summary>
    public string Turned(string input)
    {
        int half = a.HeadSize / 2;
        string low = $"{input}.low", high = $"{input}.high";
        graph.Add(new OnnxNode(
            "Split", [input, graph.Integers("rotary.halves", [half, half])], [low, high], [OnnxAttribute.Of("axis", -1)]));
        string Product(string part, string angle) => graph.Add("Mul", $"{part}.{angle}", [part, $"rotary.{angle}"]);
        string first = graph.Add("Sub", $"{low}.turned", [Product(low, "cosines"), Product(high, "sines")]);
        string second = graph.Add("Add", $"{high}.turned", [Product(high, "cosines"), Product(low, "sines")]);
        return graph.Add("Concat", $"{input}.turned", [first, second], OnnxAttribute.Of("axis", -1));
    }

    // [batch, 1, time, headSize / 2] each
    private void Rotary()
    {
        RotaryCaches.Add(graph, a, graph.Flow);
        foreach (var (table, angle) in new[] { (RotaryCaches.Cosine, "cosines"), (RotaryCaches.Sine, "sines") })
        {
            string rows = graph.Add("Gather", $"rotary.{angle}.rows", [table, places]);
            graph.Add("Unsqueeze", $"rotary.{angle}", [rows, graph.Integers("constant.one", [1])]);
        }
    }

    private string Open(string past, string total)
    {
        string zero = graph.Integers("constant.zero", [0]), one = graph.Integers("constant.one", [1]);
        // Places in the row, padding and all: 0 … total − 1, [total].
        string ones = graph.Add("Expand", "mask.ones", [one, total]);
        string places = graph.Add("Sub", "mask.places", [
            graph.Add("CumSum", "mask.counted", [ones, graph.Integers("constant.first", [0], scalar: true)]), one]);
        string own = graph.Add("Unsqueeze", "mask.own", [graph.Add("Slice", "mask.new", [places, past, total, zero]), one]); // [time, 1]
        string behind = graph.Add("LessOrEqual", "mask.behind", [places, own]); // [time, total]
        string real = graph.Add("Cast", "mask.real", [DecoderValues.Mask], OnnxAttribute.Of("to", (long)OnnxElementType.Boolean));
        return graph.Add("And", "mask.open", [behind, graph.Add("Unsqueeze", "mask.rows", [real, one])]);
    }

    // Of the second dimension, [1].
    private string Size(string name, string value) =>
        graph.Add("Shape", name, [value], OnnxAttribute.Of("start", 1), OnnxAttribute.Of("end", 2));

    private string Shape(string name, long[] fixedSizes, params string[] open) =>
        graph.Add("Concat", name, [graph.Integers($"{name}.fixed", fixedSizes), .. open], OnnxAttribute.Of("axis", 0));
}
