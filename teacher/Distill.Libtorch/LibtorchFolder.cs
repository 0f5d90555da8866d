using Distill.Libtorch.Elf;

namespace Distill.Libtorch;

/// <summary>
/// A folder with libtorch, e.g. <c>…/site-packages/torch/lib</c> of an installed PyTorch, and whether TorchSharp's library fits it: known
/// before anything is loaded, because a library that lacks a symbol ends the process where it is first called. Reads a few pages of each
/// file.
/// </summary>
internal static class LibtorchFolder
{
    public const string Cuda = "libtorch_cuda.so";

    /// <summary>What TorchSharp was built against; to name it, TorchSharp itself would load a libtorch.</summary>
    public const string BuiltAgainst = "2.10";

    private const string Meant = "name the folder with libtorch.so, of PyTorch …/site-packages/torch/lib";

    private const int LongestVersionFile = 1 << 16, MostNamed = 3;

    /// <summary>What libLibTorchSharp.so is linked against; where each of its symbols must be.</summary>
    public static IReadOnlyList<string> Names { get; } = ["libc10.so", "libtorch_cpu.so", "libtorch.so"];

    /// <returns>Why TorchSharp cannot work over this folder, with what to do about it; null when nothing speaks against it.</returns>
    /// <param name="folder">With <see cref="Names"/>.</param>
    /// <param name="torchSharp">Path of libLibTorchSharp.so.</param>
    public static string? FaultOf(string folder, string torchSharp)
    {
        if (!Directory.Exists(folder)) return $"'{folder}' is no folder; {Meant}";
        string[] absent = [.. Names.Where(name => !File.Exists(Path.Combine(folder, name)))];
        if (absent.Length > 0)
            return $"'{folder}' has no {string.Join(" and no ", absent)}; {Meant}";
        try
        {
            return Misfit(folder, torchSharp);
        }
        catch (Exception fault) when (fault is InvalidDataException or OverflowException or IOException or UnauthorizedAccessException)
        {
            return fault.Message;
        }
    }

    /// <summary>As PyTorch (<c>2.11.0+cu130</c>) or libtorch's archive says it beside the folder; null where neither does.</summary>
    public static string? VersionOf(string folder)
    {
        string above = Path.GetFullPath(Path.Combine(folder, ".."));
        string? line = Lines(Path.Combine(above, "version.py"))
            .FirstOrDefault(text => text.StartsWith("__version__", StringComparison.Ordinal));
        return line?.Split('\'', '"') is [_, var version, ..] ? version
            : Lines(Path.Combine(above, "build-version")).FirstOrDefault()?.Trim();
    }

    private static string? Misfit(string folder, string torchSharp)
    {
        var missing = Of(torchSharp, symbols => symbols.UnversionedNeeds());
        foreach (string name in Names)
        {
            if (missing.Count > 0)
                missing = Of(Path.Combine(folder, name), symbols => (string[])[.. missing.Where(symbol => !symbols.Defines(symbol))]);
        }

        if (missing.Count == 0) return null;
        string named = string.Join(", ", missing.Take(MostNamed))
            + (missing.Count > MostNamed ? $" and {missing.Count - MostNamed:N0} more" : "");
        return $"libtorch {VersionOf(folder) ?? "of unknown version"} in '{folder}' lacks {missing.Count:N0} of the symbols that "
            + $"TorchSharp needs ({named}); take PyTorch {BuiltAgainst}, or build with -p:Torch=cuda";
    }

    private static T Of<T>(string path, Func<DynamicSymbols, T> read)
    {
        try
        {
            using var file = new MappedFile(path);
            return read(new DynamicSymbols(file.Memory));
        }
        catch (Exception fault) when (fault is InvalidDataException or OverflowException)
        {
            throw new InvalidDataException($"'{path}' is no library that can be loaded: {fault.Message}", fault);
        }
    }

    private static IEnumerable<string> Lines(string file) =>
        File.Exists(file) && new FileInfo(file).Length <= LongestVersionFile ? File.ReadLines(file) : [];
}
