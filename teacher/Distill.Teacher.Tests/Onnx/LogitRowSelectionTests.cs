using Distill.Generation.Onnx;
using Distill.Teacher.Tests.Fixtures;

namespace Distill.Teacher.Tests.Onnx;

/// <summary>A graph that is told which logits are wanted gives the bits that it gave of all positions.</summary>
public sealed class LogitRowSelectionTests
{
    private const int Slots = 3, Capacity = 96;

    private static readonly OnnxModelOptions s_selecting = new() { IntraOpThreads = 1 };
    private static readonly OnnxModelOptions s_all = s_selecting with { SelectLogitRows = false };

    public static TheoryData<string> Names => ReferenceCase.Names;

    [Theory]
    [MemberData(nameof(Names))]
    public void Chosen_logits_are_those_of_the_graph_as_it_stands(string name)
    {
        var reference = new ReferenceCase(name);
        using var selecting = OnnxTokenModel.Load(reference.Open(), s_selecting);
        using var whole = OnnxTokenModel.Load(reference.Open(), s_all);
        whole.Signature.SelectsRows.ShouldBeFalse();
        selecting.Signature.SelectsRows.ShouldBe(!reference.LastOnly);
        // Here fp16 is fused otherwise where the product has one row.
        double tolerance = Path.GetDirectoryName(name) == "optimum-llama-fp16" ? reference.Tolerance : reference.RowTolerance;
        using var one = selecting.Open(Slots, Capacity);
        using var other = whole.Open(Slots, Capacity);
        float[] chosen = new float[Slots * whole.VocabularySize], expected = new float[chosen.Length];
        for (int slot = 0; slot < Slots; slot++)
        {
            int[] prompt = Tokens(whole, 4 + (29 * slot));
            one.Prefill(slot, prompt, chosen.AsSpan(0, whole.VocabularySize));
            other.Prefill(slot, prompt, expected.AsSpan(0, whole.VocabularySize));
            Difference(chosen, expected).ShouldBeLessThanOrEqualTo(tolerance, $"{name}, prompt {slot}");
        }

        for (int rows = Slots; rows > 0; rows--)
        {
            one.Step([.. Tokens(whole, rows)], chosen.AsSpan(0, rows * whole.VocabularySize));
            other.Step([.. Tokens(whole, rows)], expected.AsSpan(0, rows * whole.VocabularySize));
            Difference(chosen, expected).ShouldBeLessThanOrEqualTo(tolerance, $"{name}, a step of {rows}");
        }
    }

    [Theory]
    [InlineData("MatMul", "hidden matrix", true)]
    [InlineData("MatMul", "hidden hidden", false)]           // no weights: attention, say
    [InlineData("MatMul", "matrix hidden", false)]
    [InlineData("MatMul", "hidden given", false)]            // an input may replace it
    [InlineData("MatMul", "hidden cube", false)]             // a matrix for each row of the batch
    [InlineData("Softmax", "hidden", false)]
    [InlineData("com.example.MatMul", "hidden matrix", false)]
    public void Only_a_product_with_weights_is_chosen_before(string operation, string inputs, bool found) =>
        Head(new EndOfGraph().Node(operation, inputs, "logits")).ShouldBe(found);

    [Theory]
    [InlineData("Add", "product row", true)]
    [InlineData("Div", "row product", true)]
    [InlineData("Tanh", "product", true)]
    [InlineData("Add", "product column", false)] // another number for each position
    [InlineData("Add", "product product", false)]
    [InlineData("Softmax", "product", false)]    // may run along positions
    public void What_follows_the_product_must_treat_positions_alike(string operation, string inputs, bool found) =>
        Head(new EndOfGraph().Node("MatMul", "hidden matrix", "product").Node(operation, inputs, "logits")).ShouldBe(found);

    [Fact]
    public void A_value_that_something_else_reads_stays_whole()
    {
        Head(new EndOfGraph().Node("MatMul", "hidden matrix", "logits").Node("Shape", "logits", "shape")).ShouldBeFalse();
        Head(new EndOfGraph().Node("MatMul", "hidden matrix", "product").Node("Tanh", "product", "logits").Output("product"))
            .ShouldBeFalse();
        Head(new EndOfGraph().Node("MatMul", "hidden matrix", "logits").Node("Identity", "hidden", "distill.logit_rows"))
            .ShouldBeFalse("the name is taken");
    }

    [Fact]
    public void Weights_may_be_made_of_stored_ones()
    {
        Head(new EndOfGraph().Node("Transpose", "matrix", "turned").Node("Cast", "turned", "wide").Node("MatMul", "hidden wide", "logits"))
            .ShouldBeTrue();
        Head(new EndOfGraph().Node("RandomNormalLike", "matrix", "noise").Node("MatMul", "hidden noise", "logits")).ShouldBeFalse();
    }

    // Two bytes of a file, a hundred in memory.
    [Theory]
    [InlineData(100, true), InlineData(GraphOutline.MostKept + 1, false)]
    public void A_file_of_too_many_small_fields_is_not_kept_in_memory(int fields, bool found)
    {
        byte[] small = [.. Enumerable.Repeat((byte[])[0x18, 1], fields).SelectMany(field => field)]; // field 3 = 1
        byte[] empty = [.. Enumerable.Repeat((byte[])[0x0A, 0], fields).SelectMany(field => field)]; // field 1, of no bytes
        var product = new EndOfGraph().Node("MatMul", "hidden matrix", "logits");
        Applies([.. product.ToBytes(), .. small]).ShouldBe(found, "fields of the model");
        Applies(new EndOfGraph().Node("MatMul", "hidden matrix", "logits").Raw(small).ToBytes()).ShouldBe(found, "fields of the graph");
        Applies(new EndOfGraph().Node("MatMul", "hidden matrix", "logits").Raw(empty).ToBytes()).ShouldBe(found, "nodes");
        Applies(new EndOfGraph().Node("MatMul", "hidden matrix", "logits").NodeOf(empty).ToBytes()).ShouldBe(found, "inputs of a node");
    }

    [Fact]
    public void Long_names_count_for_more()
    {
        string name = new('n', 1 << 16);
        var graph = new EndOfGraph().Node("MatMul", "hidden matrix", "logits");
        for (int i = 0; i < 1000; i++) graph.Output(name);
        Head(graph).ShouldBeFalse();
    }

    // In a Hugging Face cache files have other names where their links lead to.
    [Theory]
    [InlineData(false, true, true, true), InlineData(true, true, false, true)]
    [InlineData(true, true, true, false), InlineData(true, false, true, false)]
    public void Data_of_attributes_behind_links_are_left_where_they_are(bool linked, bool initializer, bool attribute, bool found)
    {
        using var folder = new TemporaryFolder();
        string plain = TinyReasoner.Copy(Path.Combine(folder.Path, "plain"));
        string model = linked ? TinyReasoner.Link(plain, Path.Combine(folder.Path, "cache")) : plain;
        var graph = new EndOfGraph().Node("MatMul", "hidden matrix", "logits");
        if (initializer) graph.Stored();
        if (attribute) graph.Node("Constant", "", "constant", EndOfGraph.StoredValue());
        Applies(graph.ToBytes(), Path.Combine(model, "onnx", "model.onnx")).ShouldBe(found);
    }

    private static bool Head(EndOfGraph graph) => Applies(graph.ToBytes());

    private static bool Applies(byte[] model, string path = "/nowhere/model.onnx") =>
        LogitRowSelection.Apply(new MemoryStream(model), path, "logits") is not null;

    private static double Difference(float[] one, float[] other) => one.Zip(other, (a, b) => Math.Abs((double)a - b)).Max();

    private static int[] Tokens(OnnxTokenModel model, int count) =>
        [.. Enumerable.Range(0, count).Select(i => 5 + (i * 7919 % (model.VocabularySize - 5)))];

    /// <summary>The last nodes of a graph between the values hidden, of some shape, and logits.</summary>
    private sealed class EndOfGraph
    {
        private readonly OnnxMessage graph = new();

        public EndOfGraph()
        {
            foreach (var (name, dims) in ((string, long[])[])[("matrix", [4, 8]), ("given", [4, 8]), ("cube", [2, 4, 8]), ("row", [1, 8]),
                ("column", [3, 1])])
                graph.Message(5, OnnxMessage.Tensor(name, TinyGraph.Float, [], dims));
            graph.Message(11, OnnxMessage.Value("given", TinyGraph.Float, "4 8"));
            Node("Neg", "hidden.before", "hidden");
            Output("logits");
        }

        public EndOfGraph Node(string operation, string inputs, string outputs, params OnnxMessage[] attributes)
        {
            graph.Message(1, OnnxMessage.Node(operation, inputs, outputs, attributes));
            return this;
        }

        public EndOfGraph NodeOf(byte[] fields)
        {
            graph.Bytes(1, fields);
            return this;
        }

        public EndOfGraph Raw(byte[] fields)
        {
            graph.Raw(fields);
            return this;
        }

        /// <summary>An initializer whose data are in the file beside the graph.</summary>
        public EndOfGraph Stored()
        {
            graph.Message(5, OutsideTensor("stored"));
            return this;
        }

        /// <summary>The attribute "value", of which the same is true.</summary>
        public static OnnxMessage StoredValue() => new OnnxMessage().Text(1, "value").Message(5, OutsideTensor("")).Number(20, 4);

        private static OnnxMessage OutsideTensor(string name) => new OnnxMessage().Number(1, 4).Number(2, TinyGraph.Float).Text(8, name)
            .Message(13, new OnnxMessage().Text(1, "location").Text(2, "model.onnx_data")).Number(14, 1);

        public EndOfGraph Output(string name)
        {
            graph.Message(12, OnnxMessage.Value(name, TinyGraph.Float, "batch sequence 8"));
            return this;
        }

        public byte[] ToBytes() => new OnnxMessage().Number(1, 8).Message(7, graph).ToBytes();
    }
}
