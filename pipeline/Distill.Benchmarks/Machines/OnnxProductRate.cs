using System.Runtime.InteropServices;
using Distill.Generation.Onnx;
using Microsoft.ML.OnnxRuntime;
using Microsoft.ML.OnnxRuntime.Tensors;

namespace Distill.Benchmarks.Machines;

/// <summary>
/// Matrix products through ONNX Runtime with a constant right side, as a model's projections are: what its own kernel gives at best on all
/// cores, which may be more or less than libtorch's. Dispose it.
/// </summary>
internal sealed class OnnxProductRate : IDisposable
{
    private readonly BenchmarkContext context;
    private readonly InferenceSession session;
    private readonly RunOptions options;
    private readonly OrtValue input;
    private readonly OrtValue output;
    private readonly int size;
    private readonly int repeats;

    public OnnxProductRate(BenchmarkContext context)
    {
        this.context = context;
        (size, repeats) = (ProductRate.SizeOf(context), context.Quick ? 1 : 4);
        var random = new Random(1);
        float[] right = [.. Enumerable.Range(0, size * size).Select(_ => random.NextSingle() - 0.5f)];
        _ = RuntimeTelemetry.Runtime; // a session loads the library
        options = new RunOptions();
        session = new InferenceSession(Graph(right));
        input = OrtValue.CreateTensorValueFromMemory(right, [size, size]);
        output = OrtValue.CreateTensorValueFromMemory(new float[size * size], [size, size]);
    }

    /// <summary>GFLOP/s.</summary>
    public double Measure() => 2e-9 * size * size * size * repeats / context.Seconds(() =>
    {
        for (int i = 0; i < repeats; i++) session.Run(options, ["x"], [input], ["y"], [output]);
    });

    public void Dispose()
    {
        session.Dispose();
        input.Dispose();
        output.Dispose();
        options.Dispose();
    }

    // Field numbers: onnx.proto3.
    private byte[] Graph(float[] right)
    {
        var model = new ProtobufBuffer();
        model.Integer(1, 8);
        model.Message(7, graph =>
        {
            graph.Message(1, node =>
            {
                node.Text(1, "x");
                node.Text(1, "w");
                node.Text(2, "y");
                node.Text(4, "MatMul");
            });
            graph.Text(2, "product");
            graph.Message(5, tensor =>
            {
                tensor.Integer(1, size);
                tensor.Integer(1, size);
                tensor.Integer(2, (long)TensorElementType.Float);
                tensor.Text(8, "w");
                tensor.Bytes(9, MemoryMarshal.AsBytes<float>(right));
            });
            graph.Message(11, value => Square(value, "x"));
            graph.Message(12, value => Square(value, "y"));
        });
        model.Message(8, operators => operators.Integer(2, 18));
        return [.. model.Written];
    }

    private void Square(ProtobufBuffer value, string name)
    {
        value.Text(1, name);
        value.Message(2, type => type.Message(1, tensor =>
        {
            tensor.Integer(1, (long)TensorElementType.Float);
            tensor.Message(2, shape =>
            {
                shape.Message(1, dimension => dimension.Integer(1, size));
                shape.Message(1, dimension => dimension.Integer(1, size));
            });
        }));
    }
}
