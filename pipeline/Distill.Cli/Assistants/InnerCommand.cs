using System.Text;
using System.Text.Json;
using System.Text.Json.Nodes;
using Distill.Cli.Output;

namespace Distill.Cli.Assistants;

/// <summary>A command of this program within this process, its output kept apart from everything else.</summary>
internal static class InnerCommand
{
    private const int MostOutput = 64 << 20;

    /// <param name="words">As after <c>distill</c>, without <c>--json</c>.</param>
    /// <returns>What it printed: one JSON value.</returns>
    /// <exception cref="ToolFaultException">It ended otherwise than well, with what it said.</exception>
    public static JsonNode Run(IReadOnlyList<string> words, TimeProvider clock, CancellationToken cancellation)
    {
        using StringWriter output = new BoundedWriter(MostOutput), error = new BoundedWriter(MostOutput);
        var streams = new ConsoleStreams(TextReader.Null, output, error);
        int code = DistillCommandLine.Run([.. words, "--json"], streams, clock, cancellation);
        cancellation.ThrowIfCancellationRequested();
        var said = Parse(output.ToString());
        if (said is JsonObject answer && answer["error"] is JsonObject failure) throw new ToolFaultException(Words(failure), answer);
        return code == ExitCode.Done && said is not null ? said
            : throw new ToolFaultException(
                error.ToString().Trim() is { Length: > 0 } text ? text : $"It ended with exit code {code}.", null);
    }

    /// <summary>A failure as the terminal shows it.</summary>
    public static string Words(JsonObject failure)
    {
        string hint = failure["hint"]?.GetValue<string>() ?? "";
        return $"error: {failure["message"]?.GetValue<string>()}" + (hint.Length == 0 ? "" : $"\n  {hint}");
    }

    private static JsonNode? Parse(string text)
    {
        try
        {
            return text.Length == 0 ? null : JsonNode.Parse(text);
        }
        catch (JsonException)
        {
            return null;
        }
    }

    /// <summary>Holds no more than it may; a command that says more fails as if its output could not be written.</summary>
    private sealed class BoundedWriter(int most) : StringWriter
    {
        public override void Write(char value)
        {
            Require(1);
            base.Write(value);
        }

        public override void Write(string? value)
        {
            Require(value?.Length ?? 0);
            base.Write(value);
        }

        public override void Write(char[] buffer, int index, int count)
        {
            Require(count);
            base.Write(buffer, index, count);
        }

        public override Encoding Encoding => Encoding.UTF8;

        private void Require(int more)
        {
            if (GetStringBuilder().Length + more > most) throw new IOException($"the answer has more than {most:N0} characters.");
        }
    }
}

/// <summary>A tool ended otherwise than well; the message is for the assistant.</summary>
/// <param name="answer">All that the command printed, which may say more than its error; null where it was no JSON.</param>
internal sealed class ToolFaultException(string message, JsonObject? answer) : Exception(message)
{
    public JsonObject? Answer => answer;
}
