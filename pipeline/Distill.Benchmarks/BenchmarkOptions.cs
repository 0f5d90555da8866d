using Distill.Benchmarks.Workloads;

namespace Distill.Benchmarks;

/// <summary>The command line.</summary>
/// <param name="Names">Benchmarks to run; empty lists them.</param>
/// <param name="OutputFile">Where the table goes besides the console; null for nowhere.</param>
internal sealed record BenchmarkOptions(IReadOnlyList<string> Names, bool Quick, string ModelFolder, string? OutputFile)
{
    public const string Usage = "[list | all | NAME...] [--quick] [--model FOLDER] [--out FILE]";

    public static string DefaultModelFolder => Path.Combine(Repository.Root, "..", "shared", "models", "smollm2-135m-instruct");

    /// <exception cref="ArgumentException">Says what is wrong and what is allowed.</exception>
    public static BenchmarkOptions Parse(IReadOnlyList<string> arguments, IReadOnlyList<string> known)
    {
        var names = new List<string>();
        var options = new BenchmarkOptions(names, Quick: false, DefaultModelFolder, OutputFile: null);
        for (int i = 0; i < arguments.Count; i++)
        {
            options = arguments[i] switch
            {
                "--quick" => options with { Quick = true },
                "--model" => options with { ModelFolder = Value(arguments, ++i) },
                "--out" => options with { OutputFile = Value(arguments, ++i) },
                _ => options.Add(names, arguments[i], known),
            };
        }

        return options;
    }

    private BenchmarkOptions Add(List<string> names, string name, IReadOnlyList<string> known)
    {
        if (name == "all") names.AddRange(known.Except(names));
        else if (known.Contains(name)) names.Add(name);
        else if (name != "list") throw new ArgumentException(
            $"There is no benchmark '{name}'. Known: {string.Join(", ", known)}. Usage: {Usage}");
        return this;
    }

    private static string Value(IReadOnlyList<string> arguments, int index) =>
        index < arguments.Count ? arguments[index] : throw new ArgumentException($"{arguments[^1]} needs a value. Usage: {Usage}");
}
