using System.Text.RegularExpressions;
using Distill.Data.Sources.Files;
using Distill.Hub;

namespace Distill.Pipeline.Recipes.Binding;

/// <summary>Paths of a recipe → absolute ones. <c>${NAME}</c> stands for an environment variable, in paths and nowhere else.</summary>
internal static partial class RecipePath
{
    /// <returns>The absolute path, and what is wrong with it if something is.</returns>
    public static (string Full, string? Fault) Resolve(string written, RecipeSource source, OptionAttribute option)
    {
        var (expanded, unset) = Expand(written);
        if (unset is not null) return (written, unset);
        if (expanded.Length == 0 || expanded.Contains('\0', StringComparison.Ordinal)) return ("", "not a path");
        string full = Path.GetFullPath(expanded, source.Folder);
        if (option.Path == PathUse.Place) return (full, null);
        if (option.Path == PathUse.Files) return Files(expanded, full, source);
        // A resolved recipe that was moved without its models still finds them where they were.
        if (!Path.Exists(full) && source.Former is { } former && Path.GetFullPath(expanded, former) is var before
            && Path.Exists(before)) full = before;
        if (option.Path == PathUse.Any) return (full, Path.Exists(full) ? null : $"there is no file or folder {full}");
        if (!Directory.Exists(full)) return (full, File.Exists(full) ? $"{full} is a file, not a folder" : $"there is no folder {full}");
        var missing = option.Files.Where(file => !File.Exists(Path.Combine(full, file))).ToList();
        return (full, missing.Count == 0 ? null : $"{full} has no {string.Join(", ", missing)}");
    }

    /// <summary>Whether a folder is one of the Hub.</summary>
    /// <param name="address">What was written, with its variables' values.</param>
    public static bool IsOnHub(string written, out string address)
    {
        address = Expand(written).Path;
        return HubReference.IsReference(address);
    }

    // Files of a resolved recipe that was moved are found as folders are.
    private static (string Full, string? Fault) Files(string written, string full, RecipeSource source)
    {
        string? fault = FaultOf(full);
        if (fault is null || source.Former is not { } former) return (full, fault);
        string before = Path.GetFullPath(written, former);
        return FaultOf(before) is null ? (before, null) : (full, fault);
    }

    private static string? FaultOf(string files)
    {
        try
        {
            _ = SourceFile.Find(files);
            return null;
        }
        catch (InvalidDataException fault)
        {
            return char.ToLowerInvariant(fault.Message[0]) + fault.Message[1..].TrimEnd('.');
        }
    }

    /// <returns>The path with its variables' values, and which variable is missing if one is.</returns>
    public static (string Path, string? Fault) Expand(string written)
    {
        string? unset = null;
        string expanded = Variable().Replace(written, match =>
        {
            if (Environment.GetEnvironmentVariable(match.Groups[1].Value) is { Length: > 0 } value) return value;
            unset ??= match.Groups[1].Value;
            return match.Value;
        });
        return (expanded, unset is null ? null : $"the environment variable {unset} is not set");
    }

    [GeneratedRegex(@"\$\{([A-Za-z_][A-Za-z0-9_]*)\}")]
    private static partial Regex Variable();
}
