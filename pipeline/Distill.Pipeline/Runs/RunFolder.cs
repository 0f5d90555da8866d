using Distill.Pipeline.Recipes;

namespace Distill.Pipeline.Runs;

/// <summary>Where the parts of a run lie. Nothing is created before <see cref="Lock"/>.</summary>
internal sealed class RunFolder(string runsFolder, string name)
{
    public string Name => name;

    public string RunsPath { get; } = System.IO.Path.GetFullPath(runsFolder);

    public string Path => System.IO.Path.Combine(RunsPath, name);

    public string RecipePath => Inside("recipe.yaml");

    public string LockFilePath => Inside("run.lock.json");

    public string LedgerPath => Inside("ledger.json");

    public string MetricsPath => Inside("metrics.jsonl");

    public string ReportPath => Inside("report.html");

    public string ReportJsonPath => Inside("report.json");

    public string ModelPath => Inside("model");

    public string Inside(string file) => System.IO.Path.Combine(Path, file);

    /// <summary>Makes the folder this process's until the result is disposed.</summary>
    /// <exception cref="RunRefusedException">Another process works on the run.</exception>
    public IDisposable Lock()
    {
        Directory.CreateDirectory(Path);
        try
        {
            return new FileStream(Inside(".lock"), FileMode.OpenOrCreate, FileAccess.ReadWrite, FileShare.None);
        }
        catch (IOException)
        {
            throw new RunRefusedException($"Another process is working on the run '{name}' in {RunsPath}. Wait for it, or give this one another name with --name.");
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

    public void WriteRecipe(DistillationRecipe recipe) => Replace(RecipePath, System.Text.Encoding.UTF8.GetBytes(RecipeWriter.ToYaml(recipe, Path)));
}
