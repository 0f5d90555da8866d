using Distill.Generation;
using Distill.Generation.Onnx;
using Distill.Teacher.Tests.Fixtures;

namespace Distill.Teacher.Tests.Onnx;

/// <summary>The own backend, and its budgets.</summary>
public sealed class TinyGraphTests : TinyGraphContract
{
    private static readonly OnnxModelOptions s_oneThread = new() { IntraOpThreads = 1 };

    [Theory]
    [MemberData(nameof(Kinds))]
    public void A_session_over_the_budget_is_refused_with_every_number(bool shared, int type)
    {
        byte[] graph = new TinyGraph { Shared = shared, Type = type }.ToBytes();
        using var measured = OnnxTokenModel.FromBytes(graph, Length, s_oneThread);
        long bytes = measured.MemoryOf(3, Length).TotalBytes;
        using var enough = OnnxTokenModel.FromBytes(graph, Length, s_oneThread with { MaxCacheBytes = bytes });
        enough.Open(3, Length).Dispose();
        using var less = OnnxTokenModel.FromBytes(graph, Length, s_oneThread with { MaxCacheBytes = bytes - 1 });
        string message = Should.Throw<ArgumentException>(() => less.Open(3, Length)).Message;
        foreach (
            string part in (string[])[
                "3 slots", $"{Length} tokens", "1 layers", $"{bytes:N0} bytes", $"{bytes - 1:N0} are allowed", "fewer slots", "max tokens",
                "MaxCacheBytes"])
            message.ShouldContain(part);
        using var absurd = OnnxTokenModel.FromBytes(graph, 1 << 24, s_oneThread);
        absurd.MemoryOf(int.MaxValue, 1 << 24).TotalBytes.ShouldBeGreaterThan(1L << 58);
        Should.Throw<ArgumentException>(() => absurd.Open(int.MaxValue, 1 << 24));
    }

    private protected override ITokenModel Model(TinyGraph graph) =>
        OnnxTokenModel.FromBytes(graph.ToBytes(), Length, s_oneThread);
}
