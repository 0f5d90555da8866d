using System.Runtime.InteropServices;
using System.Security.Cryptography;
using System.Text;
using Distill.Generation;

namespace Distill.Teacher;

/// <summary>
/// Names one completion of one model by everything that decides it: equal keys, equal completions. SHA-256, so that it can be kept for
/// years beside completions of other options.
/// </summary>
internal readonly record struct CompletionKey(UInt128 High, UInt128 Low)
{
    public const int Bytes = 32;

    private const string Version = "completion 1"; // to be raised when sampling itself changes: what was kept is then no longer found

    /// <summary>The keys of a request's completions, by seed.</summary>
    /// <param name="model">Digest of the model's files.</param>
    /// <exception cref="ArgumentException">The request asks for what a key does not tell apart.</exception>
    public static CompletionKey[] Of(string model, GenerationRequest request)
    {
        if (request.SamplingBySeed is not null || request.Text is not null || request.ScorePrompt || request.Constraint is not null)
            throw new ArgumentException(
                "Only completions of one way of sampling, without text, constraint or scores of the prompt, are named by keys.",
                nameof(request));
        byte[] shared = SharedPart(model, request);
        return [.. request.Seeds.Select(seed => WithSeed(shared, seed))];
    }

    public static CompletionKey Read(ReadOnlySpan<byte> bytes) =>
        new(MemoryMarshal.Read<UInt128>(bytes), MemoryMarshal.Read<UInt128>(bytes[(Bytes / 2)..]));

    public void Write(Span<byte> bytes)
    {
        MemoryMarshal.Write(bytes, High);
        MemoryMarshal.Write(bytes[(Bytes / 2)..], Low);
    }

    public override string ToString()
    {
        Span<byte> bytes = stackalloc byte[Bytes];
        Write(bytes);
        return Convert.ToHexStringLower(bytes);
    }

    private static CompletionKey WithSeed(byte[] shared, ulong seed)
    {
        Span<byte> bytes = stackalloc byte[Bytes + sizeof(ulong)];
        shared.CopyTo(bytes);
        BitConverter.TryWriteBytes(bytes[Bytes..], seed);
        Span<byte> digest = stackalloc byte[Bytes];
        SHA256.HashData(bytes, digest);
        return Read(digest);
    }

    /// <summary>
    /// Digest of all but the seed. A shared prefix is part of it: it decides in which parts the prompt is read, and so the last bits.
    /// </summary>
    private static byte[] SharedPart(string model, GenerationRequest request)
    {
        SamplingOptions sampling = request.Sampling;
        using var buffer = new MemoryStream();
        using (var writer = new BinaryWriter(buffer, Encoding.UTF8, leaveOpen: true))
        {
            writer.Write(Version);
            writer.Write(model);
            Write(writer, request.Prompt);
            writer.Write(request.SharedPrefix);
            writer.Write(request.MaxNewTokens);
            Write(writer, [.. request.StopTokens.Distinct().Order()]);
            writer.Write(request.TopLogProbabilities);
            foreach (double option in (double[])[sampling.Temperature, sampling.TopP, sampling.MinP, sampling.RepetitionPenalty])
                writer.Write(option);
            writer.Write(sampling.TopK);
            // Only where given: completions without them keep the keys that they had before there were any.
            if (sampling.CountsTokens)
            {
                writer.Write("counts");
                writer.Write(sampling.FrequencyPenalty);
                writer.Write(sampling.PresencePenalty);
            }

            var bias = sampling.LogitBias ?? new Dictionary<int, float>();
            writer.Write(bias.Count);
            foreach (var (token, value) in bias.OrderBy(entry => entry.Key))
            {
                writer.Write(token);
                writer.Write(value);
            }
        }

        return SHA256.HashData(buffer.GetBuffer().AsSpan(0, (int)buffer.Length));
    }

    private static void Write(BinaryWriter writer, IReadOnlyList<int> tokens)
    {
        writer.Write(tokens.Count);
        foreach (int token in tokens) writer.Write(token);
    }
}
