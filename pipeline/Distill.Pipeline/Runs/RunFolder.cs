using Distill.Pipeline.Recipes;

namespace Distill.Pipeline.Runs;

/// <summary>Where the parts of a run lie. Nothing is created before <see cref="Lock"/>.</summary>
internal sealed class RunFolder(string runsFolder, string name)
{
    private const int LockAttempts = 4;

    private static readonly TimeSpan LockPause = TimeSpan.FromMilliseconds(50);

    public string Name => name;

    public string RunsPath { get; } = System.IO.Path.GetFullPath(runsFolder);

    public string Path => System.IO.Path.Combine(RunsPath, name);

    public string RecipePath => Inside("recipe.yaml");

    public string LockFilePath => Inside("run.lock.json");

    public string LedgerPath => Inside("ledger.json");

    public string MetricsPath => Inside("metrics.jsonl");

    public string BoardPath => Inside("tensorboard");

    public string ReportPath => Inside("report.html");

    public string ReportJsonPath => Inside("report.json");

    public string ModelPath => Inside("model");

    /// <summary>Completions of remote teachers, one file each, shared by all runs of the folder.</summary>
    public string RequestsPath => System.IO.Path.Combine(RunsPath, ".requests");

    public string Inside(string file) => System.IO.Path.Combine(Path, file);

    /// <summary>Makes the folder this process's until the result is disposed.</summary>
    /// <exception cref="RunRefusedException">Another process works on the run.</exception>
    public IDisposable Lock()
    {
        Directory.CreateDirectory(Path);
        for (int attempt = 0; ; attempt++)
        {
            try
            {
                return new FileStream(Inside(".lock"), FileMode.OpenOrCreate, FileAccess.ReadWrite, FileShare.None);
            }
            catch (IOException) when (File.Exists(Inside(".lock")))
            {
                // Somebody who lists the runs looks at the lock for a moment; somebody who works on the run stays.
                if (attempt == LockAttempts)
                    throw new RunRefusedException($"Another process is working on the run '{name}' in {RunsPath}. Wait for it, or give this one another name with --name.");
                Thread.Sleep(LockPause);
            }
        }
    }

    /// <summary>Whether some process holds <see cref="Lock"/>.</summary>
    public bool IsLocked()
    {
        if (!File.Exists(Inside(".lock"))) return false;
        try
        {
            using var free = new FileStream(Inside(".lock"), FileMode.Open, FileAccess.ReadWrite, FileShare.None);
            return false;
        }
        catch (IOException)
        {
            return true;
        }
    }

    /// <summary>A whole file or the old one, never half of it.</summary>
    public static void Replace(string path, ReadOnlySpan<byte> content)
    {
        string temporary = path + ".tmp";
        File.WriteAllBytes(temporary, content);
        File.Move(temporary, path, overwrite: true);
    }

    /// <summary>Takes back what was published of an export that is being made anew; the artefacts stay.</summary>
    public void Withdraw()
    {
        File.Delete(ReportPath);
        File.Delete(ReportJsonPath);
        if (Directory.Exists(ModelPath)) Directory.Delete(ModelPath, recursive: true);
    }

    public void WriteRecipe(DistillationRecipe recipe) => Replace(RecipePath, System.Text.Encoding.UTF8.GetBytes(RecipeWriter.ToYaml(recipe, Path)));
}
