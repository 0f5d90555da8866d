using System.CommandLine;
using Distill.Cli.Output;
using Distill.Cli.Parsing;
using Distill.Pipeline.Runs;
using Distill.Pipeline.Store;

namespace Distill.Cli.Commands.Runs;

/// <summary><c>distill runs rm</c>.</summary>
internal sealed class RunsRemoveCommand : DistillCommand
{
    private readonly Argument<string> run = RunReference.Argument();
    private readonly Option<bool> yes = new("--yes") { Description = "Remove without asking; needed where nobody can be asked." };
    private readonly Option<string> runs = RunArguments.RunsOption();
    private readonly Option<string?> store = new("--store")
    {
        HelpName = "s3://BUCKET/PREFIX",
        Description = "Forget a run that a shared store notes, as NAME@MACHINE: 'runs ls --store' lists them.",
    };

    public RunsRemoveCommand()
        : base("rm", "Removes a run's folder: its links and its own files. The artefacts stay in the store; 'distill artefacts gc' frees "
            + "those that no "
            + "other run uses.")
    {
        Arguments.Add(run);
        Options.Add(yes);
        Options.Add(runs);
        Options.Add(store);
    }

    public override IReadOnlyList<string> Examples => ["distill runs rm more-epochs", "distill runs rm runs/more-epochs --yes"];

    public override int Execute(ParseResult parsed, CommandContext context)
    {
        if (parsed.GetValue(store) is { } address)
        {
            using var shared = SharedArtefacts.Open(address, context);
            return shared.ForgetRun(parsed.GetRequiredValue(run), parsed.GetValue(yes));
        }

        var (folder, name) = RunReference.Read(parsed.GetRequiredValue(run), parsed.GetRequiredValue(runs));
        var removal = RunRemoval.Plan(folder, name, context.Clock);
        context.Results.Line($"{removal.Folder.Path}: {removal.Links:N0} links into the store, recipe, report and measurements.");
        bool isAgreed = parsed.GetValue(yes) || Confirmation.Ask(context, $"Remove the run '{name}'?");
        IReadOnlyList<string> foreign = isAgreed ? removal.Remove() : [];
        if (context.IsJson)
            context.Results.Json(new
            {
                run = name, removal.Folder.Path, removed = isAgreed, notOurs = foreign,
                freed = removal.Freed.Select(ArtefactOutput.Json), removal.FreedBytes,
            });
        if (!isAgreed)
        {
            context.Results.Line(Confirmation.CanAsk(context) ? "Nothing was removed."
                : "Nothing was removed: nobody can be asked here. --yes removes it.");
            return ExitCode.Done;
        }

        if (foreign.Count > 0) context.Results.Line($"Removed, but for what this program did not make: {string.Join(", ", foreign)}");
        else context.Results.Line($"Removed the run '{name}'.");
        if (removal.Freed.Count > 0)
        {
            string[] words = ["distill", "artefacts", "gc", .. RunExecution.RunsWords(new RunOptions { RunsFolder = folder })];
            context.Results.Line($"{removal.Freed.Count:N0} artefacts that no other run uses ({Readable.Size(removal.FreedBytes)}) stay "
                + $"in the store. "
                + $"To free them: {ShellWord.Join(words)}, with --older-than 0 at once.");
        }

        return ExitCode.Done;
    }
}
