namespace Distill.Cli;

/// <summary>The command cannot work as it was typed: exit code 2.</summary>
/// <param name="message">What is wrong.</param>
/// <param name="hint">What to type instead; may be empty.</param>
internal sealed class UsageException(string message, string hint = "") : Exception(message)
{
    public string Hint { get; } = hint;
}
