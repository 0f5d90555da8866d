using System.CommandLine;
using Distill.Cli.Chatting;
using Distill.Cli.Models;
using Distill.Cli.Parsing;
using Distill.Generation;

namespace Distill.Cli.Commands;

/// <summary><c>distill chat</c>: talk to a model.</summary>
internal sealed class ChatCommand : DistillCommand
{
    private const string Leave = "/exit", Anew = "/new";
    private readonly Argument<string> model = ModelFolders.Argument();
    private readonly Option<string> prompt =
        new("--prompt") { HelpName = "TEXT", Description = "Ask this, print the reply and end." };

    private readonly Option<string> system = new("--system") { HelpName = "TEXT", Description = "System message." };
    private readonly Option<double> temperature = CommandOptions.Number("--temperature", "0 takes the most probable token.", 0, 10, 0.0);
    private readonly Option<int> maxTokens = CommandOptions.Number("--max-tokens", "Longest reply, reasoning included.", 1, 1_000_000, 512);
    private readonly Option<string> engine = ModelFolders.EngineOption();
    private readonly Option<long> seed = CommandOptions.Number("--seed", "Of the sampling.", 0, long.MaxValue, 0);
    private readonly Option<string> device = DeviceOption.OfModel();

    public ChatCommand()
        : base("chat",
            "Talks to a model, token by token, its reasoning shown apart. On a terminal /help names what else there is, the arrows bring "
            + $"back earlier lines, and Ctrl-C stops an answer. Redirected input is read line by line; there {Anew} forgets what was said, "
            + $"and {Leave} or the end of the input ends it.")
    {
        Arguments.Add(model);
        foreach (var option in (Option[])[prompt, system, temperature, maxTokens, seed, engine, device]) Options.Add(option);
    }

    public override IReadOnlyList<string> Examples =>
        ["distill chat teacher/models/tiny-reasoner", "distill chat teacher/models/tiny-reasoner --prompt 'What is (3 + 4) * 2?' --json"];

    public override int Execute(ParseResult parsed, CommandContext context)
    {
        string folder = HubAccess.Locate(parsed.GetRequiredValue(model), context);
        using var served = OpenedModel.Open(
            folder, batched: false, ModelFolders.EngineOf(parsed, engine), parsed.GetRequiredValue(device), context);
        using var conversation = new Conversation(served, new ConversationOptions
        {
            System = parsed.GetValue(system),
            Sampling = new SamplingOptions { Temperature = parsed.GetValue(temperature) },
            MaxTokens = parsed.GetValue(maxTokens),
            Seed = (ulong)parsed.GetValue(seed),
        }, context.Clock);
        if (parsed.GetValue(prompt) is { } once) Answer(conversation, once, context);
        else if (context.Streams is { InIsTerminal: true, OutIsTerminal: true } && !context.IsJson)
            new Talk(conversation, context).Run();
        else AnswerLines(conversation, context);
        return ExitCode.Done;
    }

    private static void AnswerLines(Conversation conversation, CommandContext context)
    {
        while (NextLine(context) is { } line && line.Trim() != Leave)
        {
            if (line.Trim() == Anew) conversation.Forget();
            else if (line.Trim().Length > 0) Answer(conversation, line.Trim(), context);
        }
    }

    private static string? NextLine(CommandContext context)
    {
        context.Streams.Out.Flush();
        return context.NextLine();
    }

    private static void Answer(Conversation conversation, string text, CommandContext context)
    {
        long start = context.Clock.GetTimestamp();
        if (context.IsJson)
        {
            var reply = conversation.Ask(text, _ => { }, context.Cancellation);
            context.Results.Json(new
            {
                prompt = text, reply.Reasoning, reply.Answer, reply.StopReason, reply.Tokens, reply.Forgotten,
                seconds = Math.Round(context.Clock.GetElapsedTime(start).TotalSeconds, 3),
            });
            return;
        }

        var printer = new ReplyPrinter(context.Streams);
        try
        {
            var reply = conversation.Ask(text, printer.Print, context.Cancellation);
            printer.End();
            if (reply.StopReason == "length")
                context.Progress.Line($"(cut off after {reply.Tokens:N0} tokens; --max-tokens allows more)");
            if (reply.Forgotten > 0)
                context.Progress.Line($"(the first {reply.Forgotten:N0} messages no longer fit and were forgotten)");
        }
        catch
        {
            printer.End();
            throw;
        }
    }
}
