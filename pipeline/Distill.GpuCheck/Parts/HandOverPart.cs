using System.Text.Json.Nodes;
using Distill.Architecture;
using Distill.Export.Onnx;
using Distill.Generation.Onnx;
using Distill.Generation.Torch.Memory;
using Microsoft.ML.OnnxRuntime;
using Microsoft.ML.OnnxRuntime.Tensors;
using static TorchSharp.torch;

namespace Distill.GpuCheck.Parts;

/// <summary>
/// Torch writes a matrix, ONNX Runtime multiplies it where it lies, torch reads the product: a thousand times, with the two waiting for one
/// another and without. With it every product must be right; without it the count of wrong ones shows whether waiting is needed.
/// </summary>
internal sealed class HandOverPart : ICheckPart
{
    public string Name => "hand-over";

    public string Question => "does ONNX Runtime read and write torch's memory in place, and must they wait for each other?";

    public int Limit => 40;

    public PartResult Run(CheckContext context)
    {
        int size = context.IsSmall ? 32 : 1024, runs = context.IsSmall ? 100 : 1000;
        using var device = new SharedDevice(context.Device);
        _ = RuntimeTelemetry.Runtime; // options load the library
        using var options = new SessionOptions();
        if (context.Device.IsCuda) CudaProvider.AddTo(options, context.Device, new());
        using var session = new InferenceSession(Product(size), options);
        using var left = new BoundTensor(device, TensorElementType.Float, size, size);
        using var right = new BoundTensor(device, TensorElementType.Float, size, size);
        using var product = new BoundTensor(device, TensorElementType.Float, size, size);
        right.Tensor.copy_(eye(size, size, ScalarType.Float32, device.Device));
        using var pass = new BoundProduct(session, left, right, product);
        Wrong(context, device, pass, 2, waits: true); // kernels are chosen in the first runs
        var (waiting, secondsWaiting) = Wrong(context, device, pass, runs, waits: true);
        var (racing, secondsRacing) = Wrong(context, device, pass, runs, waits: false);
        return new(waiting == 0, new JsonObject
        {
            ["runs"] = runs,
            ["matrix"] = size,
            ["wrong_with_waiting"] = waiting,
            ["wrong_without"] = racing,
            ["microseconds_a_run_with_waiting"] = Math.Round(1e6 * secondsWaiting / runs, 1),
            ["microseconds_a_run_without"] = Math.Round(1e6 * secondsRacing / runs, 1),
        });
    }

    private static (int Wrong, double Seconds) Wrong(CheckContext context, SharedDevice device, BoundProduct pass, int runs, bool waits)
    {
        int wrong = 0;
        double seconds = context.Seconds(() =>
        {
            for (int i = 0; i < runs; i++)
            {
                using var scope = NewDisposeScope();
                pass.Left.fill_(i);
                if (waits) device.BeforeRun();
                pass.Run(waits);
                if (pass.Product.ne(i).any().item<bool>()) wrong++;
            }
        });
        return (wrong, seconds);
    }

    // y = x · w
    private static byte[] Product(int size)
    {
        OnnxValue Matrix(string name) => new(name, OnnxElementType.Float, [size, size]);
        var model = new OnnxModel
        {
            Name = "product",
            Inputs = [Matrix("x"), Matrix("w")],
            Outputs = [Matrix("y")],
            Nodes = [new OnnxNode("MatMul", ["x", "w"], ["y"], [])],
            Initializers = [],
        };
        return new OnnxTemplate(model, "gpu-check").ToBytes(Checkpoint.Open(CheckContext.Base).LoadWeights());
    }

    private sealed class BoundProduct : IDisposable
    {
        private readonly InferenceSession session;
        private readonly OrtIoBinding binding;
        private readonly RunOptions options = new();
        private readonly OrtValue[] values;

        public BoundProduct(InferenceSession session, BoundTensor left, BoundTensor right, BoundTensor product)
        {
            (this.session, Left, Product) = (session, left.Tensor, product.Tensor);
            binding = session.CreateIoBinding();
            values = [.. new[] { left, right, product }.Select(tensor => tensor.View(0, tensor.Tensor.shape))];
            binding.BindInput("x", values[0]);
            binding.BindInput("w", values[1]);
            binding.BindOutput("y", values[2]);
        }

        public Tensor Left { get; }

        public Tensor Product { get; }

        public void Run(bool waits)
        {
            session.RunWithBinding(options, binding);
            if (waits) binding.SynchronizeBoundOutputs();
        }

        public void Dispose()
        {
            binding.Dispose();
            options.Dispose();
            foreach (var value in values) value.Dispose();
        }
    }
}
