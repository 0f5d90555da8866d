using System.Text;
using Distill.Data.Telemetry;

namespace Distill.Pipeline.Runs.Live;

/// <summary>
/// What a run said, a line each with its time, without secrets. Full at some megabytes, of which the newer half is kept: how a run ended is
/// what is asked for. Not thread-safe; dispose it.
/// </summary>
internal sealed class RunLog : IDisposable
{
    /// <summary>Of the file, but for its last line.</summary>
    public const int MostBytes = 4 << 20;

    private const int TimeLength = 20;

    private readonly string path;
    private readonly TimeProvider clock;
    private StreamWriter writer;

    /// <param name="path">Of the file; what is there stays, and what is said follows it.</param>
    /// <exception cref="IOException">It cannot be opened.</exception>
    public RunLog(string path, TimeProvider clock)
    {
        (this.path, this.clock) = (path, clock);
        Directory.CreateDirectory(Path.GetDirectoryName(path)!);
        writer = Open();
    }

    public void Line(string text) => Try(() =>
    {
        if (writer.BaseStream.Length >= MostBytes) KeepNewerHalf();
        string line = SecretValues.OfProcess.Without(text).ReplaceLineEndings(" ");
        writer.WriteLine($"{clock.GetUtcNow():yyyy-MM-dd'T'HH:mm:ss'Z'} {line}");
    });

    // Written beside it and put in its place: who reads it, reads the one or the other.
    private void KeepNewerHalf()
    {
        string fresh = path + ".new";
        using (var old = new FileStream(path, FileMode.Open, FileAccess.Read, FileShare.ReadWrite | FileShare.Delete))
        using (var kept = new FileStream(fresh, FileMode.Create, FileAccess.Write))
        {
            int length = (int)Math.Min(old.Length, MostBytes / 2);
            byte[] half = new byte[length];
            old.Position = old.Length - length;
            old.ReadExactly(half);
            var lines = half.AsSpan(half.AsSpan().IndexOf((byte)'\n') + 1);
            // At the time of the first line that is kept, for readers who look for what was said from a moment on.
            string time = Encoding.UTF8.GetString(lines[..Math.Min(lines.Length, TimeLength)]);
            kept.Write(Encoding.UTF8.GetBytes($"{time} (the log was full: {old.Length - lines.Length} bytes before this were left out)\n"));
            kept.Write(lines);
        }

        writer.Dispose();
        try
        {
            File.Move(fresh, path, overwrite: true);
        }
        finally
        {
            writer = Open(); // of what is there, the old where it could not be replaced
        }
    }

    private StreamWriter Open() =>
        new(new FileStream(path, FileMode.Append, FileAccess.Write, FileShare.ReadWrite | FileShare.Delete))
        {
            NewLine = "\n", AutoFlush = true,
        };

    // What could not be written before is tried once more by it.
    public void Dispose() => Try(writer.Dispose);

    private static void Try(Action write)
    {
        try
        {
            write();
        }
        catch (IOException)
        {
            // A full disk; what the run itself writes says so.
        }
    }
}
