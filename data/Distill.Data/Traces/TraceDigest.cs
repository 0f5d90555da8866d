using System.Buffers.Binary;
using System.Security.Cryptography;
using System.Text;
using Distill.Data.Problems;

namespace Distill.Data.Traces;

/// <summary>
/// Digests of what traces say. The time of generation is left out, since it says nothing about the content; lengths go in
/// before texts, so that no two traces share an encoding.
/// </summary>
internal static class TraceDigest
{
    /// <summary>SHA-256 of one trace in lower-case hexadecimal; equal digests mean equal rows.</summary>
    public static string Of(Trace trace) => Convert.ToHexStringLower(Hash(trace));

    /// <summary>The first half of the same.</summary>
    public static UInt128 Short(Trace trace) => BinaryPrimitives.ReadUInt128BigEndian(Hash(trace));

    /// <summary>SHA-256 of a bag of traces: order, files and row groups play no part, repetition does.</summary>
    public static string OfBag(IEnumerable<Trace> traces)
    {
        using var hash = IncrementalHash.CreateHash(HashAlgorithmName.SHA256);
        foreach (string digest in traces.Select(Of).Order(StringComparer.Ordinal)) hash.AppendData(Encoding.ASCII.GetBytes(digest));
        return Convert.ToHexStringLower(hash.GetHashAndReset());
    }

    private static byte[] Hash(Trace trace)
    {
        using var hash = IncrementalHash.CreateHash(HashAlgorithmName.SHA256);
        var problem = trace.Problem;
        string?[] texts =
        [
            problem.Id, problem.Source, problem.Domain, SplitRule.Word(problem.Split), problem.Text, problem.ReferenceAnswer,
            problem.ReferenceSolution, problem.Signature, problem.Verifier, problem.System, trace.Reasoning, trace.Answer,
            trace.StopReason, trace.Refusal, trace.Sampling,
            trace.Teacher, trace.TeacherDigest, trace.TemplateDigest, trace.TokenizerFingerprint,
        ];
        foreach (string? text in texts) Append(hash, text);
        foreach (int number in (int[])[problem.Level, trace.PromptTokens, trace.CompletionTokens, trace.SampleIndex]) Append(hash, number);
        Append(hash, (long)problem.Choices.Count);
        foreach (string choice in problem.Choices) Append(hash, choice);
        Append(hash, (long)trace.Seed);
        foreach (var message in trace.Preamble) // none leaves the digest as it was before there were any
        {
            Append(hash, message.Role);
            Append(hash, message.Content);
        }

        Append(hash, trace.TokenIds, id => id);
        Append(hash, trace.TokenLogProbabilities, value => BitConverter.SingleToInt32Bits(value));
        Append(hash, trace.TopIds, id => id);
        Append(hash, trace.TopLogProbabilities, value => BitConverter.SingleToInt32Bits(value));
        return hash.GetHashAndReset();
    }

    private static void Append(IncrementalHash hash, string? text)
    {
        byte[] bytes = Encoding.UTF8.GetBytes(text ?? "");
        Append(hash, text is null ? -1L : bytes.Length);
        hash.AppendData(bytes);
    }

    private static void Append<T>(IncrementalHash hash, IReadOnlyList<T> list, Func<T, int> bits)
    {
        Append(hash, (long)list.Count);
        foreach (var item in list) Append(hash, (long)bits(item));
    }

    private static void Append(IncrementalHash hash, long number)
    {
        Span<byte> bytes = stackalloc byte[sizeof(long)];
        BinaryPrimitives.WriteInt64LittleEndian(bytes, number);
        hash.AppendData(bytes);
    }
}
