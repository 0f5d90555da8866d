namespace Distill.Pipeline.Diagnosis;

/// <summary>What this machine can do, what is missing and how to get it. Changes nothing but a file that it removes again.</summary>
public static class MachineDiagnosis
{
    /// <param name="folder">Where runs are to be written; it or the nearest folder above it must exist.</param>
    public static IReadOnlyList<MachineFinding> Run(string folder) =>
    [
        RuntimeCheck.Runtime(),
        RuntimeCheck.Processor(),
        MemoryCheck.Memory(),
        DiskCheck.Space(folder),
        DiskCheck.Links(folder),
        LibraryCheck.OnnxRuntime(),
        LibraryCheck.Torch(),
        LibraryCheck.Cuda(),
    ];

    /// <summary>Whether this machine's memory suffices to run a model.</summary>
    /// <param name="model">A model folder or a checkpoint.</param>
    /// <param name="slots">Rows decoded together.</param>
    /// <param name="maxLength">Longest sequence, prompt and completion together.</param>
    /// <exception cref="InvalidDataException">The folder is no model; names the file and the reason.</exception>
    public static MachineFinding Run(string model, int slots, int maxLength) => MemoryCheck.Model(model, slots, maxLength);
}
