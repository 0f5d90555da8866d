using System.CommandLine;
using Distill.Cli.Models;
using Distill.Cli.Output;
using Distill.Cli.Parsing;

namespace Distill.Cli.Assistants;

/// <summary><c>distill mcp</c>: this program as tools of an assistant, over standard input and output.</summary>
internal sealed class McpCommand : DistillCommand
{
    private readonly Option<string[]> root = new("--root")
    {
        HelpName = "DIR", Description = "Folder that the assistant may look into; may be repeated. Default: this folder.",
        Arity = ArgumentArity.OneOrMore, AllowMultipleArgumentsPerToken = false,
    };

    private readonly Option<bool> allowRuns = new("--allow-runs")
        { Description = "Let it start, continue and stop runs too. Without it nothing is changed." };

    private readonly Option<string> runs = RunArguments.RunsOption();

    public McpCommand()
        : base("mcp", "Serves the Model Context Protocol on standard input and output, so that an assistant can plan, look after and "
            + "compare runs and read traces. Started by the assistant's program; ends with it, and runs that it started go on.")
    {
        foreach (var option in (Option[])[root, allowRuns, runs]) Options.Add(option);
    }

    public override IReadOnlyList<string> Examples =>
        ["distill mcp --root .", "distill mcp --root ~/distill --runs ~/distill/runs --allow-runs"];

    public override int Execute(ParseResult parsed, CommandContext context)
    {
        if (context.Streams.InIsTerminal)
            throw new UsageException(
                "An assistant's program speaks to this command, not a person.", "docs/assistants.md says how it is set up.");
        var roots = new AssistantRoots(parsed.GetValue(root) is { Length: > 0 } given ? given : ["."]);
        string folder = roots.Require(parsed.GetRequiredValue(runs));
        using var hub = new HubAccess(context);
        using var server = new AssistantServer(
            new AssistantTools(roots, folder, parsed.GetValue(allowRuns) ? hub : null, context.Clock), context);
        var (input, output) = ProtocolStreams.Claim();
        using (input)
        using (output)
        {
            context.Streams.Error.WriteLine(TerminalText.Safe($"distill mcp: {roots.First}, runs in {folder}"));
            // Reading standard input cannot be cancelled; waiting for it can.
            server.RunAsync(input, output, context.Cancellation).WaitAsync(context.Cancellation).GetAwaiter().GetResult();
        }

        return ExitCode.Done;
    }
}
