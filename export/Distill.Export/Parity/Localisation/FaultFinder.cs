using System.Runtime.InteropServices;
using Distill.Architecture;
using Distill.Generation.Onnx;
using Microsoft.ML.OnnxRuntime.Tensors;
using static TorchSharp.torch;

namespace Distill.Export.Parity.Localisation;

/// <summary>
/// Finds the first place where an exported model computes something else than the trained one. Every step of the graph is held against
/// the trained model's same step over what the graph itself feeds into it, so that a fault shows where it is and not in what follows.
/// Matrices in blocks are held against the trained weights too, which also shows what a single block does. Whatever is rounded differs
/// everywhere; there the measure is what is usual for the same step in the other layers. One thread at a time; dispose it.
/// </summary>
internal sealed class FaultFinder : IDisposable
{
    // Of the usual size of a step's numbers. Exact steps differ by the order of sums, half ones by their last bit.
    private const double Exact = 5e-4, Half = 0.03;

    // A rounded step: so many times what is usual in the other layers; and never more than this, where there are no others.
    private const double TimesUsual = 8, Largest = 0.9, FewestLayers = 3;

    private readonly ModelFolder folder;
    private readonly GraphProbe? probe;

    /// <param name="architecture">Of the trained model.</param>
    /// <exception cref="InvalidDataException">The graph cannot be loaded.</exception>
    public FaultFinder(ModelFolder folder, DecoderArchitecture architecture)
    {
        this.folder = folder;
        probe = GraphProbe.Open(folder, DecoderSteps.ValuesOf(architecture));
    }

    /// <param name="reference">The trained model; stays the caller's.</param>
    /// <param name="ids">A sequence on which the two differ; a few dozen tokens suffice.</param>
    /// <exception cref="InvalidDataException">The graph cannot be run.</exception>
    public FaultSearch Find(TorchReferenceModel reference, IReadOnlyList<int> ids)
    {
        var steps = DecoderSteps.Of(reference.Decoder);
        var known = steps.Where(step => probe is not null && step.Inputs.Append(step.Output).All(probe.Values.Contains)).ToList();
        if (probe is null || known.Count == 0)
            return new([], false, "The graph's values have other names than Distill gives them, so it was not searched for the place.");
        var measured = Measure(known, probe.Run(ids), ids);
        var stored = new StoredMatrices(folder, probe.Graph).Compare(reference.Parameters.View(), known);
        // Matrices that are widened by operators of the standard are not unpacked: their steps tell.
        bool rounded = GraphPrecision.Of(folder) is ExportPrecision.Int8 or ExportPrecision.Int4;
        bool half = folder.Facts.FloatTypeOf(folder.Configuration.Names.CacheNames(0).Past) == TensorElementType.Float16;
        bool chosen = StoredMatrices.AreChosen(stored);
        double absolute = half ? Half : Exact;
        var found = measured.Where(error => error.Value > (rounded ? Allowed(error, measured) : absolute))
            .Select(error => error.ToLocation(Usual(error, measured)));
        // What was chosen over texts may be far from the nearest codes, and scales and norms that were trained from those of training.
        if (!chosen) return Told([.. found.Concat(StoredMatrices.Outliers(stored))], candidates: []);
        return Told([.. StoredMatrices.BeyondChoice(stored)], [.. found.Concat(StoredMatrices.Outliers(stored))]);

        FaultSearch Told(IEnumerable<FaultLocation> faults, IEnumerable<FaultLocation> candidates)
        {
            var places = InOrder(faults, steps);
            string words = Words(places, measured, rounded, stored.Count);
            var possible = InOrder(candidates, steps);
            if (chosen && places.Count == 0 && possible.Count > 0)
                words = "Codes of this export were chosen over texts, so that a place cannot be told for certain. "
                    + $"Candidates: {string.Join("; ", possible.Take(3))}.";
            return new(places, true, words);
        }
    }

    public void Dispose() => probe?.Dispose();

    private static List<StepError> Measure(List<DecoderStep> known, IReadOnlyDictionary<string, float[]> values, IReadOnlyList<int> ids)
    {
        var errors = new List<StepError>();
        foreach (var step in known)
        {
            using var scope = NewDisposeScope();
            using var without = no_grad();
            Tensor[] inputs = step.Inputs.Count == 0 ? [tensor([.. ids.Select(id => (long)id)], [1, ids.Count])]
                : [.. step.Inputs.Select(name => tensor(values[name], [1, ids.Count, values[name].Length / ids.Count]))];
            using var output = step.Compute(inputs).contiguous();
            var expected = MemoryMarshal.Cast<byte, float>(output.bytes);
            int offset = 0, width = expected.Length / ids.Count;
            foreach (var part in step.Tensors)
            {
                errors.Add(new(step, part, Error(values[step.Output], expected, width, offset, part.Width)));
                offset += part.Width;
            }
        }

        return errors;
    }

    // The largest difference of a number, relative to its size and to what is usual among the numbers beside it; rows of `width`.
    private static double Error(ReadOnlySpan<float> given, ReadOnlySpan<float> expected, int width, int offset, int count)
    {
        double squares = 0, worst = 0;
        int rows = expected.Length / width;
        for (int row = 0; row < rows; row++)
            foreach (float value in expected.Slice((row * width) + offset, count)) squares += (double)value * value;
        double usual = Math.Sqrt(squares / Math.Max(1, rows * count)) + 1e-30;
        for (int row = 0; row < rows; row++)
        {
            for (int i = (row * width) + offset; i < (row * width) + offset + count; i++)
            {
                double error = Math.Abs((double)given[i] - expected[i]) / (usual + Math.Abs(expected[i]));
                if (!double.IsFinite(error)) return double.MaxValue;
                worst = Math.Max(worst, error);
            }
        }

        return worst;
    }

    private static double Allowed(StepError error, List<StepError> all)
    {
        var alike = all.Where(other => other.Kind == error.Kind).ToList();
        return Math.Max(Exact, alike.Count < FewestLayers ? Largest : TimesUsual * Usual(error, all));
    }

    private static double Usual(StepError error, List<StepError> all)
    {
        double[] alike = [.. all.Where(other => other.Kind == error.Kind).Select(other => other.Value).Order()];
        return alike[alike.Length / 2];
    }

    private static List<FaultLocation> InOrder(IEnumerable<FaultLocation> faults, IReadOnlyList<DecoderStep> steps) =>
        [.. faults.DistinctBy(fault => (fault.Layer, fault.Part, fault.Step)).OrderBy(fault => PlaceOf(fault, steps))];

    private static int PlaceOf(FaultLocation fault, IReadOnlyList<DecoderStep> steps) => steps.Select((step, place) => (step, place))
        .First(pair => pair.step.Layer == fault.Layer && pair.step.Part == fault.Part
            && pair.step.Tensors.Any(tensor => tensor.Kind == fault.Step)).place;

    private static string Words(List<FaultLocation> found, List<StepError> measured, bool rounded, int matrices)
    {
        if (found.Count == 0)
        {
            return rounded
                ? $"No layer stands out: every step{(matrices > 0 ? " and every matrix" : "")} is as far from the trained model's as "
                    + "rounding makes them, and the loss is spread over all of them."
                : $"No layer stands out on whole sequences: all {measured.Count} steps give what the trained model's do, so the difference "
                    + "lies in decoding through the cache, or in tokens that were not read.";
        }

        string also = found.Count > 1 ? $"; {found.Count - 1} more after it: {string.Join("; ", found.Skip(1).Take(3))}" : "";
        return $"The first difference is in {found[0]}{also}.";
    }

    private sealed record StepError(DecoderStep Step, StepTensor Tensor, double Value)
    {
        public string Kind => $"{Step.Part}/{Tensor.Kind}";

        public FaultLocation ToLocation(double usual) =>
            new(Step.Layer, Step.Part, Tensor.Kind, Tensor.Parameter, Value, usual, Place: null);
    }
}
