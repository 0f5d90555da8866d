using System.Diagnostics;
using System.Globalization;
using System.Text.Json;
using System.Text.Json.Nodes;
using Distill.Data.Telemetry;
using Distill.Pipeline.Runs;
using Distill.Service.Running;
using Distill.Storage;

namespace Distill.Cli.Assistants;

/// <summary>
/// Runs as processes of their own that outlive whoever started them: what they say goes to a file beside the runs. What is stopped is only
/// what holds a run at this moment. Not on Windows.
/// </summary>
internal sealed class DetachedRuns(string runs)
{
    private const string LogFolder = ".assistant";

    private const int LastLines = 12, MostTail = 256 << 10;

    // A session of its own, so that no signal to the starter's reaches it; the shell ends at once, so that nobody's child it is.
    // What it says is kept up to some kilobytes, for a run that cannot begin; the run's own log, without secrets, has the rest.
    private const string Start = """
        out=$1; most=$2; shift 2
        new=nohup; if command -v setsid >/dev/null 2>&1; then new=setsid; fi
        { { $new "$@" 2>&1 </dev/null 3>&- & echo $! >&3; } |
          $new sh -c 'head -c "$1" >>"$0"; exec cat >/dev/null' "$out" "$most" >/dev/null 2>&1 3>&- & } 3>&1
        """;

    private static readonly string[] Hidden = ["progress", "metric"];

    /// <param name="words">As after <c>distill</c>.</param>
    /// <param name="name">Of the run.</param>
    /// <returns>Its process.</returns>
    /// <exception cref="UsageException">Somebody works on the run, or the system has no way to start it.</exception>
    public int Begin(IReadOnlyList<string> words, string name)
    {
        if (OperatingSystem.IsWindows()) throw new UsageException("Runs cannot be started here.", "Start it with 'distill run' instead.");
        if (Directory.Exists(Path.Combine(runs, name)) && new RunFolder(runs, name).IsLocked())
            throw new UsageException($"The run '{name}' is at work already.", "Ask for its status, or give the new one another name.");
        Directory.CreateDirectory(Path.Combine(runs, LogFolder));
        string log = LogOf(name);
        File.Delete(log);
        var start = new ProcessStartInfo("/bin/sh") { RedirectStandardOutput = true, RedirectStandardInput = true };
        foreach (string word in (string[])["-c", Start, "sh", log, $"{MostTail}", .. DistillProgram.OfThisProcess(), .. words, "--json"])
            start.ArgumentList.Add(word);
        using var shell = Process.Start(start)!;
        shell.StandardInput.Close();
        string said = shell.StandardOutput.ReadToEnd();
        shell.WaitForExit();
        return int.TryParse(said.Trim(), CultureInfo.InvariantCulture, out int process) && process > 0 ? process
            : throw new IOException($"The run could not be started: the shell ended with {shell.ExitCode}.");
    }

    /// <summary>Has the process that holds a run stop at its next safe point.</summary>
    /// <returns>The process.</returns>
    /// <exception cref="UsageException">Nobody works on it.</exception>
    public int Stop(string name)
    {
        var folder = RunCatalogue.Require(runs, name);
        if (!folder.IsLocked()) throw new UsageException($"Nobody is at work on the run '{name}'.", "Ask for its status.");
        // In a folder that machines share, the number alone may be that of a stranger here.
        if (folder.Holder() is not { IsHere: true } holder)
            throw new UsageException($"The run '{name}' is not at work on this machine.", "Stop it where it was started.");
        using var kill = Process.Start("kill", ["-TERM", holder.Process.ToString(CultureInfo.InvariantCulture)]);
        kill.WaitForExit();
        return kill.ExitCode == 0 ? holder.Process
            : throw new IOException($"The process {holder.Process} could not be told to stop.");
    }

    /// <summary>How far a run is, as its own files say: what it said last, and what is at work.</summary>
    public JsonObject Live(string name)
    {
        var live = new JsonObject();
        if (ReadSmall(Path.Combine(runs, name, "progress.json")) is { } progress) live["progress"] = progress;
        var events = Events(LogOf(name)).ToList();
        if (events.LastOrDefault(said => said["event"]?.GetValue<string>() == "progress") is { } last && !live.ContainsKey("progress"))
            live["progress"] = last.DeepClone();
        var lines = events.Where(said => said["event"]?.GetValue<string>() is not { } kind || !Hidden.Contains(kind));
        string own = new RunFolder(runs, name).LogPath;
        // A run that could not begin has said so to whoever started it, and not to its log.
        if (File.Exists(own) && !(File.Exists(LogOf(name)) && File.GetLastWriteTimeUtc(own) < File.GetCreationTimeUtc(LogOf(name))))
            lines = Lines(own).Select(line => new JsonObject { ["said"] = line });
        live["last"] = new JsonArray([.. lines.TakeLast(LastLines).Select(said => said.DeepClone())]);
        return live;
    }

    private string LogOf(string name) => Path.Combine(runs, LogFolder, $"{name}.jsonl");

    private static JsonNode? ReadSmall(string path)
    {
        if (OptionalFile.TryRead(path, MostTail) is not { } text) return null;
        try
        {
            return JsonNode.Parse(text);
        }
        catch (JsonException)
        {
            return null; // somebody else's
        }
    }

    private static IEnumerable<JsonObject> Events(string path) => Lines(path).Select(Parsed).OfType<JsonObject>();

    private static IEnumerable<string> Lines(string path)
    {
        using var stream = OptionalFile.TryOpen(path);
        if (stream is null) yield break;
        stream.Seek(Math.Max(0, stream.Length - MostTail), SeekOrigin.Begin);
        using var reader = new StreamReader(stream);
        while (reader.ReadLine() is { } line)
        {
            yield return SecretValues.OfProcess.Without(line);
        }
    }

    // The first line may be the end of one, and native libraries write lines of their own.
    private static JsonObject? Parsed(string line)
    {
        if (line.Length == 0) return null;
        try
        {
            return line[0] == '{' ? JsonNode.Parse(line) as JsonObject : new JsonObject { ["said"] = line };
        }
        catch (JsonException)
        {
            return null;
        }
    }
}
