using System.Diagnostics;
using Distill.Client;
using Microsoft.Extensions.AI;

if (args.Length != 1)
{
    Console.Error.WriteLine("usage: dotnet run -- MODEL");
    return 2;
}

var clock = Stopwatch.StartNew();
using var client = DistillChatClient.Open(args[0]);
Console.Error.WriteLine($"({client.GetService<ChatClientMetadata>()!.DefaultModelId} loaded in {clock.ElapsedMilliseconds} ms)");

using var interrupted = new CancellationTokenSource();
Console.CancelKeyPress += (_, pressed) =>
{
    pressed.Cancel = true;
    interrupted.Cancel();
};

var history = new List<ChatMessage>();
while (Ask() is { } question)
{
    history.Add(new ChatMessage(ChatRole.User, question));
    try
    {
        history.Add(await AnswerAsync(client, history, interrupted.Token));
    }
    catch (OperationCanceledException)
    {
        Console.WriteLine();
        return 130;
    }
    catch (ArgumentException e) // the history has grown beyond what the model reads
    {
        Console.Error.WriteLine($"({e.Message} What was said is forgotten: ask again.)");
        history.Clear();
    }
}

return 0;

static string? Ask()
{
    if (!Console.IsInputRedirected) Console.Write("> ");
    return Console.ReadLine();
}

// What the model thinks is shown dimmed on a terminal, and is no part of the history: templates leave it out of earlier turns.
static async Task<ChatMessage> AnswerAsync(IChatClient client, IEnumerable<ChatMessage> history, CancellationToken cancellation)
{
    string dim = Console.IsOutputRedirected ? "" : "\e[2m", normal = Console.IsOutputRedirected ? "" : "\e[0m";
    var clock = Stopwatch.StartNew();
    double first = 0;
    bool thinking = false;
    string answer = "";
    long tokens = 0;
    var options = new ChatOptions { MaxOutputTokens = 1024 };
    await foreach (var update in client.GetStreamingResponseAsync(history, options, cancellation))
    {
        foreach (var content in update.Contents)
        {
            if (content is UsageContent usage) tokens = usage.Details.OutputTokenCount ?? 0;
            if (content is not (TextReasoningContent or TextContent)) continue;
            if (first == 0) first = clock.Elapsed.TotalMilliseconds;
            if (content is TextReasoningContent != thinking) Console.Write((thinking = !thinking) ? dim : $"{normal}\n\n");
            string text = content is TextReasoningContent thought ? thought.Text : ((TextContent)content).Text;
            Console.Write(Shown(text));
            if (!thinking) answer += text;
        }
    }

    Console.WriteLine(thinking ? normal : "");
    Console.Error.WriteLine(
        $"(first token after {first:0.0} ms, {tokens} tokens, {tokens / clock.Elapsed.TotalSeconds:0} tokens/s)");
    return new ChatMessage(ChatRole.Assistant, answer);
}

// A terminal obeys control characters, and a model may write any.
static string Shown(string text) => string.Concat(text.Select(c => char.IsControl(c) && c is not ('\n' or '\t') ? '\uFFFD' : c));
