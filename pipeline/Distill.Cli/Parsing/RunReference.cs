using System.CommandLine;

namespace Distill.Cli.Parsing;

/// <summary>A run as people name it: by its name, or by its folder, which the shell completes.</summary>
internal static class RunReference
{
    public static Argument<string> Argument() =>
        new("RUN") { Description = "Name of the run, or its folder; 'distill runs ls' lists them." };

    /// <returns>The folder that holds the runs, and the run's name.</returns>
    public static (string RunsFolder, string Name) Read(string word, string runsFolder)
    {
        if (!word.Contains('/') && !word.Contains(Path.DirectorySeparatorChar)) return (runsFolder, word);
        string path = Path.TrimEndingDirectorySeparator(word);
        return (Path.GetDirectoryName(path) is { Length: > 0 } parent ? parent : ".", Path.GetFileName(path));
    }
}
