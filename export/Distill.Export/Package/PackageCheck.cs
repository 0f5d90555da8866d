using Distill.Generation.Onnx;

namespace Distill.Export.Package;

/// <summary>
/// Opens a written folder as an application would and runs it: the graph loads, its logits are finite, and decoding through the
/// cache gives what one run over all tokens gives. It says nothing about the right weights; that is the parity gate's work.
/// </summary>
internal static class PackageCheck
{
    private const int Tokens = 12;
    private const double RelativeTolerance = 1e-4;

    /// <summary>The same by precision; a folder that no CPU computes is opened and read, not run.</summary>
    /// <exception cref="InvalidDataException">Names the folder and what is wrong.</exception>
    public static void Run(string folder, ExportPrecision precision)
    {
        if (precision.RunsOnProcessor()) Run(folder, precision.CacheTolerance());
        else _ = ModelFolder.Open(folder).MemoryOf(1, 2);
    }

    /// <param name="relativeTolerance">
    /// Cached against whole, relative to the largest logit. Operators that quantize activations need more than the default.
    /// </param>
    /// <exception cref="InvalidDataException">Names the folder and what is wrong.</exception>
    public static void Run(string folder, double relativeTolerance = RelativeTolerance)
    {
        using var model = OnnxTokenModel.Load(folder);
        int count = Math.Min(Tokens, model.MaxLength - 1), vocabulary = model.VocabularySize;
        int[] ids = [.. Enumerable.Range(0, count).Select(i => (int)(i * 7919L % vocabulary))];
        using var session = model.Open(2, count + 1);
        float[] whole = new float[count * vocabulary], cached = new float[vocabulary];
        session.Prefill(0, ids, whole);
        session.Prefill(1, ids.AsSpan(0, 1), cached);
        // Both slots decode together: slot 0 reads on, slot 1 follows the tokens that slot 0 has read.
        session.Copy(1, 0, session.Length(1));
        float[] both = new float[2 * vocabulary];
        double difference = Difference(cached, whole.AsSpan(0, vocabulary)), magnitude = whole.Max(Math.Abs);
        for (int i = 1; i < count; i++)
        {
            session.Step([ids[i], ids[i]], both);
            var expected = whole.AsSpan(i * vocabulary, vocabulary);
            difference = Math.Max(difference,
                Math.Max(Difference(both.AsSpan(0, vocabulary), expected), Difference(both.AsSpan(vocabulary), expected)));
        }

        if (!float.IsFinite((float)magnitude) || !double.IsFinite(difference))
            throw new InvalidDataException($"'{folder}': the exported model gives logits that are not finite.");
        if (magnitude == 0) throw new InvalidDataException($"'{folder}': the exported model gives nothing but zeros.");
        if (difference > relativeTolerance * magnitude)
            throw new InvalidDataException(
                $"'{folder}': decoding through the cache differs from one run by {difference:G3} (largest logit {magnitude:G3}).");
    }

    private static double Difference(ReadOnlySpan<float> actual, ReadOnlySpan<float> expected)
    {
        double largest = 0;
        for (int i = 0; i < expected.Length; i++)
        {
            double difference = Math.Abs((double)actual[i] - expected[i]);
            if (!(difference <= largest)) largest = difference; // keeps NaN
        }

        return largest;
    }
}
