using Distill.Generation;

namespace Distill.GpuCheck;

/// <summary>The command line.</summary>
/// <param name="Device">What is checked; everything is small on the processor, which only shows that the program works.</param>
/// <param name="Parts">Names of those to run; empty: all.</param>
/// <param name="Only">The part that this process itself runs, for the process that started it; null in the one that a person
/// starts.</param>
/// <param name="OutputFile">Where the report goes besides standard output; null for nowhere.</param>
internal sealed record CheckOptions(ComputeDevice Device, IReadOnlyList<string> Parts, string? Only, string? OutputFile)
{
    public const string Usage = "gpu-check [--device cuda|cuda:N|cpu] [--part NAME]... [--out FILE]";

    internal const string InsideOption = "--inside";

    public bool IsSmall => !Device.IsCuda;

    /// <exception cref="ArgumentException">Says what is wrong and what is allowed.</exception>
    public static CheckOptions Parse(IReadOnlyList<string> arguments)
    {
        var parts = new List<string>();
        var options = new CheckOptions(ComputeDevice.Cuda(), parts, null, null);
        for (int i = 0; i < arguments.Count; i += 2)
        {
            if (i + 1 == arguments.Count) throw new ArgumentException($"{arguments[i]} needs a value, or is not known. Usage: {Usage}");
            string value = arguments[i + 1];
            switch (arguments[i])
            {
                case "--device":
                    options = options with
                        { Device = ComputeDevice.Parse(value) ?? throw new ArgumentException($"'{value}' is no device. Usage: {Usage}") };
                    break;
                case "--part": parts.Add(Known(value)); break;
                case "--out": options = options with { OutputFile = value }; break;
                case InsideOption: options = options with { Only = Known(value) }; break;
                default: throw new ArgumentException($"{arguments[i]} is not known. Usage: {Usage}");
            }
        }

        return options;
    }

    private static string Known(string name) => CheckParts.All.Any(part => part.Name == name) ? name
        : throw new ArgumentException($"There is no part '{name}'. Known: {string.Join(", ", CheckParts.All.Select(part => part.Name))}.");
}
