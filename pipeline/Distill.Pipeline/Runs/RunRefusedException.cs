namespace Distill.Pipeline.Runs;

/// <summary>The options ask for something that cannot be done; nothing was started. The command line ends with 2.</summary>
public sealed class RunRefusedException(string message) : Exception(message);
