using System.Text;
using System.Text.Encodings.Web;
using System.Text.Json;

namespace Distill.Cli.Chatting;

/// <summary>
/// A conversation in a file: a line of JSON, as training data is kept (<c>messages</c> with role, content and <c>reasoning_content</c>),
/// added to those that are there; or Markdown to read, which replaces nothing.
/// </summary>
internal static class SavedConversation
{
    private static readonly JsonSerializerOptions s_spelling = new() { Encoder = JavaScriptEncoder.UnsafeRelaxedJsonEscaping };

    /// <exception cref="UsageException">
    /// The name's ending is of no such file, the file is there already, or nothing was said yet.
    /// </exception>
    /// <exception cref="IOException">It cannot be written.</exception>
    public static void Write(string path, Conversation conversation)
    {
        if (conversation.Messages.Count == 0) throw new UsageException("Nothing was said yet.");
        switch (Path.GetExtension(path).ToLowerInvariant())
        {
            case ".jsonl": File.AppendAllText(path, (LacksEndOfLine(path) ? "\n" : "") + Line(conversation) + "\n"); break;
            case ".md" when File.Exists(path): throw new UsageException($"{path} is there already; give another name.");
            case ".md": File.WriteAllText(path, Markdown(conversation)); break;
            default: throw new UsageException("The name must end with .jsonl or .md.");
        }
    }

    public static string Line(Conversation conversation)
    {
        var messages = conversation.Messages.Select(spoken =>
        {
            var message = new Dictionary<string, string> { ["role"] = spoken.Message.Role, ["content"] = spoken.Message.Content };
            if (spoken.Reasoning.Length > 0) message["reasoning_content"] = spoken.Reasoning;
            if (spoken.IsCut) message["finish_reason"] = "length"; // so that nobody learns from it to end there
            return message;
        });
        if (conversation.System is { } system)
            messages = messages.Prepend(new Dictionary<string, string> { ["role"] = "system", ["content"] = system });
        return JsonSerializer.Serialize(new { messages }, s_spelling);
    }

    public static string Markdown(Conversation conversation)
    {
        var text = new StringBuilder();
        if (conversation.System is { } system) Add("System", system);
        foreach (var (message, reasoning, isCut) in conversation.Messages)
        {
            // Quoted, so that what was thought is told from what was said.
            string thought = reasoning.ReplaceLineEndings("\n").Replace("\n", "\n> ", StringComparison.Ordinal);
            Add(message.Role == "user" ? "User" : "Assistant", (thought.Length == 0 ? "" : $"> {thought}\n\n") + message.Content.TrimEnd()
                + (isCut ? " *(cut off)*" : ""));
        }

        return text.ToString();

        void Add(string who, string what) => text.Append("## ").Append(who).Append("\n\n").Append(what.TrimEnd()).Append("\n\n");
    }

    /// <summary>Whether the last line of a file has no end: a line after it would be part of it.</summary>
    private static bool LacksEndOfLine(string path)
    {
        if (!File.Exists(path)) return false;
        using var file = File.OpenRead(path);
        if (file.Length == 0) return false;
        file.Seek(-1, SeekOrigin.End);
        return file.ReadByte() != '\n';
    }
}
