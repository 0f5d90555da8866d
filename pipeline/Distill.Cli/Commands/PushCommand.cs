using System.CommandLine;
using Distill.Cli.Models;
using Distill.Cli.Output;
using Distill.Data.Publishing.Licences;
using Distill.Hub;
using Distill.Pipeline.Runs;

namespace Distill.Cli.Commands;

/// <summary><c>distill push</c>: a model or data set folder to the Hub.</summary>
internal sealed class PushCommand : DistillCommand
{
    private readonly Argument<string> folder =
        new("FOLDER") { Description = "Folder with a card (README.md), such as an exported model or data set." };

    private readonly Argument<string> target =
        new("TARGET") { Description = "hf://owner/name or hf://datasets/owner/name; @branch for another branch than main." };

    private readonly Option<bool> dryRun = new("--dry-run") { Description = "List the files and what would change; send nothing." };
    private readonly Option<bool> isPrivate = new("--private") { Description = "If the repository has to be created: for its owner "
        + "alone." };
    private readonly Option<string> revision = new("--revision") { HelpName = "BRANCH", Description = "The branch; made if it is "
        + "missing." };
    private readonly Option<string> message = new("--message") { HelpName = "TEXT", Description = "Title of the commit." };

    private readonly Option<string[]> include = PullCommand.Patterns("--include", "Push only files that fit; may be repeated.");
    private readonly Option<string[]> exclude = PullCommand.Patterns("--exclude", "Leave out files that fit; may be repeated.");

    public PushCommand()
        : base("push", "Brings a folder to the Hugging Face Hub in one commit: all of it becomes visible, or nothing. Only what differs is "
            + "sent; what the repository has besides stays. Needs a token that may write, in HF_TOKEN.")
    {
        Arguments.Add(folder);
        Arguments.Add(target);
        foreach (var option in (Option[])[dryRun, isPrivate, revision, message, include, exclude]) Options.Add(option);
    }

    public override IReadOnlyList<string> Examples =>
    [
        "distill push runs/quickstart/model hf://me/my-student --dry-run",
        "distill push runs/quickstart/model hf://me/my-student --private",
        "distill push my-data hf://datasets/me/my-traces --message 'Curated again'",
    ];

    public override int Execute(ParseResult parsed, CommandContext context)
    {
        var reference = HubAccess.Parse(parsed.GetRequiredValue(target));
        if (parsed.GetValue(revision) is { } branch)
        {
            var (within, repository) = (reference.Path, reference with { Revision = null, Path = "" });
            reference = HubAccess.Parse($"{repository}@{Uri.EscapeDataString(branch)}") with { Path = within };
        }

        var options = new HubPushOptions
        {
            IsDryRun = parsed.GetValue(dryRun), IsPrivate = parsed.GetValue(isPrivate),
            Selection = new HubSelection { Include = parsed.GetValue(include) ?? [], Exclude = parsed.GetValue(exclude) ?? [] },
        };
        if (parsed.GetValue(message) is { } title) options = options with { Message = title };
        string from = parsed.GetRequiredValue(folder);
        if (LicenceMarkdown.RefusalOf(from) is { } reason)
            throw new GateFailedException($"'{from}' is not to be published, as its card says: {reason}.");
        using var hub = new HubAccess(context);
        var result = hub.Push(from, reference, options);
        if (context.IsJson)
        {
            context.Results.Json(new
            {
                reference = $"{result.Reference}", result.Page, result.CreatesRepository, options.IsDryRun, result.Sent, result.Files,
            });
        }

        Show(result, options, context.Results);
        return ExitCode.Done;
    }

    private static void Show(HubPushResult result, HubPushOptions options, ResultWriter results)
    {
        results.Table(["file", "change", "size"],
            result.Files.Select(file => (string[])[file.Path, Word(file.Change), Readable.Size(file.Size)]), words: 2);
        var changed = result.Files.Where(file => file.Change is HubChange.New or HubChange.Changed).ToList();
        string amount = $"{changed.Count:N0} of {result.Files.Count:N0} files, {Readable.Size(changed.Sum(file => file.Size))}";
        string repository = result.CreatesRepository ? options.IsPrivate ? " to a new private repository" : " to a new public "
            + "repository" : "";
        results.Line(options.IsDryRun ? $"would push {amount}{repository}" : changed.Count == 0 ? "nothing to push: all is there"
            : $"pushed {amount}{repository}");
        results.Line($"{result.Reference}");
        results.Line($"{result.Page}");
    }

    private static string Word(HubChange change) => change switch
    {
        HubChange.New => "new",
        HubChange.Changed => "changed",
        HubChange.Unchanged => "unchanged",
        HubChange.Ignored => "ignored",
        _ => throw new ArgumentOutOfRangeException(nameof(change), change, "Unknown change."),
    };
}
