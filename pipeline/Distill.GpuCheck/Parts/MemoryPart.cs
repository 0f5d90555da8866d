using System.Runtime.InteropServices;
using System.Text.Json.Nodes;
using Distill.Export;
using Distill.Generation;
using Distill.Generation.Torch;
using Distill.Libtorch;
using Distill.Student.Fused;
using Distill.Student.Supervised;
using Distill.Student.Training;

namespace Distill.GpuCheck.Parts;

/// <summary>
/// Training and decoding by turns for a thousand steps: device memory, the process's own and living tensors must not grow.
/// </summary>
internal sealed class MemoryPart : ICheckPart
{
    private const long Allowed = 64 << 20;
    private const int Top = 4, StepsEach = 3;

    private static readonly TokenQuery Greedy = new(SamplingOptions.Greedy, 0, default, 0);

    // Every filter allocates something of its own.
    private static readonly TokenQuery Drawn = new(
        new SamplingOptions { Temperature = 1, TopK = 20, TopP = 0.9, MinP = 0.01, RepetitionPenalty = 1.1 }, 0.5, new[] { 1, 2, 3 }, Top);

    public string Name => "memory";

    public string Question => "is memory flat over 1,000 steps?";

    public int Limit => 60;

    public PartResult Run(CheckContext context)
    {
        int steps = context.IsSmall ? 20 : 1000, settled = steps / 5;
        using var parameters = Workload.WeightsForAnyDevice(Workload.Base.Architecture, context.Device.ToTorch());
        parameters.Load(Workload.Base.LoadWeights());
        using var model = Workload.PassesForAnyDevice(parameters, MatmulPrecision.Fp32);
        using var optimizer = new AdamW(parameters, new AdamWOptions());
        using var decoder = Decoder(context);
        using var session = (ISamplingSession)decoder.Open(2, 64);
        var batch = Workload.Examples(4);
        var answers = new TokenAnswers();
        MemoryUse? before = null;
        for (int i = 0; i < steps; i++)
        {
            model.Differentiate(batch, new CrossEntropy(batch.Sum(sequence => (long)sequence.SupervisedCount)));
            optimizer.Update(model.Gradient, 1e-5);
            Decode(session, answers, decoder.VocabularySize, i);
            if (i == settled) before = MemoryUse.Now();
        }

        var after = MemoryUse.Now();
        bool isFlat = after.Device - before!.Device <= Allowed && after.Process - before.Process <= 4 * Allowed
            && after.Tensors <= before.Tensors + 8;
        return new(isFlat, new JsonObject
        {
            ["steps"] = steps,
            ["device_bytes_grown"] = after.Device - before.Device,
            ["process_bytes_grown"] = after.Process - before.Process,
            ["tensors_grown"] = after.Tensors - before.Tensors,
            ["device_bytes_used"] = after.Device,
        });
    }

    private static void Decode(ISamplingSession session, TokenAnswers answers, int vocabulary, int step)
    {
        session.Clear(0);
        session.Clear(1);
        session.Prefill(0, [1, 2, 3]);
        session.Score(1, [step % vocabulary, 1], [1], new FollowingScores(new double[1], Top, new int[Top], new float[Top]));
        session.ChooseFirst(0, [Drawn, Greedy], answers);
        for (int i = 0; i < StepsEach; i++)
        {
            session.Step([answers.Choice(0).Token, answers.Choice(1).Token]);
            session.ChooseNext([Drawn, Greedy], answers);
        }
    }

    private static TorchTokenModel Decoder(CheckContext context)
    {
        var checkpoint = Workload.Base;
        var precision = context.IsSmall ? ExportPrecision.Single : ExportPrecision.Half;
        var options = new ExportOptions { Precision = precision };
        byte[] graph = new DecoderGraph(checkpoint.Architecture, options).ToBytes(checkpoint.LoadWeights());
        return TorchTokenModel.FromBytes(graph, checkpoint.Architecture.MaxPositions, context.Decoding);
    }

    /// <param name="Device">Bytes in use on the card of the current context; 0 on the processor.</param>
    /// <param name="Process">Bytes of the process in the computer's memory.</param>
    /// <param name="Tensors">Living ones of torch.</param>
    private sealed record MemoryUse(long Device, long Process, long Tensors)
    {
        public static MemoryUse Now() => new(OnDevice(), Environment.WorkingSet, Tensor.TotalCount);

        private static unsafe long OnDevice()
        {
            if (!NativeLibrary.TryLoad(CudaLibraries.Driver, out nint driver)) return 0;
            var ask = (delegate* unmanaged<nuint*, nuint*, int>)NativeLibrary.GetExport(driver, "cuMemGetInfo_v2");
            nuint free = 0, total = 0;
            return ask(&free, &total) == 0 ? (long)(total - free) : 0; // of the context that torch made current
        }
    }
}
