using System.Diagnostics;
using System.Text;
using Distill.Pipeline.Tests.Testing;

namespace Distill.Pipeline.Tests.CommandLine;

/// <summary><c>distill chat</c> as a process under a terminal that script(1) makes.</summary>
public sealed class ChatProcessTests
{
    private const string Prompt = "\u001b[K> ", Interrupt = "\u0003";

    [Fact]
    public async Task Keys_are_edited_reasoning_is_dim_and_control_C_at_the_prompt_ends_it()
    {
        await using var terminal = Terminal.Open($"chat {RepositoryFolder.Root}/teacher/models/tiny-reasoner --max-tokens 100");
        await terminal.Until(Prompt);
        await terminal.Type("What is (3 + 4) * 3?\u007f\u007f2?\r"); // the last two characters anew
        await terminal.Until("(3 + 4) * 2?");
        await terminal.Until("\u001b[2m<think>");
        await terminal.Until("</think>\u001b[0m");
        await terminal.Until("tokens/s");
        await terminal.Until(Prompt);
        await terminal.Type("\u001b[A"); // the arrow upwards
        await terminal.Until(Prompt + "What is (3 + 4) * 2?");
        await terminal.Type(Interrupt);
        (await terminal.ExitCode()).ShouldBe(130);
    }

    [Fact]
    public async Task Control_C_stops_an_answer_and_not_the_program()
    {
        string model = SharedModel.Require("smollm2-135m-instruct");
        await using var terminal = Terminal.Open($"chat {model} --max-tokens 2000");
        await terminal.Until(Prompt);
        await terminal.Type("Write a long story about a fox.\r");
        await terminal.Until("Once upon a time");
        await terminal.Type(Interrupt);
        await terminal.Until("; stopped)");
        await terminal.Until(Prompt);
        await terminal.Type("/exit\r");
        (await terminal.ExitCode()).ShouldBe(0);
    }

    private sealed class Terminal : IAsyncDisposable
    {
        private readonly Process process;
        private readonly StringBuilder unseen = new();

        private Terminal(Process process) => this.process = process;

        public static Terminal Open(string command)
        {
            Assert.SkipUnless(File.Exists("/usr/bin/script"), "There is no 'script' to make a terminal with.");
            var start = new ProcessStartInfo("script") { RedirectStandardInput = true, RedirectStandardOutput = true };
            start.Environment["TERM"] = "xterm";
            start.Environment.Remove("NO_COLOR");
            // What a shell starts in the background ignores interrupts, and so does all that is started by it. A shell that waits would
            // get the interrupt too, and end of it.
            start.Environment["SHELL"] = "/bin/sh";
            string[] words = ["-qec", $"exec env --default-signal=INT dotnet {DistillProcess.Tool} {command}", "/dev/null"];
            foreach (string word in words) start.ArgumentList.Add(word);
            return new Terminal(Process.Start(start)!);
        }

        public async Task Type(string keys)
        {
            await process.StandardInput.WriteAsync(keys);
            await process.StandardInput.FlushAsync();
        }

        /// <summary>Reads until a text, and forgets what was before it and it.</summary>
        public async Task Until(string text)
        {
            char[] buffer = new char[4096];
            while (!unseen.ToString().Contains(text, StringComparison.Ordinal))
            {
                int read = await process.StandardOutput.ReadAsync(buffer, TestContext.Current.CancellationToken);
                if (read == 0) Assert.Fail($"It ended before '{text}': {unseen}");
                unseen.Append(buffer, 0, read);
            }

            unseen.Remove(0, unseen.ToString().IndexOf(text, StringComparison.Ordinal) + text.Length);
        }

        public async Task<int> ExitCode()
        {
            await process.StandardOutput.ReadToEndAsync(TestContext.Current.CancellationToken);
            await process.WaitForExitAsync(TestContext.Current.CancellationToken);
            return process.ExitCode;
        }

        public ValueTask DisposeAsync()
        {
            if (!process.HasExited) process.Kill(entireProcessTree: true);
            process.Dispose();
            return ValueTask.CompletedTask;
        }
    }
}
