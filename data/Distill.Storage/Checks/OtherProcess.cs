using System.Diagnostics;
using System.Globalization;

namespace Distill.Storage.Checks;

/// <summary>A second process that does to a folder what the first one asks of it.</summary>
internal interface IOtherProcess : IDisposable
{
    /// <summary>Asks, without waiting for the answer.</summary>
    /// <param name="order">A word of <see cref="OtherProcessOrders"/>.</param>
    /// <param name="names">Of files in the folder, or contents: without spaces.</param>
    void Ask(string order, params ReadOnlySpan<string> names);

    /// <returns>What it says to the oldest order that it has not answered.</returns>
    /// <exception cref="IOException">The order failed there, or the process ended; says how.</exception>
    string Answer();

    /// <summary>Ends it as a fault would, with all that it holds.</summary>
    void Kill();
}

/// <summary>The orders, and the other end: what the second process does. One order a line; one answer a line.</summary>
internal static class OtherProcessOrders
{
    public const string Create = "create", Link = "link", Lock = "lock", Share = "share", Unlock = "unlock", Read = "read", Lists = "lists",
        Watch = "watch";

    public const string Yes = "yes", No = "no", Half = "half", Nothing = "nothing", Fault = "fault";

    /// <summary>Answers until the orders end.</summary>
    /// <param name="folder">Where the files lie.</param>
    public static void Serve(string folder, IProbedFileSystem files, TextReader orders, TextWriter answers)
    {
        IDisposable? held = null;
        try
        {
            while (orders.ReadLine() is { } line)
            {
                answers.WriteLine(AnswerTo(line.Split(' ')));
                answers.Flush();
            }
        }
        finally
        {
            held?.Dispose();
        }

        string AnswerTo(string[] words)
        {
            try
            {
                return Do(words);
            }
            catch (Exception fault) when (fault is IOException or UnauthorizedAccessException)
            {
                return $"{Fault} {fault.Message.ReplaceLineEndings(" ")}";
            }
        }

        string Do(string[] words)
        {
            switch (words)
            {
                case [Create, var name, var content]: return Word(files.TryCreate(At(name), content));
                case [Link, var existing, var name]: return Word(files.TryLink(At(existing), At(name)));
                case [Read, var name]: return files.Read(At(name)) ?? Nothing;
                case [Lists, var name]: return Word(files.Lists(folder, name));
                case [Watch, var name, var times, var length]: return Watched(At(name), Number(times), Number(length));
                case [Lock or Share, var name]:
                    held?.Dispose();
                    held = files.TryLock(At(name), alone: words[0] == Lock);
                    return Word(held is not null);
                case [Unlock]:
                    held?.Dispose();
                    held = null;
                    return Yes;
                default: return $"{Fault} the order '{string.Join(' ', words)}' is not known";
            }
        }

        // One letter, repeated: anything else was seen half.
        string Watched(string path, int times, int length)
        {
            for (int i = 0; i < times; i++)
            {
                if (files.Read(path) is not { } seen) return Nothing;
                if (seen.Length != length || seen.Any(letter => letter != seen[0])) return Half;
            }

            return Yes;
        }

        string At(string name) => Path.Combine(folder, name);

        static string Word(bool done) => done ? Yes : No;

        static int Number(string text) => int.Parse(text, NumberStyles.None, CultureInfo.InvariantCulture);
    }
}

/// <summary>This program again, as a second process.</summary>
internal sealed class OtherProcess : IOtherProcess
{
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(30);

    private readonly Process process;

    private OtherProcess(Process process) => this.process = process;

    /// <param name="command">The program and its words; it is given the folder as its last.</param>
    /// <exception cref="IOException">It cannot be started.</exception>
    public static OtherProcess Start(IReadOnlyList<string> command, string folder)
    {
        var start = new ProcessStartInfo(command[0])
        {
            RedirectStandardInput = true, RedirectStandardOutput = true, RedirectStandardError = true,
        };
        foreach (string word in command.Skip(1).Append(folder)) start.ArgumentList.Add(word);
        try
        {
            var process = Process.Start(start) ?? throw new IOException($"'{command[0]}' cannot be started.");
            process.ErrorDataReceived += (_, _) => { };
            process.BeginErrorReadLine();
            return new OtherProcess(process);
        }
        catch (System.ComponentModel.Win32Exception fault)
        {
            throw new IOException($"A second process cannot be started: {fault.Message}", fault);
        }
    }

    public void Ask(string order, params ReadOnlySpan<string> names)
    {
        process.StandardInput.WriteLine(string.Join(' ', [order, .. names]));
        process.StandardInput.Flush();
    }

    public string Answer()
    {
        var reading = process.StandardOutput.ReadLineAsync();
        if (!reading.Wait(Patience))
        {
            Kill();
            throw new IOException($"The second process gave no answer for {Patience.TotalSeconds:0} s: the file system hangs.");
        }

        string answer = reading.Result ?? throw new IOException("The second process ended before it had answered.");
        return answer.StartsWith(OtherProcessOrders.Fault + " ", StringComparison.Ordinal)
            ? throw new IOException(answer[(OtherProcessOrders.Fault.Length + 1)..]) : answer;
    }

    public void Kill()
    {
        process.Kill();
        process.WaitForExit();
    }

    public void Dispose()
    {
        if (!process.HasExited) Kill();
        process.Dispose();
    }
}
