using System.Globalization;
using Distill.Generation.Onnx;

namespace Distill.Export.Onnx;

/// <summary>The messages of onnx.proto3 (github.com/onnx/onnx), field by field. Field numbers are those of that file.</summary>
internal static class OnnxEncoding
{
    public const string Producer = "distill";
    private const int ExternalLocation = 1;

    /// <summary>Everything of a ModelProto but the graph.</summary>
    public static void ModelHead(ProtobufBuffer message, OnnxModel model, string producerVersion)
    {
        message.Integer(1, OnnxModel.IrVersion);
        message.Text(2, Producer);
        message.Text(3, producerVersion);
        OperatorSet(message, "", OnnxModel.Opset);
        if (!model.IsStandard) OperatorSet(message, "com.microsoft", 1);
    }

    /// <summary>Everything of a GraphProto but the initializers.</summary>
    public static void GraphHead(ProtobufBuffer graph, OnnxModel model)
    {
        for (int i = 0; i < model.Nodes.Count; i++)
        {
            int index = i;
            graph.Message(1, node => Node(node, model.Nodes[index], index));
        }

        graph.Text(2, model.Name);
        foreach (var input in model.Inputs) graph.Message(11, value => Value(value, input));
        foreach (var output in model.Outputs) graph.Message(12, value => Value(value, output));
    }

    /// <summary>A TensorProto up to and including the length of its raw data, which follow.</summary>
    public static void InlineTensor(ProtobufBuffer tensor, OnnxInitializer initializer)
    {
        TensorHead(tensor, initializer);
        tensor.Prefix(9, initializer.ByteCount);
    }

    /// <summary>A TensorProto whose data lie in a file beside the model.</summary>
    public static void ExternalTensor(ProtobufBuffer tensor, OnnxInitializer initializer, string file, long offset)
    {
        TensorHead(tensor, initializer);
        Entry(tensor, 13, "location", file);
        Entry(tensor, 13, "offset", offset.ToString(CultureInfo.InvariantCulture));
        Entry(tensor, 13, "length", initializer.ByteCount.ToString(CultureInfo.InvariantCulture));
        tensor.Integer(14, ExternalLocation);
    }

    private static void TensorHead(ProtobufBuffer tensor, OnnxInitializer initializer)
    {
        foreach (long size in initializer.Shape) tensor.Integer(1, size);
        tensor.Integer(2, (long)initializer.Type);
        tensor.Text(8, initializer.Name);
    }

    private static void Node(ProtobufBuffer message, OnnxNode node, int index)
    {
        foreach (string input in node.Inputs) message.Text(1, input);
        foreach (string output in node.Outputs) message.Text(2, output);
        message.Text(3, $"{node.Operator}_{index}");
        message.Text(4, node.Operator);
        foreach (var attribute in node.Attributes) message.Message(5, child => Attribute(child, attribute));
        if (node.Domain.Length > 0) message.Text(7, node.Domain);
    }

    private static void Attribute(ProtobufBuffer message, OnnxAttribute attribute)
    {
        const int FloatType = 1, IntegerType = 2, IntegersType = 7;
        message.Text(1, attribute.Name);
        if (attribute.Single is { } single)
        {
            message.Single(2, single);
            message.Integer(20, FloatType);
        }
        else if (attribute.Integer is { } integer)
        {
            message.Integer(3, integer);
            message.Integer(20, IntegerType);
        }
        else
        {
            foreach (long value in attribute.Integers!) message.Integer(8, value);
            message.Integer(20, IntegersType);
        }
    }

    private static void Value(ProtobufBuffer message, OnnxValue value)
    {
        message.Text(1, value.Name);
        message.Message(2, type => type.Message(1, tensor =>
        {
            tensor.Integer(1, (long)value.Type);
            tensor.Message(2, shape =>
            {
                foreach (var dimension in value.Shape) shape.Message(1, child => Dimension(child, dimension));
            });
        }));
    }

    private static void Dimension(ProtobufBuffer message, OnnxDimension dimension)
    {
        if (dimension.Symbol is { } symbol) message.Text(2, symbol);
        else message.Integer(1, dimension.Size);
    }

    private static void OperatorSet(ProtobufBuffer message, string domain, int version) => message.Message(8, set =>
    {
        if (domain.Length > 0) set.Text(1, domain);
        set.Integer(2, version);
    });

    private static void Entry(ProtobufBuffer message, int field, string key, string value) => message.Message(field, entry =>
    {
        entry.Text(1, key);
        entry.Text(2, value);
    });
}
