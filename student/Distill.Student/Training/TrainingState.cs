using Distill.Architecture;

namespace Distill.Student.Training;

/// <summary>
/// Everything a training needs to continue exactly: trained values, both moments, the number of updates, the moving average, and what the
/// training itself adds. The learning rate, the data and every random number follow from the number of updates and the seed. Written and
/// flushed as one safetensors file beside its destination and moved over it, so that a kill leaves the old state or the new.
/// </summary>
public static class TrainingState
{
    private const string DigestKey = "training";

    /// <param name="digest">Of what the training was given, a <see cref="TrainingDigest"/>; null: not noted.</param>
    /// <param name="more">What else belongs to the state; names other than those used here.</param>
    public static void Save(string path, ITrainedValues trained, AdamW optimizer, WeightAverage? average = null, string? digest = null, IEnumerable<SafeTensor>? more = null)
    {
        long[] shape = [trained.Count];
        SafeTensor[] averaged = average is { IsStarted: true } ? [SafeTensor.Singles("average", shape, average.Values.ToArray())] : [];
        string temporary = path + ".tmp";
        SafeTensorsWriter.Write(
            temporary,
            [
                SafeTensor.Singles("weights", shape, trained.Span.ToArray()),
                SafeTensor.Singles("first_moment", shape, optimizer.FirstMoment),
                SafeTensor.Singles("second_moment", shape, optimizer.SecondMoment),
                SafeTensor.Integers("steps", [1], new long[] { optimizer.Steps }),
                .. trained.LossScale.IsUntouched ? [] : (SafeTensor[])[SafeTensor.Integers("loss_scale", [2], new[] { BitConverter.DoubleToInt64Bits(trained.LossScale.Value), trained.LossScale.Tracker })],
                .. averaged,
                .. more ?? [],
            ],
            digest is null ? null : new Dictionary<string, string> { [DigestKey] = digest });
        File.Move(temporary, path, overwrite: true);
    }

    /// <param name="more">Reads what the training added.</param>
    /// <exception cref="InvalidDataException">The file is not a state of this model or of this training.</exception>
    public static void Load(string path, ITrainedValues trained, AdamW optimizer, WeightAverage? average = null, string? digest = null, Action<SafeTensorsFile>? more = null)
    {
        using var file = SafeTensorsFile.Open(path);
        if (digest is not null && file.Metadata.GetValueOrDefault(DigestKey) != digest)
            throw new InvalidDataException($"{path} is the state of another training: of other data, options or starting weights. Delete it to begin anew.");
        Read(file, path, "weights", trained.Count).CopyTo(trained.Span);
        Read(file, path, "first_moment", trained.Count).CopyTo(optimizer.FirstMoment, 0);
        Read(file, path, "second_moment", trained.Count).CopyTo(optimizer.SecondMoment, 0);
        if (average is not null && file.Contains("average")) Read(file, path, "average", trained.Count).CopyTo(average.Restore());
        if (file.Contains("loss_scale") && file.ReadIntegers("loss_scale") is [var scale, var tracker]) trained.LossScale.Restore(BitConverter.Int64BitsToDouble(scale), checked((int)tracker));
        optimizer.Steps = checked((int)file.ReadIntegers("steps")[0]);
        more?.Invoke(file);
    }

    internal static float[] Read(SafeTensorsFile file, string path, string name, int count)
    {
        float[] values = file.ReadSingles(name);
        return values.Length == count ? values : throw new InvalidDataException($"{path}: '{name}' has {values.Length} values; this model has {count}.");
    }
}
