using Distill.Generation;
using Distill.Generation.Onnx;
using Distill.Teacher.Tests.Fixtures;
using Microsoft.ML.OnnxRuntime;

namespace Distill.Teacher.Tests.Onnx;

/// <summary>Devices by name, what the CUDA provider is told, and that a card which cannot be had is a fault with a reason.</summary>
public sealed class DeviceTests
{
    private static readonly string s_folder = Path.Combine(RepositoryFolder.Root, "teacher", "models", "tiny-reasoner");

    private static readonly CudaOptions s_everything = new() { MemoryLimit = 5_000_000_000, AllowsTf32 = true, CapturesGraphs = true };

    private static readonly OnnxModelOptions s_onCard = new() { Device = ComputeDevice.Cuda() };

    private static bool HasProvider => RuntimeTelemetry.Runtime.GetAvailableProviders().Contains(CudaProvider.Name);

    [Theory]
    [InlineData("cpu", "cpu"), InlineData("cuda", "cuda:0"), InlineData("cuda:0", "cuda:0"), InlineData("cuda:7", "cuda:7")]
    public void A_device_is_written_as_it_is_read(string text, string written)
    {
        var device = ComputeDevice.Parse(text).ShouldNotBeNull();
        device.ToString().ShouldBe(written);
        ComputeDevice.Parse(written).ShouldBe(device);
    }

    [Theory]
    [InlineData(""), InlineData("gpu"), InlineData("CPU"), InlineData("cuda:"), InlineData("cuda:-1"), InlineData("cuda:+1")]
    [InlineData("cuda: 1"), InlineData("cuda:1.0"), InlineData("cuda:99999"), InlineData("cpu:0"), InlineData("auto")]
    public void Other_words_are_no_device(string text) => ComputeDevice.Parse(text).ShouldBeNull();

    [Fact]
    public void The_default_is_the_processor()
    {
        default(ComputeDevice).ShouldBe(ComputeDevice.Cpu);
        new OnnxModelOptions().Device.IsCuda.ShouldBeFalse();
        Should.Throw<InvalidOperationException>(() => ComputeDevice.Cpu.Card);
        Should.Throw<ArgumentOutOfRangeException>(() => ComputeDevice.Cuda(-1));
    }

    [Fact]
    public void The_provider_is_told_the_card_and_keeps_its_precision_unless_asked()
    {
        var plain = CudaProvider.ToProvider(ComputeDevice.Cuda(3), new());
        (plain["device_id"], plain["use_tf32"], plain["enable_cudnn"], plain["enable_cuda_graph"]).ShouldBe(("3", "0", "0", "0"));
        plain["arena_extend_strategy"].ShouldBe("kSameAsRequested");
        plain.ShouldNotContainKey("gpu_mem_limit");
        var all = CudaProvider.ToProvider(ComputeDevice.Cuda(), s_everything);
        (all["gpu_mem_limit"], all["use_tf32"], all["enable_cuda_graph"]).ShouldBe(("5000000000", "1", "1"));
        CudaProvider.ToProvider(ComputeDevice.Cuda(), new() { DoublesArena = true })["arena_extend_strategy"].ShouldBe("kNextPowerOfTwo");
    }

    [Fact]
    public void What_the_loader_missed_is_all_that_is_left_of_its_message() =>
        CudaProvider.Reason("[ErrorCode:Fail] /src/provider_bridge_ort.cc:2043 Get() [ONNXRuntimeError] : 1 : FAIL : Failed to load "
            + "library /app/libonnxruntime_providers_cuda.so with error: libcublasLt.so.13: cannot open shared object file: "
            + "No such file or directory\n").ShouldBe("libcublasLt.so.13: cannot open shared object file: No such file or directory");

    // Of a build for the CPU the provider is missing, of one for CUDA without a card its libraries are.
    [Fact]
    public void A_card_that_cannot_be_had_is_refused_when_the_model_is_loaded()
    {
        bool hasLibraries = CudaLibraries.Names.All(name => CudaLibraries.TryLoad(name, null, out _));
        Assert.SkipWhen(HasProvider && hasLibraries, "This machine may have a card.");
        var fault = Should.Throw<DeviceUnavailableException>(() => OnnxTokenModel.Load(
            ModelFolder.Open(s_folder), s_onCard, _ => throw new InvalidOperationException("There is nothing to try.")));
        fault.Message.ShouldStartWith("cuda:0 was asked for, and ");
        fault.Message.ShouldContain(HasProvider ? ".so" : "for the CPU alone");
        fault.Remedy.ShouldContain(HasProvider ? "distill doctor" : "-p:Accelerator=cuda");
    }

    // Whether there is a card or not: host buffers are copied to it once, and every later step would read what the first one did.
    [Fact]
    public void Sessions_over_the_hosts_memory_are_not_opened_for_a_card()
    {
        Should.Throw<NotSupportedException>(() => OnnxTokenModel.Load(s_folder, s_onCard)).Message.ShouldContain("DeviceModels");
        Should.Throw<NotSupportedException>(() => OnnxTokenModel.FromBytes(new TinyGraph().ToBytes(), 16, s_onCard))
            .Message.ShouldContain("cuda:0");
    }
}

/// <summary>The record of where nodes ran, on the processor's provider, which is there everywhere.</summary>
public sealed class PlacementRecordTests
{
    private static readonly PlacedNode s_shapes = new("Gather", "CPUExecutionProvider", ReadsFloats: false);
    private static readonly PlacedNode s_product = new("MatMul", CudaProvider.Name, ReadsFloats: true);
    private static readonly PlacedNode s_attention = new("GroupQueryAttention", "CPUExecutionProvider", ReadsFloats: true);

    [Fact]
    public void A_run_is_recorded_node_by_node_with_its_provider_and_what_it_read()
    {
        _ = RuntimeTelemetry.Runtime;
        using var record = new PlacementRecord();
        using var options = new SessionOptions { LogSeverityLevel = OrtLoggingLevel.ORT_LOGGING_LEVEL_FATAL };
        record.AddTo(options);
        using var session = new InferenceSession(new TinyGraph().ToBytes(), options);
        Run(session);
        var nodes = PlacementRecord.End(session);
        nodes.ShouldNotBeEmpty();
        nodes.ShouldAllBe(node => node.Provider == "CPUExecutionProvider");
        nodes.ShouldContain(node => node.ReadsFloats);
        Should.Throw<DeviceUnavailableException>(() => PlacementRecord.RequireOn(ComputeDevice.Cuda(), nodes, "tiny"))
            .Message.ShouldContain(nodes.First(node => node.ReadsFloats).Operator);
    }

    [Fact]
    public void Shapes_may_be_computed_on_the_processor_and_nothing_else()
    {
        PlacementRecord.RequireOn(ComputeDevice.Cuda(), [s_product, s_shapes], "a graph");
        var fault = Should.Throw<DeviceUnavailableException>(
            () => PlacementRecord.RequireOn(ComputeDevice.Cuda(), [s_product, s_shapes, s_attention], "a graph"));
        fault.Message.ShouldBe(
            "a graph: cuda:0 was asked for, and ONNX Runtime would run GroupQueryAttention of this graph on the processor.");
        fault.Remedy.ShouldContain("fp16");
    }

    [Fact]
    public void A_graph_of_which_nothing_ran_on_the_card_is_refused() =>
        Should.Throw<DeviceUnavailableException>(() => PlacementRecord.RequireOn(ComputeDevice.Cuda(), [s_shapes], "a graph"))
            .Message.ShouldContain("everything");

    private static void Run(InferenceSession session)
    {
        var inputs = session.InputMetadata.ToDictionary(
            input => input.Key,
            input => OrtValue.CreateAllocatedTensorValue(OrtAllocator.DefaultInstance, input.Value.ElementDataType,
                [.. input.Value.Dimensions.Select(size => size > 0 ? (long)size : 1)]));
        foreach (var value in inputs.Values) value.GetTensorMutableRawData().Clear();
        using var options = new RunOptions();
        using var outputs = session.Run(options, inputs, session.OutputNames);
        foreach (var value in inputs.Values) value.Dispose();
    }
}
