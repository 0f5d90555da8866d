using Distill.Architecture;
using Distill.Student.Model;

namespace Distill.Student.Training;

/// <summary>
/// Everything a training needs to continue exactly: weights, both moments and the step count; the data follow from the step.
/// Written as one safetensors file beside its destination and moved over it, so that a kill leaves the old state or the new.
/// </summary>
public static class TrainingState
{
    public static void Save(string path, FlatParameters parameters, AdamW optimizer, WeightAverage? average = null)
    {
        long[] shape = [parameters.Count];
        SafeTensor[] averaged = average is { IsStarted: true } ? [SafeTensor.Singles("average", shape, average.Values.ToArray())] : [];
        string temporary = path + ".tmp";
        SafeTensorsWriter.Write(
            temporary,
            [
                SafeTensor.Singles("weights", shape, parameters.Span.ToArray()),
                SafeTensor.Singles("first_moment", shape, optimizer.FirstMoment),
                SafeTensor.Singles("second_moment", shape, optimizer.SecondMoment),
                SafeTensor.Integers("steps", [1], new long[] { optimizer.Steps }),
                .. averaged,
            ]);
        File.Move(temporary, path, overwrite: true);
    }

    /// <exception cref="InvalidDataException">The file is not a state of this model.</exception>
    public static void Load(string path, FlatParameters parameters, AdamW optimizer, WeightAverage? average = null)
    {
        using var file = SafeTensorsFile.Open(path);
        Fill(file, path, "weights", parameters.Span);
        Fill(file, path, "first_moment", optimizer.FirstMoment);
        Fill(file, path, "second_moment", optimizer.SecondMoment);
        if (average is not null && file.Contains("average")) Fill(file, path, "average", average.Restore());
        optimizer.Steps = checked((int)file.ReadIntegers("steps")[0]);
    }

    private static void Fill(SafeTensorsFile file, string path, string name, Span<float> target)
    {
        float[] values = file.ReadSingles(name);
        if (values.Length != target.Length) throw new InvalidDataException($"{path}: '{name}' has {values.Length} values; this model has {target.Length}.");
        values.CopyTo(target);
    }
}
