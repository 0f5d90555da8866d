namespace Distill.Pipeline.Runs;

/// <summary>A gate of the run refused its model: the run stops, the command line ends with 3. Nothing of the failed stage is committed.</summary>
public sealed class GateFailedException(string message) : Exception(message);
