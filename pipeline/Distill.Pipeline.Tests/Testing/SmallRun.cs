using Distill.Pipeline.Recipes;
using Distill.Pipeline.Runs;

namespace Distill.Pipeline.Tests.Testing;

/// <summary>The whole pipeline on the committed models, as small as it can be while every stage does its real work.</summary>
internal static class SmallRun
{
    public const string Recipe = """
        name: small
        seed: 3
        teacher: { model: MODELS/teacher/models/tiny-reasoner, samples: 1, max_tokens: 96, slots: 16 }
        problems:
          families: [ { name: arithmetic, level: 1 }, { name: words, level: 1 } ]
          train: 48
          validation: 8
          test: 12
          twins: 6
        student: { base: MODELS/student/models/tiny-base }
        sft: { epochs: 2, batch_tokens: 1024, precision: mixed }
        rl: { steps: 2, problems_per_step: 4, samples: 4, evaluate_every: 1, validation_problems: 8, max_tokens: 64 }
        parity: { prompts: 4, tokens: 24 }
        evaluation: { samples: 2, max_tokens: 64, slots: 16 }
        """;

    public static string Text => Recipe.Replace("MODELS", RepositoryFolder.Root, StringComparison.Ordinal);

    public static DistillationRecipe Parse(params string[] overrides) =>
        (DistillationRecipe)RecipeFile.Parse(Text, "small.yaml", RepositoryFolder.Root, overrides);

    public static (RunResult Result, RecordingObserver Observer) Run(
        TemporaryFolder folder, RunOptions? options = null, params string[] overrides)
    {
        var observer = new RecordingObserver();
        var result = PipelineRun.Run(
            Parse(overrides), (options ?? new RunOptions()) with { RunsFolder = folder.Path },
            observer, TimeProvider.System, TestContext.Current.CancellationToken);
        return (result, observer);
    }

    /// <summary>Digest of every artefact, by stage.</summary>
    public static string LockOf(TemporaryFolder folder, string name = "small") => LockOf(folder.Path, name);

    public static string LockOf(string runs, string name) => File.ReadAllText(Path.Combine(runs, name, "run.lock.json"));

    /// <summary>Everything of a folder of runs, links as links.</summary>
    public static void Copy(string source, string target)
    {
        Directory.CreateDirectory(target);
        foreach (var entry in new DirectoryInfo(source).EnumerateFileSystemInfos())
        {
            string copy = Path.Combine(target, entry.Name);
            if (entry.LinkTarget is { } place) Directory.CreateSymbolicLink(copy, place);
            else if (entry is DirectoryInfo) Copy(entry.FullName, copy);
            else File.Copy(entry.FullName, copy);
        }
    }

    /// <summary>Lets a test write to a file of an artefact, as a broken disk might.</summary>
    public static void Unprotect(string path)
    {
        if (!OperatingSystem.IsWindows()) File.SetUnixFileMode(path, File.GetUnixFileMode(path) | UnixFileMode.UserWrite);
    }
}
