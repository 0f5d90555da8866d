using System.Globalization;

namespace Distill.Generation;

/// <summary>Where a model runs or is trained: the processor, which is the default, or one CUDA card by its number.</summary>
public readonly record struct ComputeDevice
{
    private const string CardPrefix = "cuda:";

    // Card N is N + 1, so that the default is the processor.
    private readonly int number;

    private ComputeDevice(int number) => this.number = number;

    public static ComputeDevice Cpu => default;

    public bool IsCuda => number > 0;

    /// <summary>Number of the card as CUDA counts them, from 0.</summary>
    /// <exception cref="InvalidOperationException">It is the processor.</exception>
    public int Card => IsCuda ? number - 1 : throw new InvalidOperationException("The processor is no card.");

    /// <param name="card">At least 0.</param>
    public static ComputeDevice Cuda(int card = 0)
    {
        ArgumentOutOfRangeException.ThrowIfNegative(card);
        ArgumentOutOfRangeException.ThrowIfGreaterThan(card, short.MaxValue);
        return new(card + 1);
    }

    /// <summary><c>cpu</c>, <c>cuda</c> (card 0) or <c>cuda:N</c>; null for anything else.</summary>
    public static ComputeDevice? Parse(string text) => text switch
    {
        "cpu" => Cpu,
        "cuda" => Cuda(),
        _ when text.StartsWith(CardPrefix, StringComparison.Ordinal)
            && short.TryParse(text.AsSpan(CardPrefix.Length), NumberStyles.None, CultureInfo.InvariantCulture, out short card)
            => Cuda(card),
        _ => null,
    };

    /// <returns><c>cpu</c> or <c>cuda:N</c>.</returns>
    public override string ToString() => IsCuda ? string.Create(CultureInfo.InvariantCulture, $"{CardPrefix}{Card}") : "cpu";
}

/// <summary>A device was asked for and cannot be had: work is refused then, never done elsewhere in silence.</summary>
/// <param name="message">What is missing.</param>
/// <param name="remedy">What to do about it.</param>
internal sealed class DeviceUnavailableException(string message, string remedy, Exception? cause = null) : Exception(message, cause)
{
    public string Remedy { get; } = remedy;
}
