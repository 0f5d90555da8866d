namespace Distill.Generation;

/// <summary>A device was asked for and cannot be had: work is refused then, never done elsewhere in silence.</summary>
/// <param name="message">What is missing.</param>
/// <param name="remedy">What to do about it.</param>
internal sealed class DeviceUnavailableException(string message, string remedy, Exception? cause = null) : Exception(message, cause)
{
    public string Remedy { get; } = remedy;
}
