using System.CommandLine;
using Distill.Cli.Models;
using Distill.Cli.Output;
using Distill.Hub;

namespace Distill.Cli.Commands;

/// <summary><c>distill pull</c>: a model or a data set of the Hub onto this machine.</summary>
internal sealed class PullCommand : DistillCommand
{
    private readonly Argument<string> source = new("SOURCE")
    {
        Description = "hf://owner/name, hf://datasets/owner/name; with @branch, @tag or @commit, and /a/path within, if wanted.",
    };

    private readonly Option<string[]> include =
        Patterns("--include", "Bring only files that fit, e.g. '*.json' or 'onnx/'; may be repeated.");
    private readonly Option<string[]> exclude = Patterns("--exclude", "Leave out files that fit; may be repeated.");

    private readonly Option<string> to = new("--to")
    {
        HelpName = "DIR",
        Description = "Also copy the files to a folder; without it they stay in the cache (HF_HUB_CACHE), which Python shares.",
    };

    private readonly Option<bool> force = new("--force") { Description = "With --to: replace files that have other content." };

    public PullCommand()
        : base("pull", "Brings a model or a data set from the Hugging Face Hub: goes on where it was interrupted, checks every digest, "
            + "and takes nothing twice. HF_TOKEN opens what is private or gated, HF_ENDPOINT names another Hub, HF_HUB_OFFLINE=1 asks "
                + "nobody.")
    {
        Arguments.Add(source);
        foreach (var option in (Option[])[to, include, exclude, force]) Options.Add(option);
    }

    public override IReadOnlyList<string> Examples =>
    [
        "distill pull hf://HuggingFaceTB/SmolLM2-135M-Instruct --include '*.json' --include '*.safetensors'",
        "distill pull hf://datasets/openai/gsm8k@main/main --to data/gsm8k",
    ];

    public override int Execute(ParseResult parsed, CommandContext context)
    {
        var reference = HubAccess.Parse(parsed.GetRequiredValue(source));
        string? target = parsed.GetValue(to);
        if (target is not null) OutputPlace.RequireFolder("--to", target);
        using var hub = new HubAccess(context);
        var selection = new HubSelection { Include = parsed.GetValue(include) ?? [], Exclude = parsed.GetValue(exclude) ?? [] };
        var snapshot = hub.Pull(reference, selection);
        string place = target is null ? snapshot.LocalPath : snapshot.CopyTo(target, parsed.GetValue(force), context.Cancellation);
        if (context.IsJson)
        {
            context.Results.Json(new
            {
                reference = $"{snapshot.Reference}", snapshot.Commit, path = place, snapshot.Files, snapshot.Bytes, snapshot.Received,
            });
        }

        string received = snapshot.Received == 0 ? "all in the cache already" : $"{Readable.Size(snapshot.Received)} received";
        context.Results.Line($"{snapshot.Reference}");
        context.Results.Line($"{snapshot.Files.Count:N0} files, {Readable.Size(snapshot.Bytes)}, {received}");
        context.Results.Line(place);
        return ExitCode.Done;
    }

    internal static Option<string[]> Patterns(string name, string description) => new(name)
    {
        HelpName = "PATTERN", Description = description, Arity = ArgumentArity.OneOrMore, AllowMultipleArgumentsPerToken = false,
    };
}
