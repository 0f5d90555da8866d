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
}
