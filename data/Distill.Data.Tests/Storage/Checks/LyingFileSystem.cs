using System.IO.Pipelines;
using Distill.Storage.Checks;

namespace Distill.Data.Tests.Storage.Checks;

/// <summary>A file system that keeps all promises but those that a test takes from it.</summary>
internal class LyingFileSystem : IProbedFileSystem
{
    private readonly ProbedFileSystem honest = new();

    public virtual bool TryCreate(string path, string content) => honest.TryCreate(path, content);

    public virtual bool TryLink(string existing, string path) => honest.TryLink(existing, path);

    public virtual void Replace(string path, string content) => honest.Replace(path, content);

    public virtual void SyncFolder(string folder) => honest.SyncFolder(folder);

    public virtual IDisposable? TryLock(string path, bool alone) => honest.TryLock(path, alone);

    public virtual string? Read(string path) => honest.Read(path);

    public virtual bool Lists(string folder, string name) => honest.Lists(folder, name);

    public virtual void LinkSymbolically(string path, string target) => honest.LinkSymbolically(path, target);
}

/// <summary>The second process as a thread of this one, over its own view of the file system.</summary>
internal sealed class OtherThread : IOtherProcess
{
    private readonly Pipe asked = new(), answered = new();
    private readonly StreamWriter orders;
    private readonly StreamReader answers;
    private readonly Task serving;

    public OtherThread(string folder, IProbedFileSystem files)
    {
        orders = new StreamWriter(asked.Writer.AsStream()) { AutoFlush = true };
        answers = new StreamReader(answered.Reader.AsStream());
        serving = Task.Run(() =>
        {
            using var reader = new StreamReader(asked.Reader.AsStream());
            using var writer = new StreamWriter(answered.Writer.AsStream());
            OtherProcessOrders.Serve(folder, files, reader, writer);
        });
    }

    public void Ask(string order, params ReadOnlySpan<string> names) => orders.WriteLine(string.Join(' ', [order, .. names]));

    public string Answer()
    {
        string answer = answers.ReadLine() ?? throw new IOException("It ended.");
        return answer.StartsWith("fault ", StringComparison.Ordinal) ? throw new IOException(answer) : answer;
    }

    public void Kill()
    {
        orders.Dispose();
        serving.Wait();
    }

    public void Dispose()
    {
        if (!serving.IsCompleted) Kill();
        answers.Dispose();
    }
}
