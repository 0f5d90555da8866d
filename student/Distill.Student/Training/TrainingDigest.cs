using System.Buffers.Binary;
using System.Runtime.InteropServices;
using System.Security.Cryptography;
using System.Text;
using Distill.Student.Model;

namespace Distill.Student.Training;

/// <summary>
/// SHA-256 over what decides a training — its examples, options and starting weights — so that a state is continued by its own training
/// only. Not thread-safe; dispose it.
/// </summary>
public sealed class TrainingDigest : IDisposable
{
    private readonly IncrementalHash hash = IncrementalHash.CreateHash(HashAlgorithmName.SHA256);

    public TrainingDigest Add(params ReadOnlySpan<long> values)
    {
        Span<byte> bytes = stackalloc byte[sizeof(long)];
        foreach (long value in values)
        {
            BinaryPrimitives.WriteInt64LittleEndian(bytes, value);
            hash.AppendData(bytes);
        }

        return this;
    }

    public TrainingDigest Add(params ReadOnlySpan<double> values)
    {
        foreach (double value in values) Add(BitConverter.DoubleToInt64Bits(value));
        return this;
    }

    public TrainingDigest Add(string text)
    {
        byte[] bytes = Encoding.UTF8.GetBytes(text);
        Add(bytes.LongLength);
        hash.AppendData(bytes);
        return this;
    }

    /// <param name="values">One-dimensional fp32 on any device; read piece by piece.</param>
    public TrainingDigest Add(Tensor values)
    {
        Add(values.numel());
        TensorBytes.ForEach(values, bytes => hash.AppendData(bytes));
        return this;
    }

    public TrainingDigest Add(IEnumerable<TrainingSequence> sequences)
    {
        foreach (var sequence in sequences)
        {
            Add(sequence.Tokens.Count, sequence.FirstSupervised);
            int[] tokens = [.. sequence.Tokens];
            hash.AppendData(MemoryMarshal.AsBytes(tokens.AsSpan()));
        }

        return this;
    }

    public TrainingDigest Add(TrainingOptions options)
    {
        var (optimizer, decay) = (options.Optimizer, (long)options.Decay);
        // else as it always was
        if (options.RateFloor != 0 || options.CoolDown != CoolDown.Linear) Add("rate").Add(options.RateFloor).Add((long)options.CoolDown);
        if (options.AllowTf32) Add("tf32");
        if (optimizer.Muon) Add("muon");
        return Add(options.LearningRate, options.WarmupShare, optimizer.Beta1, optimizer.Beta2, optimizer.Epsilon, optimizer.WeightDecay,
            optimizer.MaxGradientNorm)
            .Add(decay, (long)options.Precision, options.Threads, options.MicroBatchTokens,
            unchecked((long)(options.RoundingSeed ?? ulong.MaxValue)));
    }

    /// <summary>
    /// What computes gradients, the fused passes or the others: a state of passes that rounded otherwise is not continued from.
    /// </summary>
    internal TrainingDigest AddPasses(bool isFused) => isFused ? Add("fused passes").Add((long)GradientModels.FusedVersion)
        : Add("passes").Add((long)GradientModels.AutogradVersion);

    /// <returns>Lower-case hexadecimal, of everything added so far.</returns>
    public string Finish() => Convert.ToHexStringLower(hash.GetCurrentHash());

    public void Dispose() => hash.Dispose();
}
