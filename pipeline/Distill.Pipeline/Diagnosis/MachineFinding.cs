namespace Distill.Pipeline.Diagnosis;

public enum MachineState
{
    Ok,

    /// <summary>Works, but slower, or not for everything.</summary>
    Warning,

    /// <summary>Needed and absent.</summary>
    Missing,
}

/// <summary>What a check of the machine found.</summary>
/// <param name="Remedy">What to do about it; null when there is nothing to do.</param>
public sealed record MachineFinding(string Name, MachineState State, string Found, string? Remedy = null);
